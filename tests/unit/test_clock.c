/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void
the_wall_clock_is_in_milliseconds_since_1970(void **state)
{
	int64_t before = (int64_t)time(NULL) * 1000;
	int64_t now = clock_wall_ms();
	int64_t after = ((int64_t)time(NULL) + 1) * 1000;

	(void)state;
	/* time() may lag behind by a tick of the kernel. */
	assert_true(now >= before && now <= after + 50);
}

static void
the_monotonic_clock_counts_milliseconds_forward(void **state)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	int64_t start = clock_monotonic_ms(), last = start;

	(void)state;
	assert_true(start > 0);
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_monotonic_ms();

		assert_true(now >= last);
		last = now;
	}
	nanosleep(&pause, NULL);
	last = clock_monotonic_ms();
	assert_true(last - start >= 19 && last - start < 60 * 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_wall_clock_is_in_milliseconds_since_1970),
		cmocka_unit_test(
		    the_monotonic_clock_counts_milliseconds_forward),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
