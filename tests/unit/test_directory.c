/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/directory.h"

#include "base/clock.h"
#include "directory/inquiry.h"

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
	const char *more; /* settings of the LDAP source */
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
	    "  - ldap: {uri: [\"%s\"], base: o=x, timeout: 30s, "
	    "schema: openldap%s}\n",
	    f->server->uri, f->more == NULL ? "" : f->more);
	snprintf(text, sizeof(text),
	    "postmaster: postmaster@example.org\n"
	    "accepted_domains: [example.org, sub.example.org]\n"
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
	int64_t begun_ms, took_ms;
	int asked;

	/* For a second that is fresh enough. */
	do {
		directory_free(f->directory);
		open_directory(f, "", LDAP, NULL);
		begun_ms = clock_monotonic_ms();
		asked = f->server->searches;
		assert_true(directory_ready(f->directory, reason));
		assert_int_equal(f->server->searches, ++asked);
		assert_true(directory_ready(f->directory, reason));
		took_ms = clock_monotonic_ms() - begun_ms;
	} while (f->server->searches != asked && took_ms >= 1000);
	assert_int_equal(f->server->searches, asked);
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
	int64_t dead_ms, asked_ms;

	open_directory(f, "", LDAP, NULL);
	assert_true(directory_ready(f->directory, reason));
	ldap_server_stop(f->server);
	asked_ms = dead_ms = clock_monotonic_ms();
	while (directory_ready(f->directory, reason)) {
		assert_in_range(asked_ms - dead_ms, 0, 1100);
		usleep(10000);
		asked_ms = clock_monotonic_ms();
	}
}

/* While the canary is not found, nobody is called absent. */
static void
test_canary(void **state)
{
	static const char *const nobody[] = { NULL };
	static const char *const canary[] = { "canary@example.org", NULL };
	static const char *const both[] = { "canary@example.org",
		"anna@example.org", NULL };
	struct fixture *f = *state;
	char reason[DIRECTORY_REASON_SIZE];

	f->more = ", canary: canary@example.org";
	open_directory(f, "found: 0s, absent: 0s, stale: 0s", LDAP, NULL);
	f->server->people = nobody;
	expect(
	    f, "anna", UNKNOWN, "the canary canary@example.org is not found");
	assert_false(directory_ready(f->directory, reason));
	assert_non_null(strstr(reason, "canary"));
	f->server->people = canary;
	assert_true(directory_ready(f->directory, reason));
	expect(f, "anna", ABSENT, "no entry");
	f->server->people = both;
	expect(f, "anna", EXISTS, "1 entry");
	/* Not with each question. */
	f->server->people = nobody;
	expect(f, "anna", ABSENT, "no entry");
	/* But after a fault. */
	f->server->search_code = 51;
	expect(f, "anna", UNKNOWN, "busy");
	f->server->search_code = 0;
	expect(f, "anna", UNKNOWN, "canary");
}

static const struct address asked[] = { { "anna", "example.org" },
	{ "bert", "example.org" }, { "carl", "example.org" } };

/* Also with a cache that keeps nothing. */
static void
test_inquiry_asks_once(void **state)
{
	static const char *const people[] = { "anna@example.org",
		"carl@example.org", NULL };
	static const enum existence expected[] = { EXISTS, ABSENT, EXISTS };
	struct fixture *f = *state;
	struct directory_answer answer;
	struct inquiry inquiry;

	open_directory(f, "found: 0s, absent: 0s, stale: 0s", LDAP, NULL);
	f->server->people = people;
	inquiry_begin(
	    &inquiry, f->directory, clock_monotonic_ms() + INQUIRY_MS);
	inquiry_prepare(&inquiry, asked, 3);
	for (size_t i = 0; i < 3; i++) {
		inquiry_lookup(&inquiry, &asked[i], &answer);
		assert_int_equal(answer.existence, expected[i]);
	}
	assert_int_equal(f->server->searches, 2);
	inquiry_end(&inquiry);
}

static void
test_inquiry_has_a_deadline(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answer;
	struct inquiry inquiry;
	int64_t begun_ms = clock_monotonic_ms();

	open_directory(f, "", LDAP, NULL);
	f->server->silent = true;
	inquiry_begin(&inquiry, f->directory, begun_ms + 100);
	inquiry_lookup(&inquiry, &asked[0], &answer);
	assert_int_equal(answer.existence, UNKNOWN);
	f->server->silent = false;
	inquiry_lookup(&inquiry, &asked[1], &answer);
	assert_int_equal(answer.existence, UNKNOWN);
	assert_non_null(strstr(answer.reason, "not asked"));
	/* Not the 30 s of the source. */
	assert_in_range(clock_monotonic_ms() - begun_ms, 90, 20000);
	inquiry_end(&inquiry);
}

/* The second source is asked only for those whom the first does not know. */
static void
test_many_through_the_chain(void **state)
{
	static const char *const people[] = { "bert@example.org", NULL };
	struct fixture *f = *state;
	struct directory_answer answers[3];
	struct directory_statistics s;

	open_directory(f, "", file_source, LDAP);
	write_file(f->users, "anna@example.org\n");
	f->server->people = people;
	directory_lookup_many(f->directory,
	    &(struct directory_question){ asked, 3, INT64_MAX }, answers);
	assert_int_equal(answers[0].existence, EXISTS);
	assert_int_equal(answers[1].existence, EXISTS);
	assert_int_equal(answers[2].existence, ABSENT);
	assert_non_null(strstr(answers[2].reason, "; "));
	assert_int_equal(directory_sources(f->directory), 2);
	directory_statistics(f->directory, 1, &s);
	assert_int_equal(s.lookups, 2);
}

