/* SPDX-License-Identifier: Apache-2.0 */
/* What each reply of an LDAP server means. */
#include "directory/source.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/ldap_server.h"

enum { TIMEOUT_MS = 1500, PATIENCE_MS = 30000 };

struct fixture {
	struct ldap_server *server;
	const char *uris[3];
	struct directory_source settings;
	void *source;
};

static void
reopen(struct fixture *f)
{
	source_ldap.close(f->source);
	f->source = source_ldap.open(NULL, &f->settings);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->server = ldap_server_start();
	f->uris[0] = f->server->uri;
	f->settings = (struct directory_source){
		.kind = DIRECTORY_LDAP,
		.ldap = { .uris = f->uris,
		    .base = "o=x",
		    .filter = "(mail={address})",
		    .timeout_ms = PATIENCE_MS },
	};
	f->source = source_ldap.open(NULL, &f->settings);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	source_ldap.close(f->source);
	ldap_server_stop(f->server);
	free(f->server);
	free(f);
	return 0;
}

static struct directory_answer
ask(const struct fixture *f)
{
	static const struct address anna = { "anna", "example.org" };
	struct directory_answer answer;

	source_ldap.lookup(f->source,
	    &(struct directory_question){ &anna, 1, INT64_MAX }, &answer);
	return answer;
}

static void
test_replies(void **state)
{
	static const struct {
		int code, entries, references;
		enum existence existence;
	} rows[] = {
		{ SUCCESS, 1, 0, EXISTS },
		{ SUCCESS, 2, 0, EXISTS },
		{ SUCCESS, 0, 0, ABSENT },
		/* Active Directory: three continuations, hit or not. */
		{ SUCCESS, 0, 3, ABSENT },
		{ SUCCESS, 1, 3, EXISTS },
		{ SIZE_LIMIT, 2, 0, EXISTS },
		{ SIZE_LIMIT, 0, 0, UNKNOWN },
		{ SIZE_LIMIT, 0, 1, UNKNOWN },
		{ TIME_LIMIT, 0, 0, UNKNOWN },
		{ TIME_LIMIT, 1, 0, UNKNOWN },
		{ REFERRAL, 0, 0, UNKNOWN },
		{ NO_SUCH_OBJECT, 0, 0, UNKNOWN },
		{ NO_RIGHTS, 0, 0, UNKNOWN },
		{ BUSY, 0, 0, UNKNOWN },
		{ UNAVAILABLE, 0, 0, UNKNOWN },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->server->search_code = rows[i].code;
		f->server->entries = rows[i].entries;
		f->server->references = rows[i].references;
		if (ask(f).existence != rows[i].existence)
			fail_msg("row %zu: %s", i, ask(f).reason);
	}
}

static void
test_reason_names_server_and_cause(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answer;

	f->server->search_code = NO_SUCH_OBJECT;
	answer = ask(f);
	assert_non_null(strstr(answer.reason, f->server->uri));
	assert_non_null(strstr(answer.reason, "No such object"));
}

static void
test_refused_login(void **state)
{
	struct fixture *f = *state;

	f->server->bind_code = BAD_LOGIN;
	assert_int_equal(ask(f).existence, UNKNOWN);
	assert_int_equal(f->server->searches, 0);
}

static void
test_connection_is_kept(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(f).existence, ABSENT);
	assert_int_equal(f->server->connections, 1);
}

/* Servers close idle connections: nobody is to notice. */
static void
test_closed_connection_is_replaced(void **state)
{
	struct fixture *f = *state;

	f->server->entries = 1;
	f->server->searches_before = 1;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(ask(f).existence, EXISTS);
		usleep(20000);
	}
	assert_int_equal(f->server->connections, 4);
}

/* Once only: a server that always hangs up is a fault. */
static void
test_hang_up_is_unknown(void **state)
{
	struct fixture *f = *state;

	f->server->silent = true;
	f->server->searches_before = 1;
	assert_int_equal(ask(f).existence, UNKNOWN);
	assert_int_equal(f->server->connections, 1);
}

static int64_t
asks_in_vain(struct fixture *f)
{
	int64_t begun_ms;

	f->settings.ldap.timeout_ms = TIMEOUT_MS;
	reopen(f);
	begun_ms = clock_monotonic_ms();
	assert_int_equal(ask(f).existence, UNKNOWN);
	return clock_monotonic_ms() - begun_ms;
}

