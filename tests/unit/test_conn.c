/* SPDX-License-Identifier: Apache-2.0 */
/* Connections without TLS, over loopback. */
#include "tests/support/conversation.h"

#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"

static void
greets_and_listens(struct talk *t, int fd)
{
	assert_int_equal(write(fd, "+OK hello\r\n", 11), 11);
	talk_read_all(t, fd);
}

/* Two socket buffers at most are between what is sent and what is read. */
enum { MUCH = 64 * 1024 * 1024, SOCKETS_HOLD = 16 * 1024 * 1024 };

static void
greets_and_discards(struct talk *t, int fd)
{
	static char place[1 << 16];
	ssize_t n;

	assert_int_equal(write(fd, "+OK hello\r\n", 11), 11);
	while ((n = read(fd, place, sizeof(place))) > 0)
		t->size += (size_t)n;
}

static void
lines_go_both_ways(void **state)
{
	struct talk t = { .script = greets_and_listens };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_string_equal(conn_cipher(t.conn), "clear text");
	talk_expect_line(&t, "+OK hello");
	assert_int_equal(conn_peek(t.conn).len, 0);
	conn_send(t.conn, SLICE("QUIT\r\n"));
	talk_wait_sent(&t);
	talk_close(&t);
	assert_string_equal(t.seen, "QUIT\r\n");
}

static void
no_secret_in_clear_text(void **state)
{
	struct talk t = { .script = greets_and_listens };
	struct error err;

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_false(conn_verified(t.conn));
	assert_false(conn_send_secret(t.conn, SLICE("PASS hunter2\r\n"), &err));
	assert_int_equal(err.kind, ERROR_TLS);
	talk_event_within(&t, 50);
	talk_close(&t);
	assert_string_equal(t.seen, "");
}

static void
a_secret_in_clear_text_where_the_account_says_so(void **state)
{
	struct talk t = { .script = greets_and_listens, .tls.mode = TLS_NEVER };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_wait(&t, CONN_DATA);
	talk_end_with_secret(&t, "PASS hunter2\r\n");
}

static void
sends_odd_lines(struct talk *t, int fd)
{
	static const char bytes[] = "\n\r\na\rb\r\r\nlong: 8901234567890\n"
				    "cut";

	assert_int_equal(
	    write(fd, bytes, sizeof(bytes) - 1), sizeof(bytes) - 1);
	talk_read_all(t, fd);
}

static void
lines_are_cut_and_bounded(void **state)
{
	struct talk t = { .script = sends_odd_lines };
	struct slice line;

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_int_equal(conn_take_line(t.conn, 19, &line), CONN_LINE_NONE);
	talk_expect_line(&t, "");
	talk_expect_line(&t, "");
	talk_expect_line(&t, "a\rb\r");
	assert_int_equal(conn_take_line(t.conn, 19, &line), CONN_LINE_TOO_LONG);
	assert_int_equal(conn_take_line(t.conn, 20, &line), CONN_LINE);
	assert_int_equal(line.len, 19);
	assert_int_equal(conn_take_line(t.conn, 4, &line), CONN_LINE_NONE);
	assert_int_equal(conn_take_line(t.conn, 3, &line), CONN_LINE_TOO_LONG);
	assert_int_equal(conn_peek(t.conn).len, 3);
	conn_consume(t.conn, 1);
	assert_memory_equal(conn_peek(t.conn).data, "ut", 2);
	talk_close(&t);
}

static void
says_goodbye(struct talk *t, int fd)
{
	(void)t;
	assert_int_equal(write(fd, "+OK bye\r\n", 9), 9);
}

static void
what_came_before_the_end_is_told_first(void **state)
{
	struct talk t = { .script = says_goodbye };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	/* Both are there by now. */
	pthread_join(t.thread, NULL);
	t.script = NULL;
	talk_wait(&t, CONN_DATA);
	talk_wait_closed(&t, ERROR_RETRY, "127.0.0.1 closed the connection");
	assert_int_equal(conn_peek(t.conn).len, 9);
	talk_close(&t);
}

