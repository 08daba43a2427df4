/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct slice NOTHING = { NULL, 0 };

#define assert_slice(s, literal) assert_true(slice_equal((s), SLICE(literal)))

static void
the_empty_slice_is_welcome_everywhere(void **state)
{
	struct slice s = NOTHING, out;

	(void)state;
	assert_int_equal(slice_of(NULL).len, 0);
	assert_int_equal(slice_of("").len, 0);
	assert_true(slice_equal(NOTHING, SLICE("")));
	assert_true(slice_equal_nocase(NOTHING, SLICE("")));
	assert_int_equal(slice_compare(NOTHING, NOTHING), 0);
	assert_true(slice_starts(NOTHING, NOTHING));
	assert_true(slice_starts_nocase(NOTHING, NOTHING));
	assert_true(slice_ends_nocase(NOTHING, NOTHING));
	assert_false(slice_starts(NOTHING, SLICE("a")));
	assert_false(slice_ends_nocase(NOTHING, SLICE("a")));
	assert_true(slice_all(NOTHING, byte_is_digit));
	assert_int_equal(slice_find(NOTHING, 0), 0);
	assert_int_equal(slice_find_last(NOTHING, 0), 0);
	assert_int_equal(slice_search_nocase(NOTHING, NOTHING), 0);
	assert_int_equal(slice_search_nocase(NOTHING, SLICE("a")), 0);
	assert_int_equal(slice_trim(NOTHING).len, 0);
	assert_int_equal(slice_from(NOTHING, 0).len, 0);
	assert_int_equal(slice_from(NOTHING, 5).len, 0);
	assert_int_equal(slice_first(NOTHING, 5).len, 0);
	assert_true(slice_cut_prefix(&s, NOTHING));
	assert_true(slice_cut_prefix_nocase(&s, NOTHING));
	assert_false(slice_cut_until(&s, 'a', &out));
	assert_false(slice_cut_word(&s, &out));
	assert_false(slice_cut_line(&s, &out));
}

static void
a_part_never_leaves_the_slice(void **state)
{
	struct slice s = SLICE("abc");

	(void)state;
	assert_slice(slice_from(s, 0), "abc");
	assert_slice(slice_from(s, 2), "c");
	assert_slice(slice_from(s, 3), "");
	assert_slice(slice_from(s, 4), "");
	assert_slice(slice_from(s, SIZE_MAX), "");
	assert_slice(slice_first(s, 0), "");
	assert_slice(slice_first(s, 2), "ab");
	assert_slice(slice_first(s, 3), "abc");
	assert_slice(slice_first(s, SIZE_MAX), "abc");
}

static void
nul_is_a_byte_like_others(void **state)
{
	(void)state;
	assert_false(slice_equal(SLICE("a\0b"), SLICE("a\0c")));
	assert_false(slice_equal(SLICE("a"), SLICE("a\0")));
	assert_false(slice_equal_nocase(SLICE("a\0b"), SLICE("a\0c")));
	assert_int_equal(slice_find(SLICE("ab\0c"), 0), 2);
	assert_int_equal(slice_find(SLICE("a\0b"), 'b'), 2);
	assert_int_equal(slice_search_nocase(SLICE("x\0AB"), SLICE("ab")), 2);
}

static void
order_is_that_of_unsigned_bytes(void **state)
{
	(void)state;
	assert_true(slice_compare(SLICE("a"), SLICE("b")) < 0);
	assert_true(slice_compare(SLICE("b"), SLICE("a")) > 0);
	assert_true(slice_compare(SLICE("\x7f"), SLICE("\x80")) < 0);
	assert_true(slice_compare(SLICE("ab"), SLICE("abc")) < 0);
	assert_true(slice_compare(SLICE("abc"), SLICE("ab")) > 0);
	assert_true(slice_compare(NOTHING, SLICE("a")) < 0);
	assert_int_equal(slice_compare(SLICE("ab"), SLICE("ab")), 0);
}