/* Not for twice the time; more than that may be the machine's doing. */
static void
is_bounded(struct fixture *f)
{
	int64_t took_ms = asks_in_vain(f);

	for (int i = 0; i < 5 && took_ms > 2 * TIMEOUT_MS - 50; i++)
		took_ms = asks_in_vain(f);
	assert_in_range(took_ms, TIMEOUT_MS - 50, 2 * TIMEOUT_MS - 50);
}

static void
test_silence_is_bounded(void **state)
{
	struct fixture *f = *state;

	f->server->silent = true;
	is_bounded(f);
}

static void
test_half_an_answer_is_bounded(void **state)
{
	struct fixture *f = *state;

	f->server->half = true;
	is_bounded(f);
}

/* In the end with much time: a machine that stalls needs it for the next. */
static void
finds_with(struct fixture *f, int64_t timeout_ms)
{
	f->settings.ldap.timeout_ms = timeout_ms;
	reopen(f);
	if (ask(f).existence == EXISTS)
		return;
	assert_true(timeout_ms < PATIENCE_MS);
	finds_with(f, timeout_ms * 5);
}

/* A listener whose queue nobody empties: connected, and then nothing. */
static void
test_silent_server_leaves_time_for_the_next(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int silent = socket(AF_INET, SOCK_STREAM, 0);
	char uri[64];

	assert_int_equal(bind(silent, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(silent, 8), 0);
	getsockname(silent, (struct sockaddr *)&address, &len);
	snprintf(
	    uri, sizeof(uri), "ldap://127.0.0.1:%d", ntohs(address.sin_port));
	f->uris[0] = uri;
	f->uris[1] = f->server->uri;
	f->server->entries = 1;
	finds_with(f, TIMEOUT_MS);
	close(silent);
}

static void
test_dead_server_is_skipped(void **state)
{
	struct fixture *f = *state;

	f->uris[0] = "ldap://127.0.0.1:1";
	f->uris[1] = f->server->uri;
	reopen(f);
	f->server->entries = 1;
	assert_int_equal(ask(f).existence, EXISTS);
}

/* Each look-up would lose the dead one's time otherwise. */
static void
test_failed_server_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct ldap_server *second = ldap_server_start();
	int searches, connections;

	f->uris[1] = second->uri;
	f->server->silent = true;
	second->entries = 1;
	finds_with(f, TIMEOUT_MS);
	f->server->silent = false;
	searches = f->server->searches;
	connections = second->connections;
	for (int i = 0; i < 5; i++)
		assert_int_equal(ask(f).existence, EXISTS);
	assert_int_equal(f->server->searches, searches);
	assert_int_equal(second->connections, connections);
	/* But it is better than none. */
	ldap_server_stop(second);
	assert_int_equal(ask(f).existence, ABSENT);
	free(second);
}

/* Some seconds count towards locking the login. */
static void
test_refused_login_is_not_repeated(void **state)
{
	struct fixture *f = *state;
	struct ldap_server *second = ldap_server_start();

	f->uris[1] = second->uri;
	reopen(f);
	f->server->bind_code = BAD_LOGIN;
	for (int i = 0; i < 4; i++)
		assert_int_equal(ask(f).existence, UNKNOWN);
	assert_non_null(strstr(ask(f).reason, "Invalid credentials"));
	assert_int_equal(f->server->binds, 1);
	assert_int_equal(second->binds, 0);
	ldap_server_stop(second);
	free(second);
}

enum { MANY = 60 };

static void
ask_many(const struct fixture *f, struct directory_answer answers[MANY])
{
	struct address addresses[MANY] = { 0 };

	for (int i = 0; i < MANY; i++) {
		snprintf(addresses[i].local, sizeof(addresses[i].local),
		    "user%02d", i);
		snprintf(addresses[i].domain, sizeof(addresses[i].domain),
		    "example.org");
	}
	source_ldap.lookup(f->source,
	    &(struct directory_question){ addresses, MANY, INT64_MAX },
	    answers);
}

static const char *const some[] = { "user03@example.org", "user44@example.org",
	"user55@example.org", NULL };

static void
expect_some(const struct directory_answer answers[MANY])
{
	for (int i = 0; i < MANY; i++)
		if (answers[i].existence !=
		    (i == 3 || i == 44 || i == 55 ? EXISTS : ABSENT))
			fail_msg("user%02d: %s", i, answers[i].reason);
}

/* Fifty in one search, and once more without those that were found. */
static void
test_many_in_few_searches(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answers[MANY];

	f->server->people = some;
	ask_many(f, answers);
	expect_some(answers);
	assert_int_equal(f->server->searches, 4);
	f->settings.ldap.filter =
	    "(&(|(mail={address})(proxyAddresses=smtp:{address}))(!(x=2)))";
	reopen(f);
	ask_many(f, answers);
	expect_some(answers);
	assert_int_equal(f->server->searches, 8);
}