static void
a_pause_holds_back_data_and_end(void **state)
{
	struct talk t = { .script = says_goodbye, .settings.timeout_ms = 50 };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	conn_pause(t.conn);
	assert_false(talk_event_within(&t, 150));
	/* Both are there by now. */
	pthread_join(t.thread, NULL);
	t.script = NULL;
	conn_resume(t.conn);
	talk_wait(&t, CONN_DATA);
	conn_pause(t.conn);
	assert_false(talk_event_within(&t, 150));
	conn_resume(t.conn);
	conn_pause(t.conn);
	assert_false(talk_event_within(&t, 50));
	conn_resume(t.conn);
	talk_wait(&t, CONN_DATA);
	conn_consume(t.conn, 9);
	talk_wait_closed(&t, ERROR_RETRY, "closed the connection");
	talk_close(&t);
}

static void
silence_ends_the_connection(void **state)
{
	struct talk t = { .script = talk_says_nothing,
		.settings.timeout_ms = 50 };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_wait_closed(&t, ERROR_RETRY, "127.0.0.1: silence for 1 s");
	talk_close(&t);
}

static void
silence_does_not_count_when_nothing_is_awaited(void **state)
{
	struct talk t = { .script = talk_says_nothing,
		.settings.timeout_ms = 50 };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	conn_await(t.conn, false);
	assert_false(talk_event_within(&t, 150));
	conn_await(t.conn, true);
	talk_wait_closed(&t, ERROR_RETRY, "silence");
	talk_close(&t);
}

/* In more time than the silence may last. */
static void
drips(struct talk *t, int fd)
{
	for (int i = 0; i < 20; i++) {
		if (send(fd, i < 19 ? "x" : "\n", 1, MSG_NOSIGNAL) != 1)
			return;
		usleep((useconds_t)t->settings.timeout_ms * 1000 / 12);
	}
}

static bool
arrives_slowly(int64_t timeout_ms)
{
	struct talk t = { .script = drips, .settings.timeout_ms = timeout_ms };
	struct slice line = { 0 };

	talk_open(&t);
	talk_wait(&t, CONN_READY);
	while (conn_take_line(t.conn, 100, &line) != CONN_LINE)
		if (!talk_event_within(&t, 20000) || t.event == CONN_CLOSED)
			break;
	if (line.data != NULL)
		assert_true(slice_equal(line, SLICE("xxxxxxxxxxxxxxxxxxx")));
	talk_close(&t);
	return line.data != NULL;
}

/* On a machine that stalls there may be silence all the same. */
static void
a_slow_line_arrives(void **state)
{
	(void)state;
	if (!arrives_slowly(600))
		assert_true(arrives_slowly(9000));
}

static void
sends_much(struct talk *t, int fd)
{
	uint8_t block[4096];
	size_t sent = 0;

	while (sent < t->size) {
		ssize_t n;

		talk_fill(block, sizeof(block), sent);
		/* The client may go away in the middle. */
		n = write(fd, block, sizeof(block));
		if (n <= 0)
			return;
		sent += (size_t)n;
	}
}

static void
unread_bytes_are_bounded(void **state)
{
	struct talk t = { .script = sends_much, .size = 32 << 20 };

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_wait(&t, CONN_DATA);
	while (talk_event_within(&t, 100))
		assert_int_equal(t.event, CONN_DATA);
	assert_in_range(talk_take_all(&t), 1, 80 * 1024);
	talk_close(&t);
}

static void
a_big_message_streams_through_pauses(void **state)
{
	struct talk t = { .script = sends_much, .size = 8 << 20 };
	size_t got = 0;

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	while (got < t.size) {
		got += talk_take_filled(&t, got);
		conn_pause(t.conn);
		conn_resume(t.conn);
	}
	assert_int_equal(got, t.size);
	talk_close(&t);
}

static void
a_refusal_names_the_address(void **state)
{
	struct talk t = { .script = NULL };

	(void)state;
	talk_open(&t);
	close(t.listener);
	talk_wait_closed(&t, ERROR_RETRY, "cannot connect to 127.0.0.1");
	assert_non_null(strstr(conn_error(t.conn)->text, "Connection refused"));
	talk_close(&t);
}

