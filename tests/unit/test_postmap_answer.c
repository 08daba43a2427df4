/* SPDX-License-Identifier: Apache-2.0 */
/* With what Postfix 3.7 prints. */
#include "directory/postmap_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_found(void **state)
{
	struct slice printed = SLICE("anna@example.org\tben, clara\n"
				     "Ben@Example.org\tx\n"
				     "unfinished@example.org");

	(void)state;
	assert_true(postmap_has(printed, SLICE("Anna@example.org")));
	assert_true(postmap_has(printed, SLICE("ben@example.org")));
	assert_false(postmap_has(printed, SLICE("clara")));
	assert_false(postmap_has(printed, SLICE("ann")));
	assert_false(postmap_has(printed, SLICE("x")));
	assert_false(postmap_has(printed, SLICE("unfinished@example.org")));
	assert_false(postmap_has(SLICE(""), SLICE("anna@example.org")));
}

static void
test_trouble(void **state)
{
	static const struct {
		struct slice said, trouble;
	} rows[] = {
		{ SLICE(""), SLICE("") },
		{ SLICE("postmap: warning: /etc/postfix/main.cf, line 4: "
			"overriding earlier entry: myorigin=a\n"
			"postmap: warning: database /etc/postfix/v.db is older "
			"than source file /etc/postfix/v\n"),
		    SLICE("") },
		{ SLICE("postmap: fatal: open database /etc/v.db: Permission "
			"denied\n"),
		    SLICE("fatal: open database /etc/v.db: Permission "
			  "denied") },
		{ SLICE("postmap: warning: regexp map /etc/r, line 1: Invalid "
			"regular expression\n"
			"postmap: warning: /etc/postfix/main.cf, line 4: "
			"overriding earlier entry: myorigin=a\n"),
		    SLICE("warning: regexp map /etc/r, line 1: Invalid "
			  "regular expression") },
		{ SLICE("postmap: warning: connect to TCP map 127.0.0.1:9: "
			"Connection refused\n"
			"postmap: fatal: table tcp:127.0.0.1:9: query error: "
			"Connection refused\n"),
		    SLICE("fatal: table tcp:127.0.0.1:9: query error: "
			  "Connection refused") },
		/* No line of postmap's own. */
		{ SLICE("BDB3037 /etc/c.db: file size not a multiple\n"),
		    SLICE("BDB3037 /etc/c.db: file size not a multiple") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!slice_equal(
			postmap_trouble(rows[i].said), rows[i].trouble))
			fail_msg("row %zu", i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
