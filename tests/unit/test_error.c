/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include "base/slice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
fill(char *text, size_t len)
{
	memset(text, 'x', len);
	text[len] = '\0';
}

static void
setting_returns_false_with_kind_and_text(void **state)
{
	struct error err;

	(void)state;
	assert_false(error_set(&err, ERROR_LOGIN, "login %s", "refused"));
	assert_int_equal(err.kind, ERROR_LOGIN);
	assert_string_equal(err.text, "login refused");
}

static void
foreign_bytes_are_made_printable(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_PROTOCOL, "said: %s", "a\r\n\x1b[2J\x80z");
	assert_string_equal(err.text, "said: a\\x0d\\x0a\\x1b[2J\\x80z");
	assert_true(slice_all(slice_of("said:"), byte_is_graphic));
}

static void
the_words_for_errno_are_appended(void **state)
{
	struct error err;

	(void)state;
	assert_false(error_errno(&err, ERROR_LOCAL, ENOENT, "/x\n"));
	assert_int_equal(err.kind, ERROR_LOCAL);
	assert_string_equal(err.text, "/x\\x0a: No such file or directory");
	assert_false(error_errno(&err, ERROR_LOCAL, 987654, "x"));
	assert_string_equal(err.text, "x: Unknown error 987654");
}

static void
a_prefix_keeps_kind_and_old_text(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_TLS, "no certificate");
	assert_false(error_prefix(&err, "pop.isp.example:%d", 995));
	assert_int_equal(err.kind, ERROR_TLS);
	assert_string_equal(err.text, "pop.isp.example:995: no certificate");
	error_prefix(&err, "%s", err.text);
	assert_string_equal(err.text, "pop.isp.example:995: no certificate: "
				      "pop.isp.example:995: no certificate");
}

static void
long_texts_are_cut_within_the_room(void **state)
{
	char longer[2 * ERROR_TEXT_MAX], exact[ERROR_TEXT_MAX];
	struct error err;

	(void)state;
	fill(longer, sizeof(longer) - 1);
	error_set(&err, ERROR_RETRY, "%s", longer);
	assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
	assert_string_equal(err.text + ERROR_TEXT_MAX - 4, "...");
	error_prefix(&err, "%s", longer);
	assert_true(strlen(err.text) < ERROR_TEXT_MAX);
	error_errno(&err, ERROR_RETRY, EIO, "%s", longer);
	assert_true(strlen(err.text) < ERROR_TEXT_MAX);
	memset(longer, 0x80, sizeof(longer) - 1);
	error_set(&err, ERROR_RETRY, "%s", longer);
	assert_true(strlen(err.text) < ERROR_TEXT_MAX);
	fill(exact, sizeof(exact) - 1);
	error_set(&err, ERROR_RETRY, "%s", exact);
	assert_string_equal(err.text, exact);
}

static void
its_own_text_may_be_an_argument(void **state)
{
	struct error err;

	(void)state;
	error_set(&err, ERROR_REFUSED, "quota");
	error_set(&err, ERROR_RETRY, "account x: %s", err.text);
	assert_int_equal(err.kind, ERROR_RETRY);
	assert_string_equal(err.text, "account x: quota");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(setting_returns_false_with_kind_and_text),
		cmocka_unit_test(foreign_bytes_are_made_printable),
		cmocka_unit_test(the_words_for_errno_are_appended),
		cmocka_unit_test(a_prefix_keeps_kind_and_old_text),
		cmocka_unit_test(long_texts_are_cut_within_the_room),
		cmocka_unit_test(its_own_text_may_be_an_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
