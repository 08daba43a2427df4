/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conversation - a conn on one side, a scripted server in a thread on the
 * other, over loopback; for the tests of conn.
 *
 * A test fills struct talk, calls talk_open(), then talk_wait() for each event
 * it expects, and talk_close().
 */
#ifndef SUPPORT_CONVERSATION_H
#define SUPPORT_CONVERSATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fetcher/conn.h"

struct talk;
/* Runs in the server's thread with a connected socket, closed afterwards. */
typedef void server_script(struct talk *, int fd);

struct talk {
	server_script *script;
	const char *path; /* listens there, not on a port */
	int connections;  /* served in turn; 0: one */
	struct tls_settings tls;
	struct conn_settings settings;
	const char *cert; /* of the server, for scripts that speak TLS */
	void *server_ctx; /* what such a script keeps for the next connection */
	void (*drop_server_ctx)(void *);
	size_t size; /* of the message, for scripts that send one */

	struct loop *loop;
	struct conn *conn;
	struct timer *guard;
	enum conn_event event;
	bool told;
	bool free_in_handler;
	int listener;
	pthread_t thread;
	/* What the server saw, after talk_close(). */
	char seen[256];
	size_t seen_len;
};

static inline void
talk_on_event(enum conn_event event, void *arg)
{
	struct talk *t = arg;

	t->event = event;
	t->told = true;
	if (t->free_in_handler) {
		conn_free(t->conn);
		t->conn = NULL;
	}
	loop_stop(t->loop);
}

static inline void
talk_on_guard(void *arg)
{
	struct talk *t = arg;

	loop_stop(t->loop);
}

static inline void *
talk_serve(void *arg)
{
	struct talk *t = arg;

	for (int i = 0; i == 0 || i < t->connections; i++) {
		int fd = accept4(t->listener, NULL, NULL, SOCK_CLOEXEC);

		if (fd < 0)
			break;
		t->script(t, fd);
		close(fd);
	}
	return NULL;
}

/* Everything the client sends, until it closes. */
static inline void
talk_read_all(struct talk *t, int fd)
{
	ssize_t n;

	while ((n = read(fd, t->seen + t->seen_len,
		    sizeof(t->seen) - 1 - t->seen_len)) > 0)
		t->seen_len += (size_t)n;
	t->seen[t->seen_len] = '\0';
}

/* A script: hears all, and answers nothing. */
static inline void
talk_says_nothing(struct talk *t, int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
	(void)t;
}

/* Bytes of a message that can be told apart, for scripts that send a long one:
 * the first of these is its byte `at`. */
static inline void
talk_fill(uint8_t *bytes, size_t n, size_t at)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)((at + i) % 251);
}

/* On any address, so that a name may have several. */
static inline void
talk_listen(struct talk *t)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t len = sizeof(here);

	t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(t->listener, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(t->listener, 8), 0);
	getsockname(t->listener, (struct sockaddr *)&here, &len);
	t->settings.port = ntohs(here.sin_port);
}

static inline void
talk_listen_at(struct talk *t, const char *path)
{
	struct sockaddr_un here = { .sun_family = AF_UNIX };

	unlink(path);
	memcpy(here.sun_path, path, strlen(path));
	t->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(t->listener, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(t->listener, 8), 0);
	t->settings.path = path;
}

static inline void
talk_open(struct talk *t)
{
	if (t->settings.host == NULL)
		t->settings.host = "127.0.0.1";
	if (t->settings.timeout_ms == 0)
		t->settings.timeout_ms = 10000;
	t->settings.tls = &t->tls;
	t->loop = loop_new();
	t->guard = timer_new(t->loop, talk_on_guard, t);
	if (t->path != NULL)
		talk_listen_at(t, t->path);
	else
		talk_listen(t);
	if (t->script != NULL)
		pthread_create(&t->thread, NULL, talk_serve, t);
	t->conn = conn_open(t->loop, &t->settings, talk_on_event, t);
	assert_false(t->told);
}

/* Once more, after the connection has ended. */
static inline void
talk_reopen(struct talk *t)
{
	conn_free(t->conn);
	t->conn = conn_open(t->loop, &t->settings, talk_on_event, t);
}

/* True when an event came within `ms`. */
static inline bool
talk_event_within(struct talk *t, int64_t ms)
{
	t->told = false;
	timer_start(t->guard, ms);
	loop_run(t->loop);
	timer_stop(t->guard);
	return t->told;
}

static inline void
talk_wait(struct talk *t, enum conn_event event)
{
	if (!talk_event_within(t, 20000))
		fail_msg("event %d did not come", (int)event);
	if (t->event == CONN_CLOSED && event != CONN_CLOSED)
		fail_msg("closed: %s", conn_error(t->conn)->text);
	assert_int_equal(t->event, event);
}

static inline void
talk_wait_closed(struct talk *t, enum error_kind kind, const char *words)
{
	talk_wait(t, CONN_CLOSED);
	if (strstr(conn_error(t->conn)->text, words) == NULL)
		fail_msg("error is: %s", conn_error(t->conn)->text);
	assert_int_equal(conn_error(t->conn)->kind, kind);
}

/* The next line, waiting for it. */
static inline void
talk_expect_line(struct talk *t, const char *wanted)
{
	struct slice line;

	while (conn_take_line(t->conn, 100, &line) != CONN_LINE)
		talk_wait(t, CONN_DATA);
	assert_int_equal(line.len, strlen(wanted));
	assert_memory_equal(line.data, wanted, line.len);
}

/* Takes what is there, or comes first, of a message of talk_fill(), of which
 * `got` bytes were taken before. */
static inline size_t
talk_take_filled(struct talk *t, size_t got)
{
	struct slice piece;

	while ((piece = conn_peek(t->conn)).len == 0)
		talk_wait(t, CONN_DATA);
	for (size_t i = 0; i < piece.len; i++)
		assert_int_equal(piece.data[i], (got + i) % 251);
	conn_consume(t->conn, piece.len);
	return piece.len;
}

/* All that is there; how many bytes it was. */
static inline size_t
talk_take_all(struct talk *t)
{
	size_t total = 0;
	struct slice piece;

	while ((piece = conn_peek(t->conn)).len > 0) {
		total += piece.len;
		conn_consume(t->conn, piece.len);
	}
	return total;
}

/* conn_free() closes at once: what was queued goes first. */
static inline void
talk_wait_sent(struct talk *t)
{
	conn_await_sent(t->conn);
	talk_wait(t, CONN_SENT);
}

static inline void
talk_close(struct talk *t)
{
	conn_free(t->conn);
	/* One round, which closes the socket. */
	assert_false(talk_event_within(t, 0));
	if (t->script != NULL)
		pthread_join(t->thread, NULL);
	if (t->server_ctx != NULL)
		t->drop_server_ctx(t->server_ctx);
	close(t->listener);
	timer_free(t->guard);
	loop_free(t->loop);
}

/* It arrives, and nothing else did: the end of the talk. */
static inline void
talk_end_with_secret(struct talk *t, const char *words)
{
	struct error err;

	assert_true(conn_send_secret(t->conn, slice_of(words), &err));
	talk_wait_sent(t);
	talk_close(t);
	assert_string_equal(t->seen, words);
}

#endif
