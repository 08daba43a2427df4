/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration that README.md and the manual show must work as it stands. */
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/config.h"

enum { TEXT_ROOM = 256 * 1024, PATH_ROOM = 256 };

/* What the examples name, besides passwords. */
static const char *const files[] = { "users.txt", "bank.pem", "bank.key" };

static char folder[SCRATCH_SIZE];

static int
make_folder(void **state)
{
	*state = folder;
	scratch_make(folder);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		scratch_put(
		    folder, files[i], SLICE("anna@example.org\n"), 0600);
	return 0;
}

static void
put_passwords(struct slice yaml)
{
	static const char before[] = "password: {file: ";
	struct slice name;
	char text[PATH_ROOM];

	while (slice_search_nocase(yaml, slice_of(before)) < yaml.len) {
		yaml = slice_from(
		    yaml, slice_search_nocase(yaml, slice_of(before)) +
			      strlen(before));
		if (!slice_cut_until(&yaml, '}', &name))
			return;
		snprintf(text, sizeof(text), "%.*s", SLICE_ARG(name));
		scratch_put(folder, text, SLICE("secret\n"), 0600);
	}
}

/* With Sendmail there is no milter to ask, and some providers record nothing that
 * could be believed: both are warned of. */
static const char *const expected[] = {
	"warning: inject.require_milter:",
	"warning: accounts[0]: without recipients.trusted_hosts",
};

static bool
is_expected(struct slice findings)
{
	struct slice line;
	bool all = true;

	while (all && slice_cut_line(&findings, &line)) {
		all = false;
		for (size_t i = 0; i < sizeof(expected) / sizeof(*expected);
		     i++)
			all = all || slice_search_nocase(line,
					 slice_of(expected[i])) < line.len;
	}
	return all;
}

/* Loads it; there must be nothing else to find. */
static struct config *
load(struct slice yaml)
{
	char path[PATH_ROOM];
	char *findings = NULL;
	size_t findings_len = 0;
	FILE *f = open_memstream(&findings, &findings_len);
	struct config *config;

	put_passwords(yaml);
	scratch_put(folder, "mailhaul.yaml", yaml, 0600);
	snprintf(path, sizeof(path), "%s/mailhaul.yaml", folder);
	config = config_load(path, f);
	fclose(f);
	if (config == NULL || !is_expected(slice_of(findings)))
		fail_msg("%s\n%.*s", findings, (int)yaml.len, yaml.data);
	free(findings);
	return config;
}

static bool
has_key(struct slice yaml, const char *key)
{
	struct slice line;

	while (slice_cut_line(&yaml, &line))
		if (slice_starts(line, slice_of(key)))
			return true;
	return false;
}

/* An example may leave out what every configuration has. */
static void
load_completed(struct slice yaml)
{
	static const struct {
		const char *key, *text;
	} usual[] = {
		{ "postmaster:", "postmaster: postmaster@example.org\n" },
		{ "accepted_domains:", "accepted_domains: [example.org]\n" },
		{ "directory:", "directory: [file: users.txt]\n" },
		{ "accounts:",
		    "accounts: [{name: usual, host: pop.isp.example,\n"
		    "  user: example.org, password: {file: office.password},\n"
		    "  recipients: {trusted_hosts: [.isp.example]}}]\n" },
	};
	struct buf whole;

	buf_init(&whole, TEXT_ROOM);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (!has_key(yaml, usual[i].key))
			buf_add_string(&whole, usual[i].text);
	buf_add(&whole, yaml);
	config_unref(load(buf_slice(&whole)));
	buf_clear(&whole);
}

/* A line of a literal block, as a reader sees it. */
static void
add_shown(struct buf *out, struct slice line)
{
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '\\' && line.data[++i] == '&')
			continue;
		buf_add_byte(out, line.data[i]);
	}
	buf_add_byte(out, '\n');
}

/* One account, without the key above it. */
static bool
is_account(struct slice block)
{
	return slice_starts(block, SLICE("  - name: "));
}

