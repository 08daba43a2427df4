/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fetcher/command.h"

static void
understands(void **state)
{
	static const struct {
		const char *line;
		enum command_verb verb;
		const char *account, *message;
		int64_t wait_ms;
	} cases[] = {
		{ "STATUS", COMMAND_STATUS, "", "", 0 },
		{ " STATUS ", COMMAND_STATUS, "", "", 0 },
		{ "FETCH office", COMMAND_FETCH, "office", "", 0 },
		{ "FETCH office wait=5s", COMMAND_FETCH, "office", "", 5000 },
		{ "FETCH office wait=250ms", COMMAND_FETCH, "office", "", 250 },
		{ "FETCH office wait=60m", COMMAND_FETCH, "office", "",
		    3600000 },
		{ "RETRY office", COMMAND_RETRY, "office", "", 0 },
		{ "RETRY office 0001", COMMAND_RETRY, "office", "0001", 0 },
		{ "FORGET office", COMMAND_FORGET, "office", "", 0 },
		{ "FORGET office 7", COMMAND_FORGET, "office", "7", 0 },
		{ "BASELINE office", COMMAND_BASELINE, "office", "", 0 },
		{ "ADOPT office", COMMAND_ADOPT, "office", "", 0 },
		{ "IMPORT import.1", COMMAND_IMPORT, "import.1", "", 0 },
		{ "DROP office wait=5s", COMMAND_DROP, "office", "wait=5s", 0 },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct command c;
		struct error err;

		if (!command_parse(slice_of(cases[i].line), &c, &err))
			fail_msg("%s: %s", cases[i].line, err.text);
		assert_int_equal(c.verb, cases[i].verb);
		assert_true(slice_equal(c.account, slice_of(cases[i].account)));
		assert_true(slice_equal(c.message, slice_of(cases[i].message)));
		assert_int_equal(c.wait_ms, cases[i].wait_ms);
	}
}

static void
refuses(void **state)
{
	static const char *const lines[] = { "", " ", "status", "STATUSES",
		"STATUS office", "FETCH", "FETCH office 5s",
		"FETCH office wait=", "FETCH office wait=5",
		"FETCH office wait=5d", "FETCH office wait=-5s",
		"FETCH office wait=61m", "FETCH office wait=99999999999999m",
		"FETCH office wait=5s x", "RETRY", "DROP", "RETRY a b c",
		"FORGET", "FORGET a b c", "BASELINE", "BASELINE a b", "ADOPT",
		"ADOPT a b", "IMPORT", "IMPORT a b" };
	(void)state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct command c;
		struct error err;

		if (command_parse(slice_of(lines[i]), &c, &err))
			fail_msg("\"%s\" was understood", lines[i]);
		assert_int_equal(err.kind, ERROR_PROTOCOL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understands),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
