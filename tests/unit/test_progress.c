/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetcher/progress.h"

enum { SECOND = 1000, MIB = 1024 * 1024 };

static void
counts_over_the_passes_of_a_backlog(void **state)
{
	struct progress p = { .todo = 0 };
	struct pass_result r = { .end = PASS_MORE, .begun_ms = 1000 };
	struct progress_figures f;
	char text[PROGRESS_TEXT_MAX];

	(void)state;
	/* nothing is known before the listing */
	assert_false(progress_figures(&p, &r, 1500, &f));
	r.due = 1000;
	r.due_bytes = (uint64_t)1000 * MIB;
	r.fetched = 200;
	r.bytes = (uint64_t)200 * MIB;
	progress_end(&p, &r, 1000 + 100 * SECOND);
	/* between the passes: time stands still */
	assert_true(progress_figures(&p, NULL, 9999 * SECOND, &f));
	assert_int_equal(f.done, 200);
	assert_int_equal(f.todo, 1000);
	assert_int_equal(f.rate, 2 * MIB);
	assert_int_equal(f.left_s, 400);
	assert_string_equal(progress_text(&f, text),
	    "200 of 1000 messages, 19% of 1000.0M, 2.0M/s, 6m 40s left");

	/* the next: listing of the rest, and of one that came meanwhile */
	r = (struct pass_result){ .end = PASS_DONE, .begun_ms = 5000 * SECOND };
	assert_true(progress_figures(&p, &r, 5000 * SECOND, &f));
	assert_int_equal(f.done, 200);
	r = (struct pass_result){ .end = PASS_DONE,
		.begun_ms = 5000 * SECOND,
		.due = 801,
		.due_bytes = (uint64_t)801 * MIB,
		.fetched = 200,
		.bytes = (uint64_t)200 * MIB };
	assert_true(progress_figures(&p, &r, 5300 * SECOND, &f));
	assert_int_equal(f.done, 400);
	assert_int_equal(f.todo, 1001);
	assert_int_equal(f.rate, 1 * MIB);
	assert_int_equal(f.left_s, 601);
	progress_end(&p, &r, 5300 * SECOND);
	assert_false(progress_figures(&p, NULL, 5300 * SECOND, &f));
}

static void
a_fault_does_not_begin_anew(void **state)
{
	struct progress p = { .todo = 0 };
	struct pass_result r = { .end = PASS_FAILED,
		.begun_ms = 1,
		.due = 10,
		.due_bytes = 1000,
		.fetched = 4,
		.bytes = 400 };
	struct progress_figures f;

	(void)state;
	progress_end(&p, &r, 1001);
	r = (struct pass_result){ .end = PASS_FAILED,
		.begun_ms = 2001 }; /* no connection */
	progress_end(&p, &r, 3001);
	assert_true(progress_figures(&p, NULL, 3001, &f));
	assert_int_equal(f.done, 4);
	assert_int_equal(f.todo, 10);
	assert_int_equal(f.rate, 200);
}

static void
sizes_may_be_unknown_or_wrong(void **state)
{
	struct progress p = { .todo = 0 };
	struct pass_result r = {
		.begun_ms = 1000, .due = 10, .fetched = 5, .bytes = 500
	};
	struct progress_figures f;
	char text[PROGRESS_TEXT_MAX];

	(void)state;
	assert_true(progress_figures(&p, &r, 6000, &f));
	assert_int_equal(f.left_s, 5);
	assert_string_equal(
	    progress_text(&f, text), "5 of 10 messages, 100/s, 5s left");
	r.due_bytes = 100;
	assert_true(progress_figures(&p, &r, 6000, &f));
	assert_int_equal(f.done_bytes, 100);
	assert_int_equal(f.left_s, 0);
	r.bytes = 0;
	assert_true(progress_figures(&p, &r, 6000, &f));
	assert_int_equal(f.left_s, PROGRESS_UNKNOWN);
	assert_string_equal(
	    progress_text(&f, text), "5 of 10 messages, 0% of 100");
}

static void
a_line_a_minute(void **state)
{
	struct progress p = { .todo = 0 };

	(void)state;
	assert_false(progress_is_due(&p, 100 * SECOND));
	assert_false(progress_is_due(&p, 159 * SECOND));
	assert_true(progress_is_due(&p, 160 * SECOND));
	assert_false(progress_is_due(&p, 161 * SECOND));
	assert_true(progress_is_due(&p, 220 * SECOND));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_over_the_passes_of_a_backlog),
		cmocka_unit_test(a_fault_does_not_begin_anew),
		cmocka_unit_test(sizes_may_be_unknown_or_wrong),
		cmocka_unit_test(a_line_a_minute),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
