/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fetcher/plan.h"

enum { NOW = 1000 * 1000, HOUR_MS = 60 * 60 * 1000 };

static const struct {
	const char *what;
	enum keep_kind keep;
	struct seen_row row;
	uint64_t size, limit;
	enum plan expected;
} plans[] = {
	{ "new", KEEP_NONE, { .status = SEEN_NEW }, 100, 1000, PLAN_FETCH },
	{ "new, exactly at the limit", KEEP_NONE, { .status = SEEN_NEW }, 1000,
	    1000, PLAN_FETCH },
	{ "new, too large", KEEP_NONE, { .status = SEEN_NEW }, 1001, 1000,
	    PLAN_OVERSIZE },
	{ "new, no limit", KEEP_NONE, { .status = SEEN_NEW }, 1001, 0,
	    PLAN_FETCH },
	{ "oversize, reported", KEEP_NONE,
	    { .status = SEEN_OVERSIZE, .size = 1001 }, 1001, 1000, PLAN_KEEP },
	{ "oversize, limit raised", KEEP_NONE,
	    { .status = SEEN_OVERSIZE, .size = 1001 }, 1001, 2000, PLAN_FETCH },
	{ "oversize, limit removed", KEEP_NONE,
	    { .status = SEEN_OVERSIZE, .size = 1001 }, 1001, 0, PLAN_FETCH },
	{ "injected, keep none", KEEP_NONE, { .status = SEEN_INJECTED }, 1, 0,
	    PLAN_DELETE },
	{ "injected, keep forever", KEEP_FOREVER, { .status = SEEN_INJECTED },
	    1, 0, PLAN_KEEP },
	{ "injected, of this size", KEEP_NONE,
	    { .status = SEEN_INJECTED, .size = 7 }, 7, 0, PLAN_DELETE },
	{ "injected, and the UID used again", KEEP_NONE,
	    { .status = SEEN_INJECTED, .size = 7 }, 8, 0, PLAN_FETCH },
	{ "injected, and the UID used again for a large one", KEEP_NONE,
	    { .status = SEEN_INJECTED, .size = 7 }, 8, 7, PLAN_OVERSIZE },
	{ "injected, a UID used again, but kept", KEEP_FOREVER,
	    { .status = SEEN_INJECTED, .size = 7 }, 8, 0, PLAN_KEEP },
	{ "injected, not yet", KEEP_TIME,
	    { .status = SEEN_INJECTED, .injected_ms = NOW - 4999 }, 1, 0,
	    PLAN_KEEP },
	{ "injected, its time has come", KEEP_TIME,
	    { .status = SEEN_INJECTED, .injected_ms = NOW - 5000 }, 1, 0,
	    PLAN_DELETE },
	{ "refused, too early", KEEP_NONE,
	    { .status = SEEN_RETRY, .not_before_ms = NOW + 1 }, 1, 0,
	    PLAN_WAIT },
	{ "refused, due", KEEP_NONE,
	    { .status = SEEN_RETRY, .not_before_ms = NOW }, 1, 0, PLAN_FETCH },
	{ "refused, the clock was set back", KEEP_NONE,
	    { .status = SEEN_RETRY, .not_before_ms = NOW + 2 * HOUR_MS }, 1, 0,
	    PLAN_FETCH },
	{ "injected, and the clock was set back before that", KEEP_TIME,
	    { .status = SEEN_INJECTED, .injected_ms = NOW + HOUR_MS }, 1, 0,
	    PLAN_KEEP },
	/* Deleted is only what we injected, whatever the account says. */
	{ "before us", KEEP_NONE, { .status = SEEN_BASELINE }, 1, 0,
	    PLAN_KEEP },
	{ "before us, and long ago", KEEP_TIME, { .status = SEEN_BASELINE }, 1,
	    0, PLAN_KEEP },
	{ "before us, of another size", KEEP_NONE,
	    { .status = SEEN_BASELINE, .size = 7 }, 8, 0, PLAN_KEEP },
	{ "a copy", KEEP_NONE, { .status = SEEN_DUPLICATE, .size = 1 }, 1, 0,
	    PLAN_DELETE },
	{ "a copy, of another size", KEEP_NONE,
	    { .status = SEEN_DUPLICATE, .size = 2 }, 1, 0, PLAN_FETCH },
	{ "a copy that is kept", KEEP_TIME,
	    { .status = SEEN_DUPLICATE, .injected_ms = NOW }, 1, 0, PLAN_KEEP },
	{ "flagged before", KEEP_NONE, { .status = SEEN_DISPOSED }, 1, 0,
	    PLAN_KEEP },
	{ "given up by the admin", KEEP_TIME, { .status = SEEN_DROPPED }, 1, 0,
	    PLAN_KEEP },
	{ "parked", KEEP_NONE, { .status = SEEN_PARKED }, 1, 0, PLAN_KEEP },
};

static void
each_row_has_its_plan(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct account account = { .keep = plans[i].keep,
			.keep_ms = 5000 };

		if (plan_message(&account, &plans[i].row, plans[i].size,
			plans[i].limit, NOW) != plans[i].expected)
			fail_msg("%s", plans[i].what);
	}
}

static void
refusals_wait_longer_each_time_then_park(void **state)
{
	struct inject_settings settings = { .retry_ms = 60000,
		.max_tries = 10 };
	struct seen_row row = { .status = SEEN_NEW };
	static const int64_t minutes[] = { 1, 2, 4, 8, 16, 32, 60, 60, 60 };

	(void)state;
	for (size_t i = 0; i < sizeof(minutes) / sizeof(minutes[0]); i++) {
		row = plan_refused(&settings, &row, NOW);
		assert_int_equal(row.status, SEEN_RETRY);
		assert_int_equal(row.tries, i + 1);
		assert_int_equal(
		    row.not_before_ms, NOW + minutes[i] * 60 * 1000);
	}
	row = plan_refused(&settings, &row, NOW);
	assert_int_equal(row.status, SEEN_PARKED);
}

static void
messages_come_in_the_order_wanted(void **state)
{
	static const struct listed entries[] = { { .size = 5 }, { .size = 1 },
		{ .size = 0 }, { .size = 5 }, { .size = 2 } };
	static const struct {
		enum fetch_order order;
		uint32_t want[4];
	} cases[] = {
		{ ORDER_OLDEST, { 0, 1, 3, 4 } },
		{ ORDER_NEWEST, { 4, 3, 1, 0 } },
		{ ORDER_SMALLEST, { 1, 4, 0, 3 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t offsets[] = { 0, 1, 3, 4 };

		plan_sort(cases[i].order, entries, offsets, 4);
		assert_memory_equal(offsets, cases[i].want, sizeof(offsets));
	}
	plan_sort(ORDER_SMALLEST, NULL, NULL, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_plan),
		cmocka_unit_test(refusals_wait_longer_each_time_then_park),
		cmocka_unit_test(messages_come_in_the_order_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