static void
case_is_that_of_ascii(void **state)
{
	(void)state;
	assert_true(slice_equal_nocase(SLICE("AZaz"), SLICE("azAZ")));
	/* '@' and '`', '[' and '{' differ by the same bit as letters do. */
	assert_false(slice_equal_nocase(SLICE("@["), SLICE("`{")));
	assert_false(slice_equal_nocase(SLICE("\xc4"), SLICE("\xe4")));
	assert_true(slice_starts_nocase(SLICE("RECEIVED:"), SLICE("received")));
	assert_false(slice_starts(SLICE("RECEIVED:"), SLICE("received")));
	assert_true(slice_ends_nocase(SLICE("x.COM"), SLICE(".com")));
	assert_false(slice_ends_nocase(SLICE("com"), SLICE(".com")));
	for (int c = 0; c < 256; c++) {
		bool capital = c >= 'A' && c <= 'Z';

		assert_int_equal(
		    byte_lower((uint8_t)c), capital ? c + 'a' - 'A' : c);
	}
}

static void
byte_classes_end_where_they_should(void **state)
{
	int digits = 0, letters = 0, spaces = 0, graphic = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		uint8_t byte = (uint8_t)c;

		digits += byte_is_digit(byte);
		letters += byte_is_alpha(byte);
		spaces += byte_is_space(byte);
		graphic += byte_is_graphic(byte);
		assert_int_equal(byte_is_alnum(byte),
		    byte_is_digit(byte) || byte_is_alpha(byte));
	}
	assert_int_equal(digits, 10);
	assert_int_equal(letters, 52);
	assert_int_equal(spaces, 4);
	assert_int_equal(graphic, 94);
	assert_true(byte_is_digit('0') && byte_is_digit('9'));
	assert_true(byte_is_graphic('!') && byte_is_graphic('~'));
	assert_false(byte_is_graphic(' ') || byte_is_graphic(0x7f));
	assert_false(byte_is_space('\v') || byte_is_space('\f'));
	assert_true(slice_all(SLICE("0123456789"), byte_is_digit));
	assert_false(slice_all(SLICE("12a"), byte_is_digit));
}

static void
finding_reports_the_length_when_there_is_none(void **state)
{
	struct slice s = SLICE("a.b.c");

	(void)state;
	assert_int_equal(slice_find(s, '.'), 1);
	assert_int_equal(slice_find_last(s, '.'), 3);
	assert_int_equal(slice_find(s, 'a'), 0);
	assert_int_equal(slice_find_last(s, 'a'), 0);
	assert_int_equal(slice_find(s, 'x'), 5);
	assert_int_equal(slice_find_last(s, 'x'), 5);
	assert_int_equal(slice_search_nocase(s, SLICE("B.C")), 2);
	assert_int_equal(slice_search_nocase(s, SLICE("c.")), 5);
	assert_int_equal(slice_search_nocase(s, SLICE("a.b.c.d")), 5);
	assert_int_equal(slice_search_nocase(s, NOTHING), 0);
}

static void
a_prefix_is_cut_or_nothing_is(void **state)
{
	struct slice s = SLICE("+OK ready");

	(void)state;
	assert_false(slice_cut_prefix(&s, SLICE("+ok")));
	assert_slice(s, "+OK ready");
	assert_true(slice_cut_prefix_nocase(&s, SLICE("+ok")));
	assert_slice(s, " ready");
	assert_false(slice_cut_prefix(&s, SLICE(" ready!")));
	assert_true(slice_cut_prefix(&s, SLICE(" ready")));
	assert_int_equal(s.len, 0);
}

static bool
number(const char *text, uint64_t max, uint64_t expected, size_t left)
{
	struct slice s = slice_of(text);
	uint64_t value = 0;

	return slice_cut_number(&s, max, &value) && value == expected &&
	       s.len == left;
}

static bool
no_number(const char *text, uint64_t max)
{
	struct slice s = slice_of(text);
	uint64_t value = 4711;

	return !slice_cut_number(&s, max, &value) && value == 4711 &&
	       slice_equal(s, slice_of(text));
}

