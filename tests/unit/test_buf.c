/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
a_new_buffer_is_an_empty_string(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_string_equal(buf_string(&b), "");
	assert_int_equal(buf_slice(&b).len, 0);
	assert_false(buf_overflowed(&b));
	buf_drop(&b, 5);
	buf_reset(&b);
	buf_wipe(&b);
	buf_clear(&b);
	assert_string_equal(buf_string(&b), "");
}

static void
it_barely_fits(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_true(buf_add(&b, SLICE("ab")));
	assert_true(buf_add_string(&b, "cd"));
	assert_true(buf_add(&b, SLICE("")));
	assert_string_equal(buf_string(&b), "abcd");
	assert_false(buf_overflowed(&b));
	buf_clear(&b);
}

static void
what_does_not_fit_changes_nothing_and_is_remembered(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_true(buf_add_string(&b, "abc"));
	assert_false(buf_add_string(&b, "de"));
	assert_false(buf_printf(&b, "%d", 47));
	assert_string_equal(buf_string(&b), "abc");
	assert_true(buf_add_byte(&b, 'd'));
	assert_false(buf_add_byte(&b, 'e'));
	assert_string_equal(buf_string(&b), "abcd");
	assert_true(buf_overflowed(&b));
	buf_reset(&b);
	assert_false(buf_overflowed(&b));
	assert_string_equal(buf_string(&b), "");
	assert_true(buf_add_string(&b, "wxyz"));
	buf_clear(&b);
	assert_false(buf_overflowed(&b));
}

static void
a_length_near_the_end_of_numbers_does_not_wrap(void **state)
{
	struct buf b;
	struct slice huge = { (const uint8_t *)"x", SIZE_MAX };

	(void)state;
	buf_init(&b, 100);
	assert_true(buf_add_string(&b, "abc"));
	assert_false(buf_add(&b, huge));
	assert_string_equal(buf_string(&b), "abc");
	buf_clear(&b);
}

static void
a_ceiling_of_nothing_holds_nothing(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_true(buf_add(&b, (struct slice){ NULL, 0 }));
	assert_string_equal(buf_string(&b), "");
	assert_false(buf_add_byte(&b, 0));
	assert_true(buf_overflowed(&b));
	buf_clear(&b);
}

static void
growing_keeps_the_content(void **state)
{
	enum { MANY = 100000 };
	struct buf b;

	(void)state;
	buf_init(&b, MANY);
	for (int i = 0; i < MANY; i++)
		assert_true(buf_add_byte(&b, (uint8_t)i));
	assert_false(buf_add_byte(&b, 0));
	assert_int_equal(buf_slice(&b).len, MANY);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(buf_slice(&b).data[i], (uint8_t)i);
	assert_true(b.room <= MANY + 1);
	buf_wipe(&b);
}

static void
nul_bytes_count(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_true(buf_add(&b, SLICE("a\0b")));
	assert_true(slice_equal(buf_slice(&b), SLICE("a\0b")));
	assert_int_equal(buf_string(&b)[3], '\0');
	buf_clear(&b);
}

static void
the_front_can_be_dropped(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 6);
	assert_true(buf_add_string(&b, "abcdef"));
	buf_drop(&b, 0);
	assert_string_equal(buf_string(&b), "abcdef");
	buf_drop(&b, 2);
	assert_string_equal(buf_string(&b), "cdef");
	assert_true(buf_add_string(&b, "gh"));
	assert_string_equal(buf_string(&b), "cdefgh");
	buf_drop(&b, SIZE_MAX);
	assert_string_equal(buf_string(&b), "");
	buf_clear(&b);
}

static void
printed_text_may_be_long(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5000);
	assert_true(buf_printf(&b, "%0*d", 5000, 7));
	assert_int_equal(strlen(buf_string(&b)), 5000);
	buf_reset(&b);
	assert_false(buf_printf(&b, "%0*d", 5001, 7));
	assert_true(buf_printf(&b, "%s", ""));
	assert_string_equal(buf_string(&b), "");
	buf_clear(&b);
}

static void
quotes_and_backslashes_stay_inside(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 12);
	buf_add_quoted(&b, SLICE("a \\\"b\""));
	assert_string_equal(buf_string(&b), "\"a \\\\\\\"b\\\"\"");
	assert_false(buf_overflowed(&b));
	buf_add_quoted(&b, SLICE(""));
	assert_true(buf_overflowed(&b));
	buf_clear(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_buffer_is_an_empty_string),
		cmocka_unit_test(it_barely_fits),
		cmocka_unit_test(
		    what_does_not_fit_changes_nothing_and_is_remembered),
		cmocka_unit_test(
		    a_length_near_the_end_of_numbers_does_not_wrap),
		cmocka_unit_test(a_ceiling_of_nothing_holds_nothing),
		cmocka_unit_test(growing_keeps_the_content),
		cmocka_unit_test(nul_bytes_count),
		cmocka_unit_test(the_front_can_be_dropped),
		cmocka_unit_test(printed_text_may_be_long),
		cmocka_unit_test(quotes_and_backslashes_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
