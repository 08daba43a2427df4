/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of main.cf that decide what becomes of collected mail.
 */
#include "admin/live.h"

#include "postfix/words.h"

#include <string.h>

/* Each makes a stranger's part of an address: Mailhaul refuses such addresses,
 * and this is the second lock. */
static void
check_routing_tricks(struct live *live)
{
	static const struct {
		const char *name, *example;
	} tricks[] = {
		{ "allow_percent_hack", "eve%outside.example@example.org" },
		{ "swap_bangpath", "outside.example!eve" },
		{ "resolve_dequoted_address",
		    "\"eve@outside.example\"@example.org" },
	};

	for (size_t i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++) {
		const char *name = tricks[i].name;

		if (strcmp(live_postfix(live, name), "no") == 0)
			live_say(live, LIVE_OK, name, "no");
		else
			live_say(live, LIVE_WARNING, name,
			    "Postfix would send mail for %s to the outside; "
			    "Mailhaul refuses such addresses, be safe twice: "
			    "postconf -e %s=no",
			    tricks[i].example, name);
	}
}

static void
check_classes(struct live *live)
{
	struct slice list = slice_of(live_postfix(live, "notify_classes"));

	if (words_have(list, SLICE("bounce")) &&
	    words_have(list, SLICE("2bounce")))
		live_say(
		    live, LIVE_OK, "notify_classes", "%.*s", SLICE_ARG(list));
	else
		live_say(live, LIVE_ERROR, "notify_classes",
		    "has not both bounce and 2bounce: nobody would hear of "
		    "collected mail that cannot be delivered; run: mailhaul "
		    "setup postfix");
}

/* A server behind Postfix that does not offer SMTPUTF8 would get nothing with
 * an 8-bit header. */
static void
check_utf8(struct live *live)
{
	struct slice list =
	    slice_of(live_postfix(live, "smtputf8_autodetect_classes"));

	if (strcmp(live_postfix(live, "smtputf8_enable"), "no") != 0 &&
	    (words_have(list, SLICE("sendmail")) ||
		words_have(list, SLICE("all"))))
		live_say(live, LIVE_WARNING, "smtputf8_autodetect_classes",
		    "Postfix wants SMTPUTF8 for mail with 8-bit headers, and "
		    "bounces it at servers without; run: mailhaul setup "
		    "postfix");
	else
		live_say(live, LIVE_OK, "smtputf8_autodetect_classes", "%.*s",
		    SLICE_ARG(list));
}

static uint64_t
number(const struct live *live, const char *name)
{
	struct slice text = slice_of(live_postfix(live, name));
	uint64_t value = 0;

	slice_cut_number(&text, INT64_MAX, &value);
	return value;
}

static void
check_sizes(struct live *live)
{
	static const char *const names[] = { "mailbox_size_limit",
		"virtual_mailbox_limit" };
	unsigned long long message = number(live, "message_size_limit");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned long long box = number(live, names[i]);

		if (box != 0 && (message == 0 || message > box))
			live_say(live, LIVE_WARNING, names[i],
			    "%llu is less than message_size_limit (%llu): "
			    "mail that Postfix takes would not fit into a "
			    "mailbox that it delivers to itself",
			    box, message);
	}
	if (message == 0)
		live_say(live, LIVE_OK, "message_size_limit", "none");
	else
		live_say(live, LIVE_OK, "message_size_limit",
		    "%llu; larger mail stays at the provider", message);
}

static void
check_hops(struct live *live)
{
	enum { HOPS_MIN = 25, HOPS_LEFT = 5 };
	unsigned long long hops = number(live, "hopcount_limit");

	if (hops < HOPS_MIN)
		live_say(live, LIVE_WARNING, "hopcount_limit",
		    "%llu: mail that passed %llu servers is taken for a loop "
		    "and parked; 50 is usual",
		    hops, hops < HOPS_LEFT ? 0 : hops - HOPS_LEFT);
	else
		live_say(live, LIVE_OK, "hopcount_limit", "%llu", hops);
}

static void
check_archive(struct live *live)
{
	int64_t lifetime_ms;
	struct slice text =
	    slice_of(live_postfix(live, "maximal_queue_lifetime"));

	if (live->config->archive.keep_ms == 0 ||
	    !words_time_ms(text, 24 * 3600, &lifetime_ms))
		return; /* no archive: told with the configuration */
	if (live->config->archive.keep_ms > lifetime_ms)
		live_say(live, LIVE_OK, "archive",
		    "kept for longer than Postfix tries (%.*s)",
		    SLICE_ARG(text));
	else
		live_say(live, LIVE_WARNING, "archive",
		    "archive.keep is not longer than maximal_queue_lifetime "
		    "(%.*s): when Postfix gives up, the copy is gone; make it "
		    "longer",
		    SLICE_ARG(text));
}

void
live_check_main_cf(struct live *live)
{
	if (!live->has_postfix)
		return;
	check_routing_tricks(live);
	check_classes(live);
	check_utf8(live);
	check_sizes(live);
	check_hops(live);
	check_archive(live);
}
