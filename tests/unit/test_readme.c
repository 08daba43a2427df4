/* SPDX-License-Identifier: Apache-2.0 */
/* What README.md shows must work as it stands there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config/config.h"

/* The text between "```yaml" and the next "```". */
static struct slice
first_yaml_block(struct slice readme)
{
	struct slice line, block = { NULL, 0 };

	while (slice_cut_line(&readme, &line))
		if (slice_equal(line, SLICE("```yaml")))
			break;
	block.data = readme.data;
	while (slice_cut_line(&readme, &line)) {
		if (slice_equal(line, SLICE("```")))
			break;
		block.len = (size_t)(line.data + line.len - block.data) + 1;
	}
	return block;
}

static void
put(const char *folder, const char *name, struct slice content)
{
	char path[256];
	struct error err;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!file_replace(path, content, 0600, &err))
		fail_msg("%s", err.text);
}

static void
discard(const char *folder)
{
	static const char *const names[] = { "mailhaul.yaml", "users.txt",
		"office.password" };
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

static void
the_first_account_loads_without_a_finding(void **state)
{
	char folder[] = "/tmp/test_readme.XXXXXX", path[64];
	char *findings = NULL;
	size_t findings_len = 0;
	FILE *f = open_memstream(&findings, &findings_len);
	struct config *config;
	struct buf readme;
	struct error err;

	(void)state;
	buf_init(&readme, 64 * 1024);
	assert_true(file_read("README.md", &readme, &err));
	assert_non_null(mkdtemp(folder));
	put(folder, "mailhaul.yaml", first_yaml_block(buf_slice(&readme)));
	put(folder, "users.txt", SLICE("anna@example.org\n"));
	put(folder, "office.password", SLICE("secret\n"));
	snprintf(path, sizeof(path), "%s/mailhaul.yaml", folder);
	config = config_load(path, f);
	fclose(f);
	assert_string_equal(findings, "");
	assert_non_null(config);
	assert_int_equal(config->n_accounts, 1);
	assert_non_null(config_account(config, "office"));
	assert_int_equal(config->accounts[0].protocol, PROTOCOL_POP3S);
	assert_int_equal(config->accounts[0].port, 995);
	assert_int_equal(config->accounts[0].mailbox, MAILBOX_CATCH_ALL);
	assert_string_equal(config->accounts[0].fallback.local, "postmaster");
	config_unref(config);
	buf_clear(&readme);
	free(findings);
	discard(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_account_loads_without_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