static void
numbers_are_digits_within_the_limit(void **state)
{
	(void)state;
	assert_true(number("0", 0, 0, 0));
	assert_true(number("17 rest", 100, 17, 5));
	assert_true(number("100", 100, 100, 0));
	assert_true(no_number("101", 100));
	assert_true(no_number("", 100));
	assert_true(no_number("-1", 100));
	assert_true(no_number("+1", 100));
	assert_true(no_number(" 1", 100));
	assert_true(no_number("x", 100));
	assert_true(number("18446744073709551615", UINT64_MAX, UINT64_MAX, 0));
	assert_true(no_number("18446744073709551616", UINT64_MAX));
	assert_true(no_number("18446744073709551620", UINT64_MAX));
	assert_true(no_number("99999999999999999999", UINT64_MAX));
	assert_true(no_number("184467440737095516150", UINT64_MAX));
	assert_true(number("00000000000000000007", 9, 7, 0));
	assert_true(no_number("000000000000000000007", 9));
}

static void
a_number_ends_with_the_slice(void **state)
{
	struct slice s = slice_first(SLICE("123456"), 3);
	uint64_t value;

	(void)state;
	assert_true(slice_cut_number(&s, 999, &value));
	assert_int_equal(value, 123);
}

static void
cutting_until_a_byte_takes_it_off(void **state)
{
	struct slice s = SLICE("a=b=c"), head;

	(void)state;
	assert_true(slice_cut_until(&s, '=', &head));
	assert_slice(head, "a");
	assert_slice(s, "b=c");
	assert_false(slice_cut_until(&s, ';', &head));
	assert_slice(s, "b=c");
	s = SLICE("=");
	assert_true(slice_cut_until(&s, '=', &head));
	assert_int_equal(head.len, 0);
	assert_int_equal(s.len, 0);
}

static void
words_are_what_blanks_leave(void **state)
{
	struct slice s = SLICE(" \t12  abc\r\n"), word;

	(void)state;
	assert_true(slice_cut_word(&s, &word));
	assert_slice(word, "12");
	assert_true(slice_cut_word(&s, &word));
	assert_slice(word, "abc");
	assert_false(slice_cut_word(&s, &word));
	assert_slice(s, "\r\n");
}

static void
lines_end_with_lf_or_crlf_or_the_slice(void **state)
{
	struct slice s = SLICE("a\r\n\nb\rc\n\r\nlast"), line;

	(void)state;
	assert_true(slice_cut_line(&s, &line));
	assert_slice(line, "a");
	assert_true(slice_cut_line(&s, &line));
	assert_slice(line, "");
	assert_true(slice_cut_line(&s, &line));
	assert_slice(line, "b\rc");
	assert_true(slice_cut_line(&s, &line));
	assert_slice(line, "");
	assert_true(slice_cut_line(&s, &line));
	assert_slice(line, "last");
	assert_false(slice_cut_line(&s, &line));
}

static void
trimming_takes_blanks_off_both_ends(void **state)
{
	(void)state;
	assert_slice(slice_trim(SLICE(" \t\r\na b\r\n ")), "a b");
	assert_slice(slice_trim(SLICE(" \r\n\t ")), "");
	assert_slice(slice_trim(SLICE("\0 ")), "\0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_empty_slice_is_welcome_everywhere),
		cmocka_unit_test(a_part_never_leaves_the_slice),
		cmocka_unit_test(nul_is_a_byte_like_others),
		cmocka_unit_test(order_is_that_of_unsigned_bytes),
		cmocka_unit_test(case_is_that_of_ascii),
		cmocka_unit_test(byte_classes_end_where_they_should),
		cmocka_unit_test(finding_reports_the_length_when_there_is_none),
		cmocka_unit_test(a_prefix_is_cut_or_nothing_is),
		cmocka_unit_test(numbers_are_digits_within_the_limit),
		cmocka_unit_test(a_number_ends_with_the_slice),
		cmocka_unit_test(cutting_until_a_byte_takes_it_off),
		cmocka_unit_test(words_are_what_blanks_leave),
		cmocka_unit_test(lines_end_with_lf_or_crlf_or_the_slice),
		cmocka_unit_test(trimming_takes_blanks_off_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
