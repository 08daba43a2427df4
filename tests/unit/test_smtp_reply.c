/* SPDX-License-Identifier: Apache-2.0 */
/* When a reply is whole, and what it says of a recipient. */
#include "directory/smtp_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static enum smtp_more
feed(struct smtp_reply *reply, const char *text)
{
	struct slice rest = slice_of(text), line;
	enum smtp_more more = SMTP_REPLY_MORE;

	*reply = (struct smtp_reply){ 0 };
	while (more == SMTP_REPLY_MORE && slice_cut_line(&rest, &line))
		more = smtp_reply_line(reply, line);
	return more;
}

static void
test_recipients(void **state)
{
	static const struct {
		const char *reply;
		enum existence existence;
	} rows[] = {
		{ "250 2.1.5 Ok", EXISTS },
		{ "250", EXISTS },
		{ "251 2.1.5 will forward", EXISTS },
		{ "252 2.1.5 cannot verify", UNKNOWN },
		{ "550 5.1.1 <x@example.org>: User unknown", ABSENT },
		{ "550 5.1.1", ABSENT },
		{ "550 5.1.10 RESOLVER.ADR.RecipientNotFound", ABSENT },
		{ "551 5.1.6 moved", ABSENT },
		{ "553 5.1.3 bad address", ABSENT },
		{ "550-5.1.1 unknown\n550 5.1.1 really", ABSENT },
		{ "550 5.1.7 bad sender", UNKNOWN },
		{ "550 5.1.8 bad sender", UNKNOWN },
		{ "550 5.1.", UNKNOWN },
		{ "550 5.1.x", UNKNOWN },
		{ "550 5.1.1x", UNKNOWN },
		{ "550 5.11.1 x", UNKNOWN },
		{ "550 5.2.1 disabled", UNKNOWN },
		{ "550 5.7.1 policy", UNKNOWN },
		{ "550 User unknown", UNKNOWN },
		{ "550", UNKNOWN },
		{ "552 5.1.1 x", UNKNOWN },
		{ "554 5.1.1 x", UNKNOWN },
		{ "450 4.1.1 x", UNKNOWN },
		{ "450 5.1.1 x", UNKNOWN },
		{ "530 5.7.0 x", UNKNOWN },
		{ "354 go on", UNKNOWN },
	};
	struct smtp_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(feed(&reply, rows[i].reply), SMTP_REPLY_WHOLE);
		if (smtp_reply_judge(&reply) != rows[i].existence)
			fail_msg("%s", rows[i].reply);
	}
}

static void
test_lines(void **state)
{
	static const struct {
		const char *reply;
		enum smtp_more more;
	} rows[] = {
		{ "250-a\n250-b\n250 c", SMTP_REPLY_WHOLE },
		{ "250-a\n250-b", SMTP_REPLY_MORE },
		{ "250-a\n550 b", SMTP_REPLY_BROKEN },
		{ "", SMTP_REPLY_MORE },
		{ "\n", SMTP_REPLY_BROKEN },
		{ "25", SMTP_REPLY_BROKEN },
		{ "2500 x", SMTP_REPLY_BROKEN },
		{ "199 x", SMTP_REPLY_BROKEN },
		{ "600 x", SMTP_REPLY_BROKEN },
		{ "+OK", SMTP_REPLY_BROKEN },
		{ "250+x", SMTP_REPLY_BROKEN },
	};
	struct smtp_reply reply;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (feed(&reply, rows[i].reply) != rows[i].more)
			fail_msg("%s", rows[i].reply);
}

static void
test_endless_reply(void **state)
{
	struct smtp_reply reply = { 0 };
	int lines = 1;

	(void)state;
	while (smtp_reply_line(&reply, SLICE("250-x")) == SMTP_REPLY_MORE)
		lines++;
	assert_int_equal(lines, SMTP_REPLY_LINES_MAX);
}

static void
test_text_is_printable(void **state)
{
	struct smtp_reply reply;

	(void)state;
	feed(&reply, "550 5.1.1 \033[2J");
	assert_string_equal(reply.text, "550 5.1.1 \\x1b[2J");
}

static void
test_offer(void **state)
{
	struct smtp_reply reply;

	(void)state;
	feed(&reply, "250-mx\n250-smtputf8\n250 DSN");
	assert_true(reply.utf8);
	feed(&reply, "250-mx\n250 SMTPUTF8X");
	assert_false(reply.utf8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_endless_reply),
		cmocka_unit_test(test_text_is_printable),
		cmocka_unit_test(test_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