static void
the_handler_may_free(void **state)
{
	static const int64_t timeouts_ms[] = { 10000, 1 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk t = { .script = greets_and_listens,
			.free_in_handler = true,
			.settings.timeout_ms = timeouts_ms[i] };

		talk_open(&t);
		assert_true(talk_event_within(&t, 10000));
		assert_false(talk_event_within(&t, 50));
		talk_close(&t);
	}
}

static void
the_handler_may_free_with_data_and_end_to_come(void **state)
{
	struct talk t = { .script = says_goodbye };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	pthread_join(t.thread, NULL);
	t.script = NULL;
	t.free_in_handler = true;
	talk_wait(&t, CONN_DATA);
	assert_false(talk_event_within(&t, 50));
	talk_close(&t);
}

static void
freed_before_anything_happened(void **state)
{
	struct talk t = { .script = NULL };

	(void)state;
	talk_open(&t);
	conn_free(t.conn);
	t.conn = NULL;
	assert_false(talk_event_within(&t, 50));
	talk_close(&t);
}

/* More than the socket holds: told only when all of it is on its way. */
static void
tells_when_all_was_sent(void **state)
{
	struct talk t = { .script = greets_and_discards };
	uint8_t *much = mem_new(MUCH);

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_expect_line(&t, "+OK hello");
	conn_send(t.conn, (struct slice){ much, MUCH });
	talk_wait_sent(&t);
	assert_false(talk_event_within(&t, 50));
	/* Nothing to wait for. */
	talk_wait_sent(&t);
	talk_close(&t);
	assert_true(t.size <= MUCH && t.size >= MUCH - SOCKETS_HOLD);
	free(much);
}

static void
last_words_are_heard(void **state)
{
	struct talk t = { .script = greets_and_listens };

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	conn_close(t.conn, SLICE("QUIT\r\n"));
	t.conn = NULL;
	talk_close(&t);
	assert_string_equal(t.seen, "QUIT\r\n");
}

static void
a_unix_socket(void **state)
{
	char path[64];
	struct talk t = { .script = greets_and_listens, .path = path };

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_conn.%d.socket", (int)getpid());
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_expect_line(&t, "+OK hello");
	conn_close(t.conn, SLICE("QUIT\r\n"));
	t.conn = NULL;
	talk_close(&t);
	assert_string_equal(t.seen, "QUIT\r\n");
	unlink(t.path);
}

static void
a_path_where_nobody_listens(void **state)
{
	static char too_long[200];
	struct talk t = { .settings.path = "/tmp/no/such/socket" };

	(void)state;
	talk_open(&t);
	talk_wait_closed(&t, ERROR_LOCAL,
	    "cannot connect to /tmp/no/such/socket: No such file");
	talk_close(&t);
	memset(too_long, 'x', sizeof(too_long) - 1);
	t = (struct talk){ .settings.path = too_long };
	talk_open(&t);
	talk_wait_closed(&t, ERROR_LOCAL, "File name too long");
	talk_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_go_both_ways),
		cmocka_unit_test(no_secret_in_clear_text),
		cmocka_unit_test(
		    a_secret_in_clear_text_where_the_account_says_so),
		cmocka_unit_test(lines_are_cut_and_bounded),
		cmocka_unit_test(what_came_before_the_end_is_told_first),
		cmocka_unit_test(a_pause_holds_back_data_and_end),
		cmocka_unit_test(silence_ends_the_connection),
		cmocka_unit_test(
		    silence_does_not_count_when_nothing_is_awaited),
		cmocka_unit_test(a_slow_line_arrives),
		cmocka_unit_test(unread_bytes_are_bounded),
		cmocka_unit_test(a_big_message_streams_through_pauses),
		cmocka_unit_test(a_refusal_names_the_address),
		cmocka_unit_test(the_handler_may_free),
		cmocka_unit_test(
		    the_handler_may_free_with_data_and_end_to_come),
		cmocka_unit_test(freed_before_anything_happened),
		cmocka_unit_test(tells_when_all_was_sent),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(a_unix_socket),
		cmocka_unit_test(a_path_where_nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
