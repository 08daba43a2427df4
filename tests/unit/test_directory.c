/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/directory.h"

#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/ldap_server.h"

struct fixture {
	char folder[64];
	char config[80];
	char users[80];
	struct ldap_server *server;
	struct directory *directory;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/directory-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->config, sizeof(f->config), "%s/mailhaul.yaml", f->folder);
	snprintf(f->users, sizeof(f->users), "%s/users.txt", f->folder);
	f->server = ldap_server_start();
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	directory_free(f->directory);
	ldap_server_stop(f->server);
	free(f->server);
	unlink(f->config);
	unlink(f->users);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void
write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static const char file_source[] = "  - file: users.txt\n";

/* Stands for the test's own server. */
#define LDAP ""

static void
open_directory(
    struct fixture *f, const char *cache, const char *first, const char *second)
{
	struct config *config;
	char text[2048], ldap[256];

	snprintf(ldap, sizeof(ldap),
	    "  - ldap: {uri: [\"%s\"], base: o=x, timeout: 1s, "
	    "schema: openldap}\n",
	    f->server->uri);
	snprintf(text, sizeof(text),
	    "postmaster: postmaster@example.org\n"
	    "accepted_domains: [example.org]\n"
	    "cache: {%s}\n%s%s%s"
	    "accounts: []\n",
	    cache, first == NULL ? "" : "directory:\n",
	    first == NULL      ? ""
	    : first[0] == '\0' ? ldap
			       : first,
	    second == NULL      ? ""
	    : second[0] == '\0' ? ldap
				: second);
	write_file(f->config, text);
	config = config_load(f->config, stderr);
	assert_non_null(config);
	f->directory = directory_new(config);
	config_unref(config);
}

static struct directory_answer
ask(const struct fixture *f, const char *local)
{
	struct directory_answer answer;
	struct address address;

	assert_int_equal(
	    address_make(slice_of(local), SLICE("example.org"), &address),
	    ADDRESS_OK);
	directory_lookup(f->directory, &address, &answer);
	return answer;
}

static void
expect(const struct fixture *f, const char *local, enum existence existence,
    const char *reason)
{
	struct directory_answer answer = ask(f, local);

	if (answer.existence != existence ||
	    strstr(answer.reason, reason) == NULL)
		fail_msg("%s: %s: %s", local, existence_name(answer.existence),
		    answer.reason);
}

static void
test_no_source(void **state)
{
	struct fixture *f = *state;
	char reason[DIRECTORY_REASON_SIZE];

	open_directory(f, "", NULL, NULL);
	expect(f, "anybody", EXISTS, "no directory configured");
	assert_true(directory_ready(f->directory, reason));
}

static void
test_any_yes_counts(void **state)
{
	struct fixture *f = *state;

	open_directory(f, "", LDAP, file_source);
	write_file(f->users, "anna@example.org\n");
	expect(f, "anna", EXISTS, "listed");
	expect(f, "bert", ABSENT, "no entry; ");
	f->server->entries = 1;
	expect(f, "carl", EXISTS, "1 entry");
}

/* Also when the one who says no comes after. */
static void
test_without_a_yes_doubt_remains(void **state)
{
	struct fixture *f = *state;

	open_directory(f, "", LDAP, file_source);
	write_file(f->users, "anna@example.org\n");
	f->server->search_code = 51;
	expect(f, "bert", UNKNOWN, "busy");
	expect(f, "anna", EXISTS, "listed");
	f->server->search_code = 0;
	unlink(f->users);
	expect(f, "carl", UNKNOWN, "users.txt");
}

static void
test_answers_are_cached(void **state)
{
	struct fixture *f = *state;

	open_directory(f, "found: 1h, absent: 1h", LDAP, NULL);
	expect(f, "bert", ABSENT, "no entry");
	expect(f, "bert", ABSENT, "(cached)");
	f->server->entries = 1;
	expect(f, "bert", ABSENT, "(cached)");
	expect(f, "anna", EXISTS, "1 entry");
	expect(f, "anna", EXISTS, "(cached)");
	assert_int_equal(f->server->searches, 2);
}

static void
test_doubt_is_not_cached(void **state)
{
	struct fixture *f = *state;

	open_directory(f, "found: 1h, absent: 1h", LDAP, NULL);
	f->server->search_code = 51;
	expect(f, "anna", UNKNOWN, "busy");
	f->server->search_code = 0;
	f->server->entries = 1;
	expect(f, "anna", EXISTS, "1 entry");
}

