/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void
fault(struct breaker *b, int64_t now_ms)
{
	breaker_report(b, false, now_ms);
}

static void
test_two_faults_are_borne(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	fault(&b, 0);
	fault(&b, 1);
	assert_true(breaker_allows(&b, 2));
	breaker_report(&b, true, 2);
	fault(&b, 3);
	fault(&b, 4);
	assert_true(breaker_allows(&b, 5));
}

static void
test_opens_after_three(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int64_t t = 1; t <= 3; t++)
		fault(&b, t);
	assert_false(breaker_allows(&b, 4));
	assert_false(breaker_allows(&b, 3 + BREAKER_PAUSE_MS - 1));
}

static void
test_one_caller_tries(void **state)
{
	struct breaker b = { 0 };
	int64_t later = 3 + BREAKER_PAUSE_MS;

	(void)state;
	for (int64_t t = 1; t <= 3; t++)
		fault(&b, t);
	assert_true(breaker_allows(&b, later));
	assert_false(breaker_allows(&b, later));
	fault(&b, later + 5000);
	assert_false(breaker_allows(&b, later + BREAKER_PAUSE_MS));
	assert_true(breaker_allows(&b, later + 5000 + BREAKER_PAUSE_MS));
}

static void
test_success_closes(void **state)
{
	struct breaker b = { 0 };

	(void)state;
	for (int64_t t = 1; t <= 3; t++)
		fault(&b, t);
	assert_true(breaker_allows(&b, 3 + BREAKER_PAUSE_MS));
	breaker_report(&b, true, 3 + BREAKER_PAUSE_MS);
	fault(&b, 4 + BREAKER_PAUSE_MS);
	assert_true(breaker_allows(&b, 5 + BREAKER_PAUSE_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_faults_are_borne),
		cmocka_unit_test(test_opens_after_three),
		cmocka_unit_test(test_one_caller_tries),
		cmocka_unit_test(test_success_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