/* The first line of a mapping: "key:", and not "mailhaul.yaml:14:12: error". */
static bool
is_yaml(struct slice block)
{
	size_t n = 0;

	while (
	    n < block.len && ((block.data[n] >= 'a' && block.data[n] <= 'z') ||
				 block.data[n] == '_'))
		n++;
	return n > 0 && n + 1 < block.len && block.data[n] == ':' &&
	       (block.data[n + 1] == ' ' || block.data[n + 1] == '\n');
}

static size_t
load_block(struct slice block)
{
	struct buf accounts;

	if (is_yaml(block)) {
		load_completed(block);
		return 1;
	}
	if (!is_account(block))
		return 0;
	buf_init(&accounts, TEXT_ROOM);
	buf_add_string(&accounts, "accounts:\n");
	buf_add(&accounts, block);
	load_completed(buf_slice(&accounts));
	buf_clear(&accounts);
	return 1;
}

/* Loads the YAML between lines that begin so and end so; how many there are. */
static size_t
load_blocks(const char *path, const char *from, const char *to)
{
	struct buf text, block;
	struct slice rest, line;
	struct error err;
	bool inside = false;
	size_t found = 0;

	buf_init(&text, TEXT_ROOM);
	buf_init(&block, TEXT_ROOM);
	if (!file_read(path, &text, &err))
		fail_msg("%s", err.text);
	rest = buf_slice(&text);
	while (slice_cut_line(&rest, &line)) {
		if (inside && slice_starts(line, slice_of(to))) {
			inside = false;
			found += load_block(buf_slice(&block));
			buf_clear(&block);
			buf_init(&block, TEXT_ROOM);
		} else if (inside) {
			add_shown(&block, line);
		} else {
			inside = slice_starts(line, slice_of(from));
		}
	}
	buf_clear(&text);
	buf_clear(&block);
	return found;
}

static void
what_readme_shows_loads_without_a_finding(void **state)
{
	(void)state;
	assert_true(load_blocks("README.md", "```yaml", "```") >= 1);
}

static void
what_the_manual_shows_loads_without_a_finding(void **state)
{
	static const struct {
		const char *path;
		size_t at_least;
	} pages[] = {
		{ "man/mailhaul.yaml.5", 19 },
		{ "man/mailhaul.8", 0 },
		{ "man/mailhaul-fetcher.8", 1 },
		{ "man/mailhaul-milter.8", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		assert_true(load_blocks(pages[i].path, ".Bd -literal", ".Ed") >=
			    pages[i].at_least);
}

/* What README.md says of its first account. */
static void
the_first_account_is_a_catch_all_mailbox(void **state)
{
	struct config *config;
	struct buf readme;
	struct slice yaml;
	struct error err;
	size_t at;

	(void)state;
	buf_init(&readme, TEXT_ROOM);
	assert_true(file_read("README.md", &readme, &err));
	yaml = buf_slice(&readme);
	at = slice_search_nocase(yaml, SLICE("```yaml\n"));
	yaml = slice_from(yaml, at + strlen("```yaml\n"));
	config =
	    load(slice_first(yaml, slice_search_nocase(yaml, SLICE("```"))));
	assert_int_equal(config->n_accounts, 1);
	assert_non_null(config_account(config, "office"));
	assert_int_equal(config->accounts[0].protocol, PROTOCOL_POP3S);
	assert_int_equal(config->accounts[0].port, 995);
	assert_int_equal(config->accounts[0].mailbox, MAILBOX_CATCH_ALL);
	assert_string_equal(config->accounts[0].fallback.local, "postmaster");
	config_unref(config);
	buf_clear(&readme);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_readme_shows_loads_without_a_finding),
		cmocka_unit_test(what_the_manual_shows_loads_without_a_finding),
		cmocka_unit_test(the_first_account_is_a_catch_all_mailbox),
	};

	return cmocka_run_group_tests(tests, make_folder, scratch_tear_down);
}
