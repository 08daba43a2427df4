/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration files in tests/data/config: each is loaded in a folder that
 * holds the files they name, and says exactly what its .expect says.
 */
#include "tests/support/scratch.h"

#include "config/config.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/slice.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DATA "tests/data/config"

static char folder[SCRATCH_SIZE];

static int
make_folder(void **state)
{
	*state = folder;
	scratch_make(folder);
	scratch_put(folder, "users.txt", SLICE("anna@example.org\n"), 0644);
	scratch_put(folder, "office.password", SLICE("secret\n"), 0600);
	scratch_put(folder, "ldap.password", SLICE("secret\n"), 0640);
	scratch_put(folder, "open.password", SLICE("secret\n"), 0644);
	scratch_put(folder, "corp-ca.pem", SLICE(""), 0644);
	scratch_put(folder, "provider-ca.pem", SLICE(""), 0644);
	return 0;
}

/* The findings, the folder's name taken out of them. */
static char *
findings_of(struct slice yaml, bool *good)
{
	char path[PATH_MAX], *raw = NULL;
	struct slice rest;
	size_t len, at;
	struct config *config;
	struct error err;
	struct buf out;
	FILE *sink = open_memstream(&raw, &len);

	snprintf(path, sizeof(path), "%s/mailhaul.yaml", folder);
	assert_true(file_replace(path, yaml, 0644, &err));
	config = config_load(path, sink);
	*good = config != NULL;
	config_unref(config);
	fclose(sink);
	buf_init(&out, 1024 * 1024);
	rest = slice_of(raw);
	while ((at = slice_search_nocase(rest, slice_of(folder))) < rest.len) {
		buf_add(&out, slice_first(rest, at));
		rest = slice_from(rest, at + strlen(folder) + 1);
	}
	buf_add(&out, rest);
	free(raw);
	raw = mem_string(buf_string(&out));
	buf_clear(&out);
	return raw;
}

static void
check_one(const char *kind, const char *name, bool should_be_good)
{
	struct buf yaml, expected;
	char path[PATH_MAX], *findings;
	struct error err;
	bool good;

	buf_init(&yaml, 1024 * 1024);
	buf_init(&expected, 1024 * 1024);
	snprintf(path, sizeof(path), DATA "/%s/%s", kind, name);
	assert_true(file_read(path, &yaml, &err));
	memcpy(
	    path + strlen(path) - strlen("yaml"), "expect", sizeof("expect"));
	findings = findings_of(buf_slice(&yaml), &good);
	if (getenv("WRITE_EXPECT") != NULL)
		file_replace(path, slice_of(findings), 0644, &err);
	assert_true(file_read(path, &expected, &err));
	if (strcmp(findings, buf_string(&expected)) != 0)
		print_error("%s\n", path);
	assert_string_equal(findings, buf_string(&expected));
	assert_int_equal(good, should_be_good);
	/* What the files in there use as a password. */
	assert_null(strstr(findings, "hunter2"));
	free(findings);
	buf_clear(&yaml);
	buf_clear(&expected);
}

static void
check_all(const char *kind, bool should_be_good)
{
	struct slice name;
	struct dirent *entry;
	char path[PATH_MAX];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), DATA "/%s", kind);
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		name = slice_of(entry->d_name);
		if (slice_ends_nocase(name, SLICE(".yaml"))) {
			check_one(kind, entry->d_name, should_be_good);
			n++;
		}
	}
	closedir(dir);
	assert_true(n > 3);
}

static void
test_good_files(void **state)
{
	(void)state;
	check_all("good", true);
}

static void
test_bad_files(void **state)
{
	(void)state;
	check_all("bad", false);
}

static void
expect_finding(struct slice yaml, const char *expected)
{
	bool good;
	char *findings = findings_of(yaml, &good);

	assert_string_equal(findings, expected);
	assert_false(good);
	free(findings);
}

static void
test_bytes_that_are_no_text(void **state)
{
	(void)state;
	expect_finding(SLICE("postmaster: a\0b\n"),
	    "mailhaul.yaml:1:1: error: (file): holds a NUL byte at offset 13; "
	    "this is "
	    "not a text file\n");
	expect_finding(SLICE("# \xc3\xa4\n# \xc3\xa4\xff\n"),
	    "mailhaul.yaml:2:4: error: (file): invalid leading UTF-8 octet\n");
}

static void
test_file_too_large(void **state)
{
	enum { SIZE = 1024 * 1024 + 1 };
	uint8_t *text = mem_new(SIZE);

	(void)state;
	memset(text, '#', SIZE);
	expect_finding((struct slice){ text, SIZE },
	    "mailhaul.yaml:1:1: error: (file): larger than the limit of "
	    "1048576 bytes\n");
	/* At the limit it is just a comment. */
	expect_finding((struct slice){ text, SIZE - 1 },
	    "mailhaul.yaml:1:1: error: (file): the file is empty\n");
	free(text);
}

static void
test_too_many_keys(void **state)
{
	bool good;
	char *findings;
	struct buf yaml;

	(void)state;
	buf_init(&yaml, 1024 * 1024);
	for (int i = 0; i < 300; i++)
		buf_printf(&yaml, "key%d: 1\n", i);
	findings = findings_of(buf_slice(&yaml), &good);
	assert_string_equal(findings,
	    "mailhaul.yaml:1:1: error: (file): too many keys in one mapping\n");
	free(findings);
	buf_clear(&yaml);
}

static void
test_byte_order_mark_is_let_through(void **state)
{
	char *findings;
	bool good;

	(void)state;
	findings = findings_of(SLICE("\xef\xbb\xbfpostmaster: a@example.org\n"
				     "accepted_domains: [example.org]\n"
				     "directory: [{file: users.txt}]\n"
				     "accounts: []\n"),
	    &good);
	assert_string_equal(findings, "");
	assert_true(good);
	free(findings);
}

static void
test_missing_file(void **state)
{
	char *raw = NULL;
	size_t len;
	FILE *sink = open_memstream(&raw, &len);

	(void)state;
	assert_null(config_load("/nowhere/mailhaul.yaml", sink));
	fclose(sink);
	assert_string_equal(raw,
	    "/nowhere/mailhaul.yaml:1:1: error: (file): No such file or "
	    "directory\n");
	free(raw);
	assert_null(config_load("/nowhere/mailhaul.yaml", NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good_files),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_bytes_that_are_no_text),
		cmocka_unit_test(test_file_too_large),
		cmocka_unit_test(test_too_many_keys),
		cmocka_unit_test(test_byte_order_mark_is_let_through),
		cmocka_unit_test(test_missing_file),
	};

	return cmocka_run_group_tests(tests, make_folder, scratch_tear_down);
}
