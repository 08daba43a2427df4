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
	struct error err;

	(void)state;
	assert_true(folders_add(&found, &account, SLICE("Collected"), &err));
	assert_int_equal(found.n, 0);
	assert_true(folders_add(&found, &account, SLICE("Collected/x"), &err));
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
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(
		    folders_add(&found, &account, slice_of(names[i]), &err));
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
	struct error err;
	char name[16];

	(void)state;
	for (unsigned i = 0; i < FOLDERS_MAX; i++) {
		snprintf(name, sizeof(name), "f%u", i);
		assert_true(
		    folders_add(&found, &account, slice_of(name), &err));
	}
	assert_false(folders_add(&found, &account, SLICE("another"), &err));
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_true(folders_add(&found, &account, SLICE("f0"), &err));
	folders_clear(&found);
}

/* The server is asked for patterns only, in their order. */
static void
test_names_and_patterns(void **state)
{
	static const char *const wanted[] = { "INBOX", "Lists/%", "Sent",
		NULL };
	const struct account account = { .folders = wanted };
	struct folders found = { .n = 0 };
	const char *pattern;
	struct error err;

	(void)state;
	assert_true(folders_find(&found, &account, &pattern, &err));
	assert_string_equal(pattern, "Lists/%");
	assert_true(folders_add(&found, &account, SLICE("Lists/dev"), &err));
	assert_true(folders_find(&found, &account, &pattern, &err));
	assert_null(pattern);
	assert_int_equal(found.n, 3);
	folders_clear(&found);
}

static void
test_no_folder_at_all(void **state)
{
	static const char *const wanted[] = { "None*", NULL };
	const struct account account = { .folders = wanted };
	struct folders found = { .n = 0 };
	const char *pattern;
	struct error err;

	(void)state;
	assert_true(folders_find(&found, &account, &pattern, &err));
	assert_false(folders_find(&found, &account, &pattern, &err));
	assert_int_equal(err.kind, ERROR_CONFIG);
}

static void
test_a_round_ends_with_the_first(void **state)
{
	const struct account account = { .exclude_folders = NULL };
	struct folders found = { .n = 0 };
	struct error err;

	(void)state;
	folders_add(&found, &account, SLICE("INBOX"), &err);
	folders_add(&found, &account, SLICE("a"), &err);
	folders_add(&found, &account, SLICE("b"), &err);
	found.due[1] = false;
	folders_begin(&found);
	assert_true(folders_next(&found));
	assert_int_equal(found.at, 2);
	assert_true(folders_others_due(&found));
	found.due[2] = false;
	assert_false(folders_others_due(&found));
	assert_true(folders_next(&found));
	assert_int_equal(found.at, 0);
	assert_false(folders_next(&found));
	folders_all_due(&found);
	folders_resume(&found, 2);
	assert_true(folders_next(&found));
	assert_int_equal(found.at, 1);
	/* None, or one of a longer list than this. */
	folders_resume(&found, 0);
	assert_true(folders_next(&found) && found.at == 2);
	folders_resume(&found, 9);
	assert_true(folders_next(&found) && found.at == 2);
	assert_true(folders_others_due(&found));
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
		cmocka_unit_test(test_names_and_patterns),
		cmocka_unit_test(test_no_folder_at_all),
		cmocka_unit_test(test_a_round_ends_with_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
