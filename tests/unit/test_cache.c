/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/cache.h"

#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct cache_ages ages = {
	.found_ms = 300, .absent_ms = 30, .stale_ms = 3000
};

static struct address
address_of(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(slice_of(text), &a), ADDRESS_OK);
	return a;
}

static int
setup(void **state)
{
	*state = cache_new(ages);
	return 0;
}

static int
teardown(void **state)
{
	cache_free(*state);
	return 0;
}

static const struct address nobody;

static enum cached
ask(const struct cache *c, const struct address *address, int64_t now_ms)
{
	struct address canonical;

	return cache_ask(c, address, now_ms, &canonical);
}

static void
remember(
    struct cache *c, const struct address *address, bool found, int64_t now_ms)
{
	cache_remember(c, address, found, &nobody, now_ms);
}

static void
test_found_ages(void **state)
{
	struct address anna = address_of("anna@example.org");
	struct address shout = address_of("ANNA@Example.ORG");

	assert_int_equal(ask(*state, &anna, 0), CACHE_NOTHING);
	remember(*state, &anna, true, 1000);
	assert_int_equal(ask(*state, &shout, 1000), CACHE_FOUND);
	assert_int_equal(ask(*state, &anna, 1299), CACHE_FOUND);
	assert_int_equal(ask(*state, &anna, 1300), CACHE_STALE);
	assert_int_equal(ask(*state, &anna, 3999), CACHE_STALE);
	assert_int_equal(ask(*state, &anna, 4000), CACHE_NOTHING);
}

static void
test_absent_is_never_stale(void **state)
{
	struct address bert = address_of("bert@example.org");

	remember(*state, &bert, false, 1000);
	assert_int_equal(ask(*state, &bert, 1029), CACHE_ABSENT);
	assert_int_equal(ask(*state, &bert, 1030), CACHE_NOTHING);
}

static void
test_newest_answer_counts(void **state)
{
	struct address anna = address_of("anna@example.org");

	remember(*state, &anna, true, 1000);
	remember(*state, &anna, false, 1400);
	assert_int_equal(ask(*state, &anna, 1410), CACHE_ABSENT);
	assert_int_equal(ask(*state, &anna, 1500), CACHE_NOTHING);
}

static void
test_canonical_address_of_the_newest_answer(void **state)
{
	struct address anna = address_of("anna@example.org"), canonical;
	struct address berg = address_of("anna.berg@example.org");
	struct address clara = address_of("clara@example.org");

	cache_remember(*state, &berg, true, &anna, 1000);
	assert_int_equal(
	    cache_ask(*state, &berg, 1000, &canonical), CACHE_FOUND);
	assert_true(address_equal(&canonical, &anna));
	assert_int_equal(
	    cache_ask(*state, &berg, 1500, &canonical), CACHE_STALE);
	assert_true(address_equal(&canonical, &anna));
	cache_remember(*state, &berg, true, &clara, 2000);
	cache_ask(*state, &berg, 2000, &canonical);
	assert_true(address_equal(&canonical, &clara));
	cache_remember(*state, &berg, true, &nobody, 3000);
	cache_ask(*state, &berg, 3000, &canonical);
	assert_true(address_is_null(&canonical));
	cache_ask(*state, &anna, 3000, &canonical);
	assert_true(address_is_null(&canonical));
}

static void
test_local_part_and_domain_both_count(void **state)
{
	struct address anna = address_of("anna@example.org");
	struct address other = address_of("anna@example.net");
	struct address shifted = address_of("annae@xample.org");

	remember(*state, &anna, true, 1000);
	assert_int_equal(ask(*state, &other, 1000), CACHE_NOTHING);
	assert_int_equal(ask(*state, &shifted, 1000), CACHE_NOTHING);
}

/* Four times as many as there is room for: memory is bounded, the newest are
 * there, most of the oldest are gone. */
static void
test_bounded(void **state)
{
	enum { ROOM = CACHE_SETS * CACHE_WAYS, MANY = 4 * ROOM };
	size_t kept = 0;
	struct address a;

	for (int i = 0; i < MANY; i++) {
		a = address_of("x@example.org");
		snprintf(a.local, sizeof(a.local), "user%d", i);
		remember(*state, &a, true, i);
	}
	assert_int_equal(ask(*state, &a, MANY), CACHE_FOUND);
	for (int i = 0; i < MANY; i++) {
		snprintf(a.local, sizeof(a.local), "user%d", i);
		kept += ask(*state, &a, i) != CACHE_NOTHING;
	}
	assert_in_range(kept, ROOM / 2, ROOM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_found_ages, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_absent_is_never_stale, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_newest_answer_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_canonical_address_of_the_newest_answer, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    test_local_part_and_domain_both_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
