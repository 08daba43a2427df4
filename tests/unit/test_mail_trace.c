/* SPDX-License-Identifier: Apache-2.0 */
/* What the fetcher wrote on top of a message, taken off again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "admin/mail_trace.h"
#include "fetcher/message.h"

#include <string.h>

#define TICKET "X-Mailhaul-Ticket: v=1;\n\tk=1\n"
#define TRACE(source) "X-Mailhaul: account=office; id=1a; source=" source "\n"
#define ORIGIN "X-Mailhaul-Origin: ip=192.0.2.7;\n\tname=a.example\n"
#define SUPPRESS "X-Auto-Response-Suppress: All\n"

static void
restores(const char *prefix, const char *message)
{
	struct message_filter filter;
	struct mail_trace trace;
	struct buf spooled, restored;

	buf_init(&spooled, 10000);
	buf_init(&restored, 10000);
	buf_add_string(&spooled, prefix);
	message_filter_init(&filter);
	message_filter_feed(&filter, slice_of(message), &spooled);
	message_filter_end(&filter, &spooled);
	mail_trace_find(buf_slice(&spooled), &trace);
	assert_int_equal(trace.begin, 0);
	assert_int_equal(trace.end, strlen(prefix));
	assert_true(slice_equal(trace.id, SLICE("1a")));
	assert_true(slice_equal(trace.account, SLICE("office")));
	mail_trace_restore(buf_slice(&spooled), &trace, &restored);
	assert_string_equal(buf_string(&restored), message);
	buf_clear(&spooled);
	buf_clear(&restored);
}

/* What fetcher/message does to it and fetcher/incoming puts on top. */
static void
the_message_is_as_the_provider_sent_it(void **state)
{
	static const char *const prefixes[] = {
		TICKET TRACE("envelope"),
		TICKET TRACE("envelope") ORIGIN,
		TICKET TRACE("headers") SUPPRESS,
		TICKET TRACE("fallback") ORIGIN SUPPRESS,
		TICKET TRACE("fallback") SUPPRESS ORIGIN,
	};
	static const char *const messages[] = {
		"Delivered-To: a@b\nSubject: x\n\nDelivered-To: body\n",
		"Subject: x\n\tDelivered-To: folded\ndelivered-to: a\n\nx\n",
		"Subject: x\n\nX-Mailhaul-Delivered-To: body\n",
		"Subject: no body\n",
		"Delivered-To: no line end",
		"junk\nSubject: x\n\n",
		"\nno header\n",
		"",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		for (size_t j = 0; j < sizeof(messages) / sizeof(messages[0]);
		     j++)
			restores(prefixes[i], messages[j]);
}

static void
a_providers_own_field_stays(void **state)
{
	(void)state;
	restores(TICKET TRACE("envelope"), SUPPRESS "Subject: x\n\n");
	restores(TICKET TRACE("headers"),
	    "X-Auto-Response-Suppress: OOF\nSubject: x\n\n");
}

static void
a_delivered_copy_is_cut_above_too(void **state)
{
	static const char text[] =
	    "Return-Path: <x@y>\nReceived: by mx\n" TRACE("envelope") ORIGIN
	    "X-Mailhaul-Delivered-To: a@b\n" TRACE("forged") "\nbody\n";
	struct mail_trace trace;
	struct buf restored;
	(void)state;

	mail_trace_find(slice_of(text), &trace);
	assert_true(trace.begin > 0);
	assert_int_equal(trace.ticket_end, 0);
	assert_true(slice_equal(trace.source, SLICE("envelope")));
	buf_init(&restored, 10000);
	mail_trace_restore(slice_of(text), &trace, &restored);
	assert_true(slice_starts(
	    buf_slice(&restored), SLICE("Delivered-To: a@b\nX-Mailhaul: ")));
	buf_clear(&restored);
	mail_trace_find(SLICE("Subject: x\n\n" TRACE("body")), &trace);
	assert_int_equal(trace.end, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_message_is_as_the_provider_sent_it),
		cmocka_unit_test(a_providers_own_field_stays),
		cmocka_unit_test(a_delivered_copy_is_cut_above_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
