/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the schema that says how the recipients of an account's mail are
 * found, and which of it are copies.
 */
#include "config/schema.h"

#include "config/values.h"

#include <stddef.h>

static const struct schema_word tiers[] = {
	{ .word = "envelope", .value = TIER_ENVELOPE },
	{ .word = "received", .value = TIER_RECEIVED },
	{ .word = "headers", .value = TIER_HEADERS },
	{ .word = NULL },
};
static const struct schema_word occurrences[] = {
	{ .word = "last", .value = OCCURRENCE_LAST },
	{ .word = "all", .value = OCCURRENCE_ALL },
	{ .word = NULL },
};
static const struct schema_word positions[] = {
	{ .word = "top", .value = 0 },
	{ .word = "bottom", .value = 1 },
	{ .word = NULL },
};
static const struct schema_row recipients_rows[] = {
	{ .name = "from",
	    .type = &value_list,
	    .element = &value_word,
	    .words = tiers,
	    .offset = offsetof(struct recipient_settings, tiers),
	    .second = offsetof(struct recipient_settings, n_tiers),
	    .max = 3,
	    .flags = ROW_IN_PLACE,
	    .fallback = "[envelope, received, headers]",
	    .help = "Where a message's recipients are looked for. The first "
		    "that names anybody decides. envelope: the field in which "
		    "the provider recorded the recipient. received: the for "
		    "<...> of the Received field that the provider wrote. "
		    "headers: To, Cc and Bcc, which is a guess: vacation "
		    "notices do not answer it (see LOOPS AND AUTOMATIC MAIL in "
		    "mailhaul-fetcher(8)). With [] all mail goes to the "
		    "fallback." },
	{ .name = "envelope_headers",
	    .type = &value_list,
	    .element = &value_field_name,
	    .offset = offsetof(struct recipient_settings, envelope_headers),
	    .min = 1,
	    .max = 64,
	    .derived = "the fields that known providers write",
	    .flags = ROW_ENVELOPE_FIELD,
	    .example = "[X-Envelope-To]",
	    .help = "Fields in which this provider records the recipient; not "
		    "To or Cc, which the sender writes." },
	{ .name = "occurrence",
	    .type = &value_occurrence,
	    .words = occurrences,
	    .offset = offsetof(struct recipient_settings, occurrence),
	    .fallback = "1",
	    .min = 1,
	    .max = 100,
	    .help = "Which of several such fields counts: 1 is the topmost, 2 "
		    "skips one, or last, or all." },
	{ .name = "position",
	    .type = &value_switch,
	    .words = positions,
	    .offset = offsetof(struct recipient_settings, position_bottom),
	    .fallback = "top",
	    .help = "Where the provider writes the field: at the top of the "
		    "header, or at the bottom as IONOS does." },
	{ .name = "strip_prefix",
	    .type = &value_text,
	    .offset = offsetof(struct recipient_settings, strip_prefix),
	    .fallback = "\"\"",
	    .max = 100,
	    .flags = ROW_MAY_EMPTY,
	    .help = "What the provider puts before the address, such as "
		    "mbox-userstr- with qmail." },
	{ .name = "strip_suffix",
	    .type = &value_text,
	    .offset = offsetof(struct recipient_settings, strip_suffix),
	    .fallback = "\"\"",
	    .max = 100,
	    .flags = ROW_MAY_EMPTY,
	    .help = "What it puts behind the local part, before the @." },
	{ .name = "trusted_hosts",
	    .type = &value_list,
	    .element = &value_domain_pattern,
	    .offset = offsetof(struct recipient_settings, trusted_hosts),
	    .max = 64,
	    .fallback = "[]",
	    .example = "[.kundenserver.de]",
	    .help = "The provider's own servers, as they call themselves "
		    "after \"by\" in Received fields. What stands below "
		    "theirs may be forged and is not believed. When empty, "
		    "only the topmost Received field is believed." },
	{ .name = "headers",
	    .type = &value_list,
	    .element = &value_field_name,
	    .offset = offsetof(struct recipient_settings, headers),
	    .min = 1,
	    .max = 16,
	    .fallback = "[To, Cc, Bcc]",
	    .help = "The fields that \"headers\" in from: means. Of Subject, "
		    "only addresses in parentheses are taken. Where somebody "
		    "resent the message, the newest Resent-To, Resent-Cc and "
		    "Resent-Bcc decide instead." },
	{ .name = NULL },
};
const struct schema_table schema_recipients = { .rows = recipients_rows };

static const struct schema_word on_off[] = {
	{ .word = "off", .value = 0 },
	{ .word = "on", .value = 1 },
	{ .word = NULL },
};
static const struct schema_row dedupe_rows[] = {
	{ .name = "mode",
	    .type = &value_switch,
	    .words = on_off,
	    .offset = offsetof(struct dedupe_settings, on),
	    .fallback = "on",
	    .help = "off: every copy is delivered, unless it is the very same "
		    "message, byte by byte, as one that was there before (see "
		    "WHICH MESSAGES ARE NEW in mailhaul-fetcher(8))." },
	{ .name = "group",
	    .type = &value_name,
	    .offset = offsetof(struct dedupe_settings, group),
	    .max = 100,
	    .derived = "each account is a group of its own",
	    .example = "staff",
	    .help = "Accounts that name the same group share what was "
		    "delivered: for mailboxes that get copies of the same "
		    "mail. They should have the same fallback." },
	{ .name = "window",
	    .type = &value_duration,
	    .offset = offsetof(struct dedupe_settings, window_ms),
	    .fallback = "14d",
	    .min = 1 * SECONDS,
	    .max = 365 * DAYS,
	    .help = "A copy that comes later than so long after the first is "
		    "delivered, with the same exception." },
	{ .name = NULL },
};
const struct schema_table schema_dedupe = {
	.rows = dedupe_rows,
	.bare = "mode",
};
