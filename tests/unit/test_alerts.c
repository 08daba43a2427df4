/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fetcher/alerts.h"

static const struct slice full = SLICE("Your mailbox is 95% full");
static const struct slice closing = SLICE("We close at noon");

static void
each_is_told_once_an_hour(void **state)
{
	struct alerts a = { 0 };

	(void)state;
	assert_true(alerts_are_due(&a, full, 1000));
	assert_false(alerts_are_due(&a, full, 1000));
	assert_true(alerts_are_due(&a, closing, 2000));
	assert_false(alerts_are_due(&a, full, 2001));
	assert_false(alerts_are_due(&a, full, 1000 + ALERTS_AGAIN_MS - 1));
	assert_true(alerts_are_due(&a, full, 1000 + ALERTS_AGAIN_MS));
	assert_false(alerts_are_due(&a, closing, 1000 + ALERTS_AGAIN_MS));
}

/* The time of the login, say. */
static void
words_that_always_change_do_not_flood(void **state)
{
	struct alerts a = { 0 };
	unsigned told = 0;

	(void)state;
	for (uint8_t i = 0; i < 200; i++)
		told += alerts_are_due(&a, (struct slice){ &i, 1 }, 1000);
	assert_int_equal(told, ALERTS_MAX);
	assert_true(alerts_are_due(&a, full, 1000 + ALERTS_AGAIN_MS));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_told_once_an_hour),
		cmocka_unit_test(words_that_always_change_do_not_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
