/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each reply of an LDAP server means, told by a server that says what
 * the test wants (RFC 4511, BER written by hand).
 */
#include "directory/source.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIND = 0x60, SEARCH = 0x63, TIMEOUT_MS = 600 };
/* RFC 4511 appendix A */
enum {
	SUCCESS = 0,
	TIME_LIMIT = 3,
	SIZE_LIMIT = 4,
	REFERRAL = 10,
	NO_SUCH_OBJECT = 32,
	BAD_LOGIN = 49,
	NO_RIGHTS = 50,
	BUSY = 51,
	UNAVAILABLE = 52,
};

struct server {
	int listener;
	char uri[64];
	pthread_t thread;
	/* What it says; set before it is asked. */
	atomic_int bind_code, search_code, entries, references;
	atomic_bool silent;         /* never answers a search */
	atomic_int searches_before; /* closes after so many; 0: never */
	atomic_int connections, searches;
};

static bool
read_exactly(int fd, uint8_t *out, size_t len)
{
	for (ssize_t n; len > 0; out += n, len -= (size_t)n)
		if ((n = read(fd, out, len)) <= 0)
			return false;
	return true;
}

/* One message: its id and the tag of its operation. */
static bool
read_request(int fd, uint8_t *id, uint8_t *operation)
{
	uint8_t head[2], body[65536];
	size_t len = 0;

	if (!read_exactly(fd, head, 2))
		return false;
	len = head[1];
	if (len & 0x80) {
		uint8_t digits[2];
		size_t n = len & 0x7f;

		if (n > 2 || !read_exactly(fd, digits, n))
			return false;
		len = n == 1 ? digits[0] : (size_t)(digits[0] << 8 | digits[1]);
	}
	if (!read_exactly(fd, body, len))
		return false;
	*id = body[2];
	*operation = body[3];
	return true;
}

static void
send_bytes(int fd, const uint8_t *bytes, size_t len)
{
	/* A client that is gone sees nothing; that is the test's matter. */
	if (send(fd, bytes, len, MSG_NOSIGNAL) < 0)
		return;
}

static void
send_result(int fd, uint8_t id, uint8_t tag, int code)
{
	const uint8_t bytes[] = { 0x30, 12, 2, 1, id, tag, 7, 10, 1,
		(uint8_t)code, 4, 0, 4, 0 };

	send_bytes(fd, bytes, sizeof(bytes));
}

static void
answer_search(const struct server *s, int fd, uint8_t id)
{
	const uint8_t entry[] = { 0x30, 12, 2, 1, id, 0x64, 7, 4, 3, 'o', '=',
		'x', 0x30, 0 };
	const uint8_t reference[] = { 0x30, 16, 2, 1, id, 0x73, 11, 4, 9, 'l',
		'd', 'a', 'p', ':', '/', '/', 'x', '/' };

	for (int i = 0; i < s->references; i++)
		send_bytes(fd, reference, sizeof(reference));
	for (int i = 0; i < s->entries; i++)
		send_bytes(fd, entry, sizeof(entry));
	send_result(fd, id, 0x65, s->search_code);
}

static void
serve(struct server *s, int fd)
{
	int left = s->searches_before;
	uint8_t id, operation;

	while (read_request(fd, &id, &operation)) {
		if (operation == BIND)
			send_result(fd, id, 0x61, s->bind_code);
		if (operation != SEARCH)
			continue;
		s->searches++;
		if (!s->silent)
			answer_search(s, fd, id);
		if (--left == 0)
			return;
	}
}

/* One connection at a time is enough here. */
static void *
run(void *argument)
{
	struct server *s = argument;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		s->connections++;
		serve(s, fd);
		close(fd);
	}
	return NULL;
}

static struct server *
start_server(void)
{
	struct server *s = calloc(1, sizeof(*s));
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(s->listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(s->listener, 8), 0);
	getsockname(s->listener, (struct sockaddr *)&address, &len);
	snprintf(s->uri, sizeof(s->uri), "ldap://127.0.0.1:%d",
	    ntohs(address.sin_port));
	pthread_create(&s->thread, NULL, run, s);
	return s;
}

static void
stop_server(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	free(s);
}

struct fixture {
	struct server *server;
	const char *uris[3];
	struct directory_source settings;
	void *source;
};

static void
reopen(struct fixture *f)
{
	source_ldap.close(f->source);
	f->source = source_ldap.open(&f->settings);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->server = start_server();
	f->uris[0] = f->server->uri;
	f->settings = (struct directory_source){
		.kind = DIRECTORY_LDAP,
		.ldap = { .uris = f->uris,
		    .base = "o=x",
		    .filter = "(mail={address})",
		    .timeout_ms = TIMEOUT_MS },
	};
	f->source = source_ldap.open(&f->settings);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	source_ldap.close(f->source);
	stop_server(f->server);
	free(f);
	return 0;
}

static struct directory_answer
ask(const struct fixture *f)
{
	static const struct address anna = { "anna", "example.org" };
	struct directory_answer answer;

	source_ldap.lookup(f->source, &anna, &answer);
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

static void
test_silence_is_bounded(void **state)
{
	struct fixture *f = *state;
	int64_t begun_ms = clock_monotonic_ms();

	f->server->silent = true;
	assert_int_equal(ask(f).existence, UNKNOWN);
	assert_in_range(
	    clock_monotonic_ms() - begun_ms, TIMEOUT_MS - 50, TIMEOUT_MS + 300);
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
	reopen(f);
	f->server->entries = 1;
	assert_int_equal(ask(f).existence, EXISTS);
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
		TEST(test_silent_server_leaves_time_for_the_next),
		TEST(test_dead_server_is_skipped),
		TEST(test_no_password_in_clear),
		TEST(test_bad_filter_is_unknown),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
