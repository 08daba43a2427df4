/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fetcher/listing.h"
#include "fetcher/plan.h"
#include "fetcher/schedule.h"

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
pauses_grow_with_failures_and_have_an_end(void **state)
{
	struct schedule s = { .failures = { 0 } };
	int64_t before = 0, pause = 0;

	(void)state;
	assert_int_equal(schedule_next(&s, PASS_DONE, 0, 1000, 0), 1000);
	assert_int_equal(schedule_next(&s, PASS_MORE, 0, 60000, 0), 0);
	assert_int_equal(
	    schedule_next(&s, PASS_FAILED, ERROR_RETRY, 1000, 0), 5000);
	for (int i = 0; i < 100; i++) {
		before = pause;
		pause = schedule_next(&s, PASS_FAILED, ERROR_LOGIN, 1000, 0);
		assert_true(pause >= before);
	}
	assert_int_equal(pause, 6 * HOUR_MS);
	assert_int_equal(schedule_next(&s, PASS_DONE, 0, 1000, 0), 1000);
	assert_int_equal(
	    schedule_next(&s, PASS_FAILED, ERROR_RETRY, 1000, 0), 5000);
	assert_int_equal(
	    schedule_next(&s, PASS_FAILED, ERROR_LOCAL, 1000, 0), 10000);
	/* Never more often than the account says. */
	assert_int_equal(
	    schedule_next(&s, PASS_FAILED, ERROR_RETRY, 3600000, 0), 3600000);
}

static void
failures_of_one_kind_do_not_lengthen_the_pause_of_another(void **state)
{
	struct schedule s = { .failures = { 0 } };

	(void)state;
	for (int i = 0; i < 20; i++)
		schedule_next(&s, PASS_FAILED, ERROR_RETRY, 1000, 0);
	assert_int_equal(schedule_next(&s, PASS_FAILED, ERROR_LOGIN, 1000, 0),
	    5 * 60 * 1000);
	assert_int_equal(schedule_next(&s, PASS_FAILED, ERROR_LOGIN, 1000, 0),
	    10 * 60 * 1000);
}

static void
jitter_adds_at_most_a_tenth(void **state)
{
	struct schedule s = { .failures = { 0 } };

	(void)state;
	for (uint32_t random = 0; random < 5000; random += 7) {
		int64_t pause = schedule_next(&s, PASS_DONE, 0, 60000, random);

		assert_in_range(pause, 60000, 66000);
	}
}

static void
a_listing_keeps_numbers_sizes_and_uids(void **state)
{
	struct listing l = { .room = 0 };
	struct slice uid;

	(void)state;
	for (uint32_t n = 1; n <= 1000; n++)
		assert_true(listing_add(&l, n, SLICE("uid")));
	assert_true(listing_add(&l, 1002, SLICE("the last")));
	assert_false(listing_add(&l, 1002, SLICE("again")));
	assert_false(listing_add(&l, 7, SLICE("out of order")));
	assert_true(listing_size(&l, 1002, 77));
	assert_true(listing_size(&l, 1, 11));
	assert_false(listing_size(&l, 1001, 1));
	assert_false(listing_size(&l, 2000, 1));
	assert_int_equal(l.found.n, 1001);
	assert_int_equal(l.found.entries[0].size, 11);
	assert_int_equal(l.found.entries[1000].size, 77);
	uid = listing_uid(&l, &l.found.entries[1000]);
	assert_true(slice_equal(uid, SLICE("the last")));
	listing_clear(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_has_its_plan),
		cmocka_unit_test(refusals_wait_longer_each_time_then_park),
		cmocka_unit_test(pauses_grow_with_failures_and_have_an_end),
		cmocka_unit_test(
		    failures_of_one_kind_do_not_lengthen_the_pause_of_another),
		cmocka_unit_test(jitter_adds_at_most_a_tenth),
		cmocka_unit_test(a_listing_keeps_numbers_sizes_and_uids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
