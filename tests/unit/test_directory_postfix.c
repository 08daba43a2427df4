/* SPDX-License-Identifier: Apache-2.0 */
/* What each way in which postmap(1) ends means: a script stands for it. */
#include "directory/source.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 120, TIMEOUT_MS = 20000 };

static char script[] = "/tmp/postmap-XXXXXX";
static struct directory_source settings = {
	.kind = DIRECTORY_POSTFIX,
	.postfix = { .table = "hash:/v",
	    .postmap = script,
	    .timeout_ms = TIMEOUT_MS },
};

static int
make_script(void **state)
{
	int fd = mkstemp(script);

	(void)state;
	close(fd);
	return fd < 0;
}

static int
remove_script(void **state)
{
	(void)state;
	return unlink(script);
}

static void
postmap(const char *text)
{
	FILE *file = fopen(script, "w");

	assert_non_null(file);
	fprintf(file, "#!/bin/sh\n%s\n", text);
	fclose(file);
	assert_int_equal(chmod(script, 0700), 0);
}

static const struct address two[] = { { "anna", "example.org" },
	{ "ben", "example.org" } };

static void
expect_two(enum existence anna, enum existence ben, const char *reason)
{
	void *source = source_postfix.open(NULL, &settings);
	struct directory_answer answers[2];

	source_postfix.lookup(
	    source, &(struct directory_question){ two, 2, INT64_MAX }, answers);
	source_postfix.close(source);
	if (answers[0].existence != anna || answers[1].existence != ben ||
	    strstr(answers[1].reason, reason) == NULL)
		fail_msg("%s, %s", answers[0].reason, answers[1].reason);
}

#define ANNA "printf 'Anna@Example.org\\tanna\\n'; "

static void
test_clear_answers(void **state)
{
	(void)state;
	postmap("test \"$*\" = '-q - hash:/v' || exit 1\n"
		"test \"$(cat | tr '\\n' ' ')\" = "
		"'anna@example.org ben@example.org ' || exit 2\n" ANNA);
	expect_two(EXISTS, ABSENT, "hash:/v: no such address");
	postmap("exit 1");
	expect_two(ABSENT, ABSENT, "no such address");
	postmap(ANNA "printf 'ben@example.org\\tx\\n'");
	expect_two(EXISTS, EXISTS, "hash:/v: listed");
	postmap("echo 'postmap: warning: /etc/postfix/main.cf, line 4: "
		"overriding earlier entry: myorigin=a' >&2; exit 1");
	expect_two(ABSENT, ABSENT, "no such address");
}

static void
test_trouble_is_no_answer(void **state)
{
	(void)state;
	postmap("echo 'postmap: fatal: open database' >&2; exit 1");
	expect_two(UNKNOWN, UNKNOWN, "hash:/v: fatal: open database");
	/* Whoever was found before is. */
	postmap(ANNA "echo 'postmap: fatal: query error' >&2; exit 1");
	expect_two(EXISTS, UNKNOWN, "query error");
	postmap(ANNA "echo 'postmap: warning: line 1: ignored' >&2");
	expect_two(EXISTS, UNKNOWN, "line 1: ignored");
	postmap("exit 75");
	expect_two(UNKNOWN, UNKNOWN, "exit status 75");
	postmap("kill -KILL $$");
	expect_two(UNKNOWN, UNKNOWN, "signal 9");
	/* Something was found, and it is none of ours. */
	postmap("printf 'carl@example.org\\tcarl\\n'");
	expect_two(UNKNOWN, UNKNOWN, "exit status 0");
	postmap(ANNA "exit 1");
	expect_two(EXISTS, UNKNOWN, "exit status 1");
	/* So many harmless lines that one that is not may be cut off. */
	postmap("for i in $(seq 600); do echo 'postmap: warning: main.cf, "
		"line 4: overriding earlier entry: x=y'; done >&2; exit 1");
	expect_two(UNKNOWN, UNKNOWN, "says too much");
	postmap("exec cat /dev/zero");
	expect_two(UNKNOWN, UNKNOWN, "printed more than");
	settings.postfix.postmap = "/nonexistent";
	expect_two(UNKNOWN, UNKNOWN, "cannot run /nonexistent");
	settings.postfix.postmap = script;
}

static void
test_time_out(void **state)
{
	int64_t begun_ms = clock_monotonic_ms();

	(void)state;
	settings.postfix.timeout_ms = 3000;
	postmap(ANNA "exec sleep 60");
	expect_two(EXISTS, UNKNOWN, "timed out");
	assert_in_range(clock_monotonic_ms() - begun_ms, 3000, 50000);
	settings.postfix.timeout_ms = TIMEOUT_MS;
}

static void
test_local_part_as_key(void **state)
{
	(void)state;
	settings.postfix.key = TABLE_KEY_LOCAL;
	postmap("test \"$(cat | tr '\\n' ' ')\" = 'anna ben ' || exit 2\n"
		"printf 'ben\\troot\\n'");
	expect_two(ABSENT, EXISTS, "listed");
	settings.postfix.key = TABLE_KEY_ADDRESS;
}

/* Fifty by one child. */
static void
test_many(void **state)
{
	struct address *addresses = calloc(MANY, sizeof(*addresses));
	struct directory_answer *answers = calloc(MANY, sizeof(*answers));
	void *source = source_postfix.open(NULL, &settings);

	(void)state;
	/* Every second one is there. */
	postmap("grep '[02468]@' | sed 's/$/\\tx/'; exit 0");
	for (int i = 0; i < MANY; i++) {
		snprintf(addresses[i].local, sizeof(addresses[i].local),
		    "user%d", i);
		snprintf(addresses[i].domain, sizeof(addresses[i].domain),
		    "example.org");
	}
	source_postfix.lookup(source,
	    &(struct directory_question){ addresses, MANY, INT64_MAX },
	    answers);
	for (int i = 0; i < MANY; i++)
		if (answers[i].existence != (i % 2 == 0 ? EXISTS : ABSENT))
			fail_msg("user%d: %s", i, answers[i].reason);
	source_postfix.close(source);
	free(addresses);
	free(answers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clear_answers),
		cmocka_unit_test(test_trouble_is_no_answer),
		cmocka_unit_test(test_time_out),
		cmocka_unit_test(test_local_part_as_key),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, make_script, remove_script);
}
