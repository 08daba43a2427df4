/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fetcher/folders.h"

static void
test_patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} cases[] = {
		{ "INBOX", "INBOX", true },
		{ "inbox", "INBOX", true },
		{ "Lists", "lists", false },
		{ "*", "Lists/dev/old", true },
		{ "*", "", true },
		{ "%", "Lists", true },
		{ "%", "Lists/dev", false },
		{ "%", "Lists.dev", false },
		{ "Lists/%", "Lists/dev", true },
		{ "Lists/%", "Lists/dev/old", false },
		{ "Lists/*", "Lists/dev/old", true },
		{ "Lists/*", "Lists", false },
		{ "*/old", "Lists/dev/old", true },
		{ "*/old", "Lists/old/dev", false },
		{ "%/%", "a/b", true },
		{ "%/%", "a/b/c", false },
		{ "a*b%c", "a/x/b-c", true },
		{ "a*b%c", "a/xb/b/c", false },
		{ "*%x", "a/b/x", true },
		{ "", "", true },
		{ "", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (folder_matches(cases[i].pattern, slice_of(cases[i].name)) !=
		    cases[i].matches)
			fail_msg("\"%s\" and \"%s\"", cases[i].pattern,
			    cases[i].name);
}

/* A server names its folders as it likes. */
static void
test_pattern_of_many_wildcards_ends(void **state)
{
	char name[1000], pattern[100];

	(void)state;
	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i + 1 < sizeof(pattern); i += 2)
		memcpy(pattern + i, "*a", 2);
	pattern[sizeof(pattern) - 2] = 'b';
	pattern[sizeof(pattern) - 1] = '\0';
	assert_false(folder_matches(
	    pattern, (struct slice){ (uint8_t *)name, sizeof(name) }));
}

static void
test_where_messages_are_moved_is_not_collected(void **state)
{
	const struct account account = { .dispose = {
					     DISPOSE_MOVE, "Collected" } };
	struct folders found = { .n = 0 };

	(void)state;
	assert_true(folders_add(&found, &account, SLICE("Collected")));
	assert_int_equal(found.n, 0);
	assert_true(folders_add(&found, &account, SLICE("Collected/x")));
	assert_int_equal(found.n, 1);
	folders_clear(&found);
}

static void
test_each_folder_once(void **state)
{
	static const char *const excluded[] = { "Trash", "Old/*", NULL };
	const struct account account = { .exclude_folders = excluded };
	static const char *const names[] = { "INBOX", "Lists", "Trash",
		"Old/2020", "Lists", "inbox", "Trash/x" };
	struct folders found = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(folders_add(&found, &account, slice_of(names[i])));
	assert_int_equal(found.n, 3);
	assert_string_equal(found.names[0], "INBOX");
	assert_string_equal(found.names[1], "Lists");
	assert_string_equal(found.names[2], "Trash/x");
	folders_clear(&found);
}

static void
test_one_folder_too_many(void **state)
{
	const struct account account = { .exclude_folders = NULL };
	struct folders found = { .n = 0 };
	char name[16];

	(void)state;
	for (unsigned i = 0; i < FOLDERS_MAX; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_true(folders_add(&found, &account, slice_of(name)));
	}
	assert_false(folders_add(&found, &account, SLICE("another")));
	assert_true(folders_add(&found, &account, SLICE("f0")));
	folders_clear(&found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_pattern_of_many_wildcards_ends),
		cmocka_unit_test(test_each_folder_once),
		cmocka_unit_test(
		    test_where_messages_are_moved_is_not_collected),
		cmocka_unit_test(test_one_folder_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
