/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each file KIND-NAME in tests/data/import, with KIND-NAME.yaml and
 * KIND-NAME.report: what must come out.  The YAML must load, once the domain is
 * filled in and the password files are there.
 */
#include "tests/support/scratch.h"

#include "tests/support/import_text.h"

#include "base/file.h"
#include "config/config.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define DATA "tests/data/import/"

struct kind {
	const char *name;
	import_reader *read;
};
static const struct kind kinds[] = {
	{ "fetchmailrc", import_fetchmailrc },
	{ "getmailrc", import_getmailrc },
	{ "mpoprc", import_mpoprc },
	{ "csv", import_csv },
};

static char folder[SCRATCH_SIZE];

static int
make_folder(void **state)
{
	*state = folder;
	scratch_make(folder);
	return 0;
}

/* The content of a file, to be freed; "" when there is none. */
static char *
content(const char *path)
{
	struct error err;
	struct buf text;
	char *copy;

	buf_init(&text, IMPORT_SOURCE_MAX);
	copy = strdup(file_read(path, &text, &err) ? buf_string(&text) : "");
	buf_clear(&text);
	assert_non_null(copy);
	return copy;
}

static char *
yaml_of(struct import *import)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	import_write_yaml(import, out);
	fclose(out);
	return text;
}

/* With UPDATE set in the environment, what came out becomes what must. */
static void
assert_content(const char *path, const char *suffix, const char *text)
{
	char full[PATH_MAX], *expected;
	struct error err;

	snprintf(full, sizeof(full), "%s.%s", path, suffix);
	if (getenv("UPDATE") != NULL)
		assert_true(file_replace(full, slice_of(text), 0644, &err));
	expected = content(full);
	assert_string_equal(text, expected);
	free(expected);
}

/* What an administrator does with it. */
static void
fill_in(char *yaml)
{
	static const char to[] = "filled.in.test"; /* as long */
	char *at = yaml;

	_Static_assert(sizeof(to) <= sizeof(IMPORT_NO_DOMAIN) + 1, "fits");
	while ((at = strstr(at, IMPORT_NO_DOMAIN)) != NULL) {
		size_t len = strlen(IMPORT_NO_DOMAIN);

		for (size_t i = 0; i < len; i++)
			at[i] = to[i];
	}
}

static void
assert_loads(struct import *import, char *yaml)
{
	struct config *config;
	size_t n = 0;

	scratch_put(folder, "mailhaul.yaml", slice_of(yaml), 0644);
	if (strstr(yaml, IMPORT_NO_DOMAIN) != NULL) {
		assert_null(
		    config_load(scratch_path(folder, "mailhaul.yaml"), NULL));
		fill_in(yaml);
		scratch_put(folder, "mailhaul.yaml", slice_of(yaml), 0644);
	}
	for (size_t i = 0; i < import->n_accounts; i++) {
		if (import->accounts[i]->password_file != NULL)
			scratch_put(folder, import->accounts[i]->password_file,
			    SLICE("x"), 0600);
		n += !import->accounts[i]->refused;
	}
	scratch_put(folder, "users.txt", SLICE(""), 0644);
	config = config_load(scratch_path(folder, "mailhaul.yaml"), NULL);
	if (config == NULL) {
		config_load(scratch_path(folder, "mailhaul.yaml"), stderr);
		fail();
		return;
	}
	assert_int_equal(config->n_accounts, n);
	config_unref(config);
}

static void
check_sample(const struct kind *kind, const char *path)
{
	const char *name = path + strlen(DATA);
	char *source = content(path), *yaml, *report;
	struct import import;
	int status;

	print_message("%s\n", name);
	import_text(&import, kind->read, source);
	import_secrets(&import, NULL);
	yaml = yaml_of(&import);
	report = import_text_report(&import, name, &status);
	assert_content(path, "yaml", yaml);
	assert_content(path, "report", report);
	assert_int_equal(status, strstr(report, ": refused: ") != NULL
				     ? EX_DATAERR
				 : strstr(report, ": dropped: ") != NULL ? 1
									 : 0);
	assert_loads(&import, yaml);
	free(source);
	free(yaml);
	free(report);
	import_clear(&import);
}

static void
test_samples(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		char pattern[PATH_MAX];
		glob_t found;

		snprintf(pattern, sizeof(pattern), DATA "%s-*", kinds[k].name);
		assert_int_equal(glob(pattern, 0, NULL, &found), 0);
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (strchr(found.gl_pathv[i], '.') == NULL)
				check_sample(&kinds[k], found.gl_pathv[i]);
		globfree(&found);
	}
}

static void
test_escapes(void **state)
{
	static const struct {
		const char *source, *password;
	} cases[] = {
		{ "pass 'a b'", "a b" },
		{ "pass keep", "keep" },
		{ "pass with", "with" },
		{ "pass 123", "123" },
		{ "pass \"\\x41\\101\\0101z\\\\\\q\"", "Ae\b1z\\q" },
		{ "pass \"jo\\\nined\"", "joined" },
		{ "password a#b keep", "a#b" },
		{ "pass\n# comment\n x", "x" },
		{ "pass x\\", "x" },
	};
	struct import import;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char source[100];

		snprintf(source, sizeof(source),
		    "poll h.example proto pop3 user u %s", cases[i].source);
		import_text(&import, import_fetchmailrc, source);
		assert_int_equal(import.n_accounts, 1);
		assert_string_equal(
		    import.accounts[0]->password, cases[i].password);
		import_clear(&import);
	}
}