/* Each is asked for its own domains; where there is none, nobody is turned
 * away. */
static void
test_domains(void **state)
{
	static const char *const people[] = { "anna@example.org", NULL };
	struct fixture *f = *state;
	struct directory_statistics s;

	f->server->people = people;
	write_file(f->users, "anna@example.org\n");
	open_directory(
	    f, "", "  - {file: users.txt, domains: [sub.example.org]}\n", NULL);
	expect(
	    f, "anna", EXISTS, "no source of the directory is for example.org");
	expect(f, "bert", EXISTS, "no source");
	directory_statistics(f->directory, 0, &s);
	assert_int_equal(s.lookups, 0);
	directory_free(f->directory);
	open_directory(
	    f, "", "  - {file: users.txt, domains: [sub.example.org]}\n", LDAP);
	expect(f, "anna", EXISTS, f->server->uri);
	expect(f, "bert", ABSENT, f->server->uri);
	directory_free(f->directory);
	open_directory(f, "",
	    "  - {file: users.txt, domains: [sub.example.org, example.org]}\n",
	    NULL);
	expect(f, "anna", EXISTS, "listed");
	expect(f, "bert", ABSENT, "no such address");
}

/* The server's entry, which holds one address, is found by any that ends in
 * it. */
static void
test_canonical_address(void **state)
{
	static const char *const people[] = { "anna@example.org", NULL };
	struct fixture *f = *state;
	struct directory_answer answer;

	f->server->people = people;
	f->more = ", rewrite_to: Mail";
	open_directory(f, "found: 0s, absent: 0s, stale: 1h", LDAP, NULL);
	answer = ask(f, "hanna");
	assert_string_equal(answer.canonical.local, "anna");
	assert_non_null(
	    strstr(answer.reason, "1 entry, Mail: anna@example.org"));
	f->server->search_code = 51;
	answer = ask(f, "hanna");
	assert_non_null(strstr(answer.reason, "stale"));
	assert_string_equal(answer.canonical.local, "anna");
	directory_free(f->directory);
	f->server->search_code = 0;
	open_directory(f, "", LDAP, NULL);
	ask(f, "hanna");
	answer = ask(f, "hanna");
	assert_non_null(strstr(answer.reason, "cached"));
	assert_string_equal(answer.canonical.local, "anna");
	assert_string_equal(ask(f, "bert").canonical.domain, "");
	directory_free(f->directory);
	f->more = NULL;
	open_directory(f, "", LDAP, NULL);
	assert_string_equal(ask(f, "hanna").canonical.domain, "");
}

/* Who has none, or may have several, is found all the same. */
static void
test_no_canonical_address(void **state)
{
	static const char *const two[] = { "anna@example.org",
		"nna@example.org", NULL };
	struct fixture *f = *state;

	f->server->people = two;
	f->more = ", rewrite_to: mail";
	open_directory(f, "found: 0s", LDAP, NULL);
	expect(f, "hanna", EXISTS, "several addresses to rewrite to in mail");
	assert_string_equal(ask(f, "hanna").canonical.domain, "");
	f->server->people = &two[1];
	expect(f, "hanna", EXISTS, "mail: nna@example.org");
	f->server->search_code = SIZE_LIMIT;
	expect(f, "hanna", EXISTS, "several addresses");
	f->server->search_code = SUCCESS;
	f->server->secretive = true;
	expect(f, "hanna", EXISTS, "1 entry, no address to rewrite to in mail");
}

static void
test_statistics(void **state)
{
	static const char *const people[] = { "anna@example.org", NULL };
	struct fixture *f = *state;
	struct directory_statistics s;

	open_directory(f, "found: 0s, absent: 1h, stale: 1h", LDAP, NULL);
	f->server->people = people;
	ask(f, "anna");
	ask(f, "bert");
	ask(f, "bert");
	f->server->search_code = 51;
	ask(f, "anna");
	for (int i = 0; i < 4; i++)
		ask(f, "carl");
	directory_statistics(f->directory, 0, &s);
	assert_string_equal(s.kind, "ldap");
	assert_string_equal(s.name, f->server->uri);
	assert_int_equal(s.lookups, 8);
	assert_int_equal(s.found, 2);
	assert_int_equal(s.absent, 2);
	assert_int_equal(s.unknown, 4);
	assert_int_equal(s.cached, 1);
	assert_int_equal(s.stale, 1);
	assert_int_equal(s.questions, 5);
	assert_int_equal(s.faults, 3);
	assert_int_equal(s.openings, 1);
	assert_true(s.away);
	assert_non_null(strstr(s.last_fault, "busy"));
	assert_true(s.last_us > 0 && s.total_us >= s.last_us);
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
		TEST(test_canary),
		TEST(test_inquiry_asks_once),
		TEST(test_inquiry_has_a_deadline),
		TEST(test_many_through_the_chain),
		TEST(test_domains),
		TEST(test_canonical_address),
		TEST(test_no_canonical_address),
		TEST(test_statistics),
		TEST(test_threads),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