/* Entries that did not come could name another address. */
static void
test_many_that_are_cut(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answers[MANY];

	f->server->people = some;
	f->settings.ldap.rewrite_to = "mail";
	reopen(f);
	ask_many(f, answers);
	expect_some(answers);
	assert_int_equal(f->server->searches, 4);
	assert_string_equal(answers[44].canonical.local, "user44");
	assert_true(address_is_null(&answers[43].canonical));
	f->server->search_code = SIZE_LIMIT;
	ask_many(f, answers);
	assert_int_equal(answers[3].existence, EXISTS);
	assert_non_null(strstr(answers[3].reason, "several addresses"));
	assert_true(address_is_null(&answers[3].canonical));
}

/* A filter, or entries, that do not show who was found. */
static void
test_many_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answers[MANY];

	f->server->people = some;
	f->settings.ldap.filter = "(mail={local}@{domain})";
	reopen(f);
	ask_many(f, answers);
	expect_some(answers);
	assert_int_equal(f->server->searches, MANY);
	f->settings.ldap.filter = "(mail={address})";
	f->server->secretive = true;
	reopen(f);
	ask_many(f, answers);
	expect_some(answers);
	assert_int_equal(f->server->searches, 2 * MANY + 2);
}

/* Found before the trouble or not: nobody is absent. */
static void
test_many_in_doubt(void **state)
{
	static const int codes[] = { TIME_LIMIT, NO_SUCH_OBJECT, NO_RIGHTS,
		BUSY };
	struct fixture *f = *state;
	struct directory_answer answers[MANY];

	f->server->people = some;
	for (size_t c = 0; c < sizeof(codes) / sizeof(codes[0]); c++) {
		f->server->search_code = codes[c];
		ask_many(f, answers);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(answers[i].existence, UNKNOWN);
	}
	/* One search each: who comes behind does not wait for the same. */
	assert_int_equal(f->server->searches, 4);
}

/* A server that gives only some of the entries is asked for the rest. */
static void
test_many_beyond_the_size_limit(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answers[MANY];

	f->server->people = some;
	f->server->search_code = SIZE_LIMIT;
	ask_many(f, answers);
	assert_int_equal(answers[3].existence, EXISTS);
	assert_int_equal(answers[55].existence, UNKNOWN);
	assert_int_equal(answers[4].existence, UNKNOWN);
}

static void
test_question_has_a_deadline(void **state)
{
	static const struct address anna = { "anna", "example.org" };
	struct fixture *f = *state;
	struct directory_answer answer;
	int64_t begun_ms = clock_monotonic_ms();

	f->server->silent = true;
	source_ldap.lookup(f->source,
	    &(struct directory_question){ &anna, 1, begun_ms + 100 }, &answer);
	assert_int_equal(answer.existence, UNKNOWN);
	assert_in_range(
	    clock_monotonic_ms() - begun_ms, 90, PATIENCE_MS - 1000);
}

static void
test_no_password_in_clear(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answer;

	f->settings.ldap.bind_dn = "cn=mailhaul,o=x";
	reopen(f);
	answer = ask(f);
	assert_int_equal(answer.existence, UNKNOWN);
	assert_non_null(strstr(answer.reason, "clear text"));
	assert_int_equal(f->server->searches, 0);
}

static void
test_bad_filter_is_unknown(void **state)
{
	struct fixture *f = *state;

	f->settings.ldap.filter = "(objectClass=*)";
	f->server->entries = 1;
	reopen(f);
	assert_int_equal(ask(f).existence, UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_replies),
		TEST(test_reason_names_server_and_cause),
		TEST(test_refused_login),
		TEST(test_connection_is_kept),
		TEST(test_closed_connection_is_replaced),
		TEST(test_hang_up_is_unknown),
		TEST(test_silence_is_bounded),
		TEST(test_half_an_answer_is_bounded),
		TEST(test_silent_server_leaves_time_for_the_next),
		TEST(test_dead_server_is_skipped),
		TEST(test_failed_server_is_left_out),
		TEST(test_refused_login_is_not_repeated),
		TEST(test_many_in_few_searches),
		TEST(test_many_that_are_cut),
		TEST(test_many_one_by_one),
		TEST(test_many_in_doubt),
		TEST(test_many_beyond_the_size_limit),
		TEST(test_question_has_a_deadline),
		TEST(test_no_password_in_clear),
		TEST(test_bad_filter_is_unknown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
