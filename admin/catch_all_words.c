/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What both ways to print a catch-all test say alike; see catch_all.h.
 */
#include "admin/catch_all.h"

#include "base/log.h"
#include "config/recipients_yaml.h"
#include "mail/header.h"
#include "recipients/zone.h"

enum { VALUE_SIZE = 256 };

static const struct {
	const char *name, *text;
} copies[] = {
	[COPIES_UNSEEN] = { "unseen",
	    "not seen: no message for several people is among these. Send one "
	    "to two addresses, with a third one in Bcc, and look again." },
	[COPIES_EACH] = { "each",
	    "one for each recipient, who is recorded in it: everybody gets "
	    "one." },
	[COPIES_TOGETHER] = { "together",
	    "one for the mailbox, with all recipients recorded in it: "
	    "everybody gets one." },
	[COPIES_ALIKE] = { "alike",
	    "several of one message, and nothing tells whom each is for: all "
	    "of them name the same people. Ask the provider to store one copy "
	    "only, or to record the recipient." },
	[COPIES_LACKING] = { "lacking",
	    "one for several people, with only one of them recorded. The "
	    "others may have mailboxes of their own; if they have not, the "
	    "provider stores one copy and records the first, and they get "
	    "nothing: send one message to two addresses, with a third one in "
	    "Bcc, and look again." },
};
static const struct {
	const char *name, *text;
} bcc[] = {
	[BCC_UNSEEN] = { "unseen", "not seen: there is no message." },
	[BCC_WORKS] = { "works",
	    "works: the provider records whom each message is for, whatever "
	    "To and Cc say." },
	[BCC_PARTLY] = { "partly",
	    "works only where the provider records the recipient; of other "
	    "messages To and Cc decide, and by Bcc they go to the fallback." },
	[BCC_LOST] = { "lost",
	    "is lost: To and Cc are all there is, so mail by Bcc and from "
	    "lists goes to the fallback." },
};

const char *
catch_all_copies_name(enum catch_all_copies which)
{
	return copies[which].name;
}

const char *
catch_all_copies_text(enum catch_all_copies which)
{
	return copies[which].text;
}

const char *
catch_all_bcc_name(enum catch_all_bcc which)
{
	return bcc[which].name;
}

const char *
catch_all_bcc_text(enum catch_all_bcc which)
{
	return bcc[which].text;
}

void
catch_all_write(const struct catch_all *t, int indent, struct buf *out)
{
	buf_printf(out, "%*smailbox: catch_all\n", indent, "");
	if (t->has_own)
		addresses_write_yaml(&t->own, 1, indent, out);
	if (t->provider != NULL && t->suggested.recipients.envelope_headers ==
				       t->provider->recipients.envelope_headers)
		buf_printf(out, "%*sprovider: %s\n", indent, "",
		    provider_name(t->provider));
	else
		recipients_write_yaml(&t->suggested.recipients, indent, out);
}

static void
add_field(
    struct slice name, const char *where, struct slice value, struct buf *out)
{
	char safe[VALUE_SIZE], safe_name[VALUE_SIZE];

	buf_printf(out, "%s%s: %s\n", log_safe(safe_name, VALUE_SIZE, name),
	    where, log_safe(safe, VALUE_SIZE, value));
}

static bool
is_one_of(const struct header_field *f, const char *const *names)
{
	for (; names != NULL && *names != NULL; names++)
		if (header_is(f, *names))
			return true;
	return false;
}

void
catch_all_list_fields(const struct catch_all *t,
    const struct catch_all_message *m, struct buf *out)
{
	const struct recipient_settings *settings = &t->suggested.recipients;
	struct header_field f;
	struct header h;
	struct zone zone;

	zone_find(settings, m->header, &zone);
	header_init(&h, m->header);
	while (header_next(&h, &f))
		if (is_one_of(&f, providers_envelope_headers()) ||
		    is_one_of(&f, settings->envelope_headers))
			add_field(f.name,
			    f.whole.data < zone.trusted.data + zone.trusted.len
				? ""
				: " (below the boundary)",
			    slice_trim(f.body), out);
	if (zone.boundary.recipient.len > 0)
		add_field(
		    SLICE("Received"), " for", zone.boundary.recipient, out);
}