static void
test_stale_yes_helps_while_away(void **state)
{
	struct fixture *f = *state;

	open_directory(f, "found: 0s, absent: 0s, stale: 1h", LDAP, NULL);
	expect(f, "bert", ABSENT, "no entry");
	f->server->entries = 1;
	expect(f, "anna", EXISTS, "1 entry");
	ldap_server_stop(f->server);
	for (int i = 0; i < 5; i++) {
		expect(f, "anna", EXISTS, "(stale, directory away)");
		expect(f, "bert", UNKNOWN, "contact");
	}
}

static void
test_breaker_spares_the_next(void **state)
{
	struct fixture *f = *state;
	char reason[DIRECTORY_REASON_SIZE];

	open_directory(f, "", LDAP, NULL);
	f->server->search_code = 51;
	for (int i = 0; i < 3; i++)
		expect(f, "anna", UNKNOWN, "busy");
	f->server->search_code = 0;
	expect(f, "anna", UNKNOWN, "not asked again yet");
	assert_false(directory_ready(f->directory, reason));
	assert_non_null(strstr(reason, "busy"));
	assert_int_equal(f->server->searches, 3);
}

static void
test_ready_asks_for_real(void **state)
{
	struct fixture *f = *state;
	char reason[DIRECTORY_REASON_SIZE];

	open_directory(f, "", LDAP, NULL);
	assert_true(directory_ready(f->directory, reason));
	assert_int_equal(f->server->searches, 1);
	/* Fresh enough. */
	assert_true(directory_ready(f->directory, reason));
	assert_int_equal(f->server->searches, 1);
}

/* Up, but the base is gone: each look-up would fail. */
static void
test_not_ready_without_base(void **state)
{
	struct fixture *f = *state;
	char reason[DIRECTORY_REASON_SIZE];

	open_directory(f, "", LDAP, NULL);
	f->server->search_code = 32;
	assert_false(directory_ready(f->directory, reason));
	assert_non_null(strstr(reason, "No such object"));
	f->server->search_code = 0;
	assert_true(directory_ready(f->directory, reason));
}

static void
test_not_ready_without_file(void **state)
{
	struct fixture *f = *state;
	char reason[DIRECTORY_REASON_SIZE];

	open_directory(f, "", LDAP, file_source);
	assert_false(directory_ready(f->directory, reason));
	assert_non_null(strstr(reason, "users.txt"));
	write_file(f->users, "anna@example.org\n");
	assert_true(directory_ready(f->directory, reason));
}

static void
test_ready_sees_death_within_a_second(void **state)
{
	struct fixture *f = *state;
	char reason[DIRECTORY_REASON_SIZE];
	int64_t dead_ms;

	open_directory(f, "", LDAP, NULL);
	assert_true(directory_ready(f->directory, reason));
	ldap_server_stop(f->server);
	dead_ms = clock_monotonic_ms();
	while (directory_ready(f->directory, reason)) {
		assert_in_range(clock_monotonic_ms() - dead_ms, 0, 1500);
		usleep(10000);
	}
}

static void *
ask_often(void *argument)
{
	struct fixture *f = argument;
	char reason[DIRECTORY_REASON_SIZE], local[32];

	for (int i = 0; i < 100; i++) {
		snprintf(local, sizeof(local), "user%d", i % 50);
		if (ask(f, local).existence != EXISTS ||
		    !directory_ready(f->directory, reason))
			return f;
	}
	return NULL;
}

static void
test_threads(void **state)
{
	struct fixture *f = *state;
	pthread_t threads[8];

	open_directory(f, "found: 1ms", file_source, LDAP);
	write_file(f->users, "user7@example.org\n");
	f->server->entries = 1;
	for (size_t i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, ask_often, f);
	for (size_t i = 0; i < 8; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	/* No more connections than threads. */
	assert_in_range(f->server->connections, 1, 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_no_source),
		TEST(test_any_yes_counts),
		TEST(test_without_a_yes_doubt_remains),
		TEST(test_answers_are_cached),
		TEST(test_doubt_is_not_cached),
		TEST(test_stale_yes_helps_while_away),
		TEST(test_breaker_spares_the_next),
		TEST(test_ready_asks_for_real),
		TEST(test_not_ready_without_base),
		TEST(test_not_ready_without_file),
		TEST(test_ready_sees_death_within_a_second),
		TEST(test_threads),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
