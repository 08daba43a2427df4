/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "recipients/trace.h"

static const struct accepted_domain domains[] = { { .name = "example.org" },
	{ .name = ".example.net" } };
static const struct config config = { .domains = domains, .n_domains = 2 };
static const struct account account = { .name = "office" };

static void
finds_the_account_in_any_trace(void **state)
{
	static const char *const headers[] = {
		"X-Mailhaul: account=office; at=example.org; id=1; source=x\n",
		"x-mailhaul-before: at=.EXAMPLE.net;\n\taccount=office\n",
		"X-Mailhaul: account=b; at=x.example\nTo: a\n"
		"X-Mailhaul-Before: account=b; at=example.org\n"
		"X-Mailhaul-Before: account=office; at=example.org\n\nbody",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct traces found =
		    trace_find(&config, &account, slice_of(headers[i]));

		assert_true(found.here && found.same);
	}
}

static void
other_accounts_of_ours_are_no_loop(void **state)
{
	struct traces found = trace_find(&config, &account,
	    SLICE("X-Mailhaul: account=office2; at=example.org\n"));

	(void)state;
	assert_true(found.here);
	assert_false(found.same);
}

static void
what_does_not_say_that_it_is_ours_counts_for_nothing(void **state)
{
	struct traces found = trace_find(&config, &account,
	    SLICE("X-Mailhaul: account=office; at=other.example\n"
		  "X-Mailhaul: account=office; at=www.example.org\n"
		  "X-Mailhaul: account=office\nX-Mailhaul:;;;\n"
		  "X-Mailhaul-Older: account=office; at=example.org\n\n"
		  "X-Mailhaul: account=office; at=example.org\n"));

	(void)state;
	assert_false(found.here || found.same);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_account_in_any_trace),
		cmocka_unit_test(other_accounts_of_ours_are_no_loop),
		cmocka_unit_test(
		    what_does_not_say_that_it_is_ours_counts_for_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