static void
test_lists_of_defaults(void **state)
{
	struct import import;

	(void)state;
	import_text(&import, import_fetchmailrc,
	    "defaults is a here folder A poll h.example proto imap\n"
	    "user u is b here folder B folder C\n"
	    "poll i.example proto imap user v");
	assert_int_equal(import.n_accounts, 2);
	assert_string_equal(import.accounts[0]->deliver_to, "b");
	assert_int_equal(import.accounts[0]->folders.n, 2);
	assert_string_equal(import.accounts[1]->deliver_to, "a");
	assert_int_equal(import.accounts[1]->folders.n, 1);
	import_clear(&import);
}

static void
test_names_are_unique(void **state)
{
	struct import import;

	(void)state;
	import_text(&import, import_fetchmailrc,
	    "poll h.example user u poll h.example user v poll h.example-2 "
	    "user w poll h.example user x");
	assert_int_equal(import.n_accounts, 4);
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(
			    import.accounts[i]->name, import.accounts[k]->name);
	import_clear(&import);
}

/* Nothing that may be a password gets into the report or the YAML. */
static void
test_secrets_stay_secret(void **state)
{
	struct import import;
	char *yaml, *report;
	int status;

	(void)state;
	import_text(&import, import_fetchmailrc,
	    "poll h.example user u pass geheim stray1 stray2 is x\n"
	    "user stray3 stray4 pass \"geheim");
	import_secrets(&import, NULL);
	yaml = yaml_of(&import);
	report = import_text_report(&import, "rc", &status);
	assert_int_equal(status, EX_DATAERR);
	assert_null(strstr(report, "geheim"));
	assert_null(strstr(report, "stray"));
	assert_null(strstr(yaml, "geheim"));
	assert_null(strstr(yaml, "stray"));
	free(yaml);
	free(report);
	import_clear(&import);
}

static void
test_secrets_written(void **state)
{
	struct import import;
	char *text, *report;
	struct stat st;
	int status;

	(void)state;
	scratch_put(folder, "i.example.password", SLICE("older\n"), 0600);
	import_text(&import, import_fetchmailrc,
	    "poll h.example user u pass 'ge heim' poll i.example user v "
	    "pass newer");
	import_secrets(&import, folder);
	text = content(scratch_path(folder, "h.example.password"));
	assert_string_equal(text, "ge heim\n");
	free(text);
	text = content(scratch_path(folder, "i.example.password"));
	assert_string_equal(text, "older\n");
	free(text);
	assert_int_equal(
	    stat(scratch_path(folder, "h.example.password"), &st), 0);
	assert_int_equal(st.st_mode & ALLPERMS, 0600);
	assert_string_equal(import.accounts[0]->password_file,
	    scratch_path(folder, "h.example.password"));
	report = import_text_report(&import, "rc", &status);
	assert_non_null(strstr(report, "is there already"));
	assert_int_equal(status, 1);
	free(report);
	import_clear(&import);
}

static void
test_domain(void **state)
{
	struct import import;
	char *yaml;

	(void)state;
	import_init(&import);
	import.domain = "example.org";
	import_read(&import, import_fetchmailrc,
	    SLICE("poll h.example user u is anna here"));
	import_secrets(&import, NULL);
	yaml = yaml_of(&import);
	assert_non_null(strstr(yaml, "postmaster: postmaster@example.org\n"));
	assert_non_null(strstr(yaml, "  - example.org\n"));
	assert_non_null(strstr(yaml, "deliver_to: anna@example.org\n"));
	free(yaml);
	import_clear(&import);
}

/* The values that YAML could not hold. */
static void
test_unwritable(void **state)
{
	static const char *const users[] = { "\"a\\x0ab\"", "\"a\\xff\"",
		"\"\\xc0\\xaf\"", "\"\\xed\\xa0\\x80\"", "\"\\xe2\\x80\\xa8\"",
		"\"\\xc2\\x85\"", "\"\\xc3\"", "\"\"" };
	struct import import;

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		char source[100];

		snprintf(source, sizeof(source),
		    "poll h.example user %s pass x", users[i]);
		import_text(&import, import_fetchmailrc, source);
		assert_true(import.accounts[0]->refused);
		import_clear(&import);
	}
	import_text(&import, import_fetchmailrc,
	    "poll h.example user 'J\303\266rg \\\\ \360\237\230\200'");
	assert_false(import.accounts[0]->refused);
	import_clear(&import);
}

/* Which domain an address has the parser says, not the last @. */
static void
test_domain_of_an_address(void **state)
{
	struct import import;

	(void)state;
	import_text(&import, import_csv,
	    "host,user,deliver_to\nh.example,u,anna@example.net (@home)\n");
	assert_false(import.accounts[0]->refused);
	assert_int_equal(import.domains.n, 1);
	assert_string_equal(import.domains.items[0], "example.net");
	import_clear(&import);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_lists_of_defaults),
		cmocka_unit_test(test_names_are_unique),
		cmocka_unit_test(test_secrets_stay_secret),
		cmocka_unit_test(test_secrets_written),
		cmocka_unit_test(test_domain),
		cmocka_unit_test(test_unwritable),
		cmocka_unit_test(test_domain_of_an_address),
	};

	return cmocka_run_group_tests(tests, make_folder, scratch_tear_down);
}
