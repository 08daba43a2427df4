/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fetcher/imap_name.h"

static const struct {
	const char *utf8, *wire;
} pairs[] = {
	{ "INBOX", "INBOX" },
	{ "", "" },
	{ "a&b", "a&-b" },
	{ "&", "&-" },
	{ "Entw\xc3\xbcrfe", "Entw&APw-rfe" },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc", "&AOQA9gD8-" },
	{ "\xc3\xa4-", "&AOQ--" },
	/* RFC 3501 5.1.3 */
	{ "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8"
	  "\xaa\x9e",
	    "~peter/mail/&U,BTFw-/&ZeVnLIqe-" },
	{ "\xf0\x9f\x93\xa5", "&2D3c5Q-" },
	{ "\xe2\x98\xba!", "&Jjo-!" },
	{ "a\tb", "a&AAk-b" },
	{ "\x7f", "&AH8-" },
};

static void
both_ways(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		buf_reset(&out);
		assert_true(imap_name_encode(slice_of(pairs[i].utf8), &out));
		assert_string_equal(buf_string(&out), pairs[i].wire);
		buf_reset(&out);
		assert_true(imap_name_decode(slice_of(pairs[i].wire), &out));
		assert_string_equal(buf_string(&out), pairs[i].utf8);
	}
	buf_clear(&out);
}

static void
what_is_not_utf8(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"a\xc3",
		"\xc3(",
		"\xe2\x98",
		"\xc0\x80",         /* NUL, too long */
		"\xc1\xbf",         /* too long */
		"\xe0\x9f\xbf",     /* too long */
		"\xf0\x8f\xbf\xbf", /* too long */
		"\xed\xa0\x80",     /* half of a pair */
		"\xf4\x90\x80\x80", /* above U+10FFFF */
		"\xf8\x88\x80\x80\x80",
		"\xff",
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(imap_name_encode(slice_of(bad[i]), &out));
	buf_clear(&out);
}

static void
what_nobody_should_have_sent(void **state)
{
	static const char *const bad[] = {
		"a&b",        /* no end */
		"&AAA-",      /* NUL */
		"&AA-",       /* half a character */
		"&APw",       /* no end */
		"&APw=-",     /* padding */
		"&AGE-",      /* "a" needs none */
		"&APw-&APw-", /* two for one */
		"&2D0-",      /* half of a pair */
		"&3OXYPQ-",   /* a pair in the wrong order */
		"&2D3YPQ-",   /* two first halves */
		"&U/BTFw-",   /* "/" for "," */
		"Entw\xc3\xbcrfe",
		"a\tb",
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (imap_name_decode(slice_of(bad[i]), &out))
			fail_msg("%s", bad[i]);
		assert_int_equal(out.len, 0);
	}
	buf_clear(&out);
}

static void
the_longest(void **state)
{
	uint8_t bytes[IMAP_NAME_MAX + 1];
	struct buf out;

	(void)state;
	memset(bytes, '\t', sizeof(bytes));
	buf_init(&out, 8 * IMAP_NAME_MAX);
	assert_true(
	    imap_name_encode((struct slice){ bytes, IMAP_NAME_MAX }, &out));
	assert_false(
	    imap_name_encode((struct slice){ bytes, IMAP_NAME_MAX + 1 }, &out));
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(what_is_not_utf8),
		cmocka_unit_test(what_nobody_should_have_sent),
		cmocka_unit_test(the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
