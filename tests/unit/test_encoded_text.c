/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "mail/encoded_text.h"

static void
reads(void **state)
{
	static const struct {
		const char *body, *text;
	} cases[] = {
		{ "", "" },
		{ "  Hello,\r\n\tworld  ", "Hello, world" },
		{ "=?utf-8?Q?Gr=C3=BC=C3=9Fe_an_alle?=", "Gr\xc3\xbc\xc3\x9f"
							 "e an alle" },
		{ "=?UTF-8?B?R3LDvMOfZQ==?= x", "Gr\xc3\xbc\xc3\x9f"
						"e x" },
		{ "=?iso-8859-1?q?Gr=FC=DFe?= <a@b>", "Gr\xc3\xbc\xc3\x9f"
						      "e <a@b>" },
		{ "=?iso-8859-1*de?q?=FC?=", "\xc3\xbc" },
		{ "=?koi8-r?B?8NLJ18XU?=",
		    "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82" },
		/* blanks between two words do not count (RFC 2047 6.2) */
		{ "a =?utf-8?q?b?=\r\n =?utf-8?q?c?= d", "a bc d" },
		/* a character that is cut between two words */
		{ "=?utf-8?B?w7w=?= =?utf-8?B?ww==?= =?utf-8?B?vA==?=",
		    "\xc3\xbc\xc3\xbc" },
		{ "=?no-such-charset?q?a?=", "=?no-such-charset?q?a?=" },
		{ "=?utf-8//TRANSLIT?q?a?=", "=?utf-8//TRANSLIT?q?a?=" },
		{ "=?utf-8?x?a?= =?utf-8?q?a", "=?utf-8?x?a?= =?utf-8?q?a" },
		{ "=?utf-8?q?a b?=", "=?utf-8?q?a b?=" },
		{ "=?utf-8?q?=1B[31m=07=C2=9B?=", "?[31m??" },
		{ "\xff raw \xc3\xbc", "? raw \xc3\xbc" },
		{ "\xc0\xaf \xed\xa0\x80", "?? ???" },
		{ "=?utf-8?q?=E2=80=AEgnp.exe?=", "?gnp.exe" },
		{ "=?utf-16be?B?2AA=?=", "?" },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf out;

		buf_init(&out, 1000);
		encoded_text_read(slice_of(cases[i].body), &out);
		assert_string_equal(buf_string(&out), cases[i].text);
		buf_clear(&out);
	}
}

static void
keeps_whole_characters_when_there_is_no_room(void **state)
{
	struct buf out;
	(void)state;

	buf_init(&out, 4);
	encoded_text_read(slice_of("abc\xc3\xbc"), &out);
	assert_string_equal(buf_string(&out), "abc");
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(keeps_whole_characters_when_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
