/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "fetcher/descriptors.h"

static void
limits_and_needs_fit_together(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 5000; n += 17)
		assert_int_equal(
		    descriptors_connections(descriptors_needed(n, 4), 4), n);
	assert_int_equal(descriptors_connections(10, 4), 1);
	assert_true(descriptors_connections(1024, 4) >= 400);
	assert_true(descriptors_connections(UINT64_MAX, 4) > 1000000);
}

static void
the_limit_is_raised_as_far_as_it_may(void **state)
{
	struct rlimit limit;

	(void)state;
	limit = (struct rlimit){ .rlim_cur = 50, .rlim_max = 200 };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(descriptors_provide(40), 50);
	assert_int_equal(descriptors_provide(60), 60);
	assert_int_equal(descriptors_provide(60000), 200);
	assert_true(descriptors_left());
	limit.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_false(descriptors_left());
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_and_needs_fit_together),
		cmocka_unit_test(the_limit_is_raised_as_far_as_it_may),
	};

	return cmocka_run_group_tests_name("descriptors", tests, NULL, NULL);
}
