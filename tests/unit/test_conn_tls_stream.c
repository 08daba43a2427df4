/* SPDX-License-Identifier: Apache-2.0 */
/* What goes through TLS: its beginning by STLS, its end, big messages. */
#include "tests/support/tls_server.h"

static void
cuts(struct talk *t, int fd)
{
	SSL *ssl = tls_server_accept(t, fd);

	SSL_write(ssl, "half a mess", 11);
	SSL_free(ssl);
}

static void
an_end_without_close_notify_is_a_cut(void **state)
{
	struct talk t = tls_server_talk(cuts, "good.pem");

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_wait(&t, CONN_DATA);
	talk_wait_closed(
	    &t, ERROR_RETRY, "closed the connection without ending TLS");
	assert_int_equal(conn_peek(t.conn).len, 11);
	talk_close(&t);
}

static void
ends(struct talk *t, int fd)
{
	SSL *ssl = tls_server_accept(t, fd);

	SSL_write(ssl, "+OK bye\r\n", 9);
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

static void
an_orderly_end_is_told_after_the_data(void **state)
{
	struct talk t = tls_server_talk(ends, "good.pem");

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_expect_line(&t, "+OK bye");
	talk_wait_closed(&t, ERROR_RETRY, "127.0.0.1 closed the connection");
	talk_close(&t);
}

static void
offers_stls(struct talk *t, int fd)
{
	char command[6];
	SSL *ssl;

	assert_int_equal(write(fd, "+OK\r\n", 5), 5);
	assert_int_equal(recv(fd, command, 6, MSG_WAITALL), 6);
	assert_int_equal(write(fd, "+OK go\r\n", 8), 8);
	ssl = tls_server_accept(t, fd);
	if (ssl == NULL)
		return;
	SSL_write(ssl, "+OK secured\r\n", 13);
	tls_server_read_all(t, ssl);
	SSL_free(ssl);
}

static void
ask_for_tls(struct talk *t)
{
	t->settings.implicit_tls = false;
	talk_open(t);
	talk_wait(t, CONN_READY);
	talk_expect_line(t, "+OK");
	conn_send(t->conn, SLICE("STLS\r\n"));
	talk_expect_line(t, "+OK go");
}

static void
stls_secures_the_same_connection(void **state)
{
	struct talk t = tls_server_talk(offers_stls, "good.pem");
	struct error err;

	(void)state;
	ask_for_tls(&t);
	assert_true(conn_start_tls(t.conn, &err));
	assert_false(conn_send_secret(t.conn, SLICE("PASS hunter2\r\n"), &err));
	talk_wait(&t, CONN_SECURED);
	assert_true(conn_verified(t.conn));
	talk_expect_line(&t, "+OK secured");
	talk_end_with_secret(&t, "PASS hunter2\r\n");
}

static void
stls_with_a_bad_certificate_is_refused(void **state)
{
	struct talk t = tls_server_talk(offers_stls, "other.pem");
	struct error err;

	(void)state;
	ask_for_tls(&t);
	assert_true(conn_start_tls(t.conn, &err));
	talk_wait_closed(&t, ERROR_TLS, "is for pop.other.example");
	talk_close(&t);
	assert_string_equal(t.seen, "");
}

static void
injects(struct talk *t, int fd)
{
	char command[6];

	assert_int_equal(write(fd, "+OK\r\n", 5), 5);
	assert_int_equal(recv(fd, command, 6, MSG_WAITALL), 6);
	assert_int_equal(write(fd, "+OK go\r\n+OK injected\r\n", 22), 22);
	talk_says_nothing(t, fd);
}

static void
bytes_before_the_handshake_refuse_it(void **state)
{
	struct talk t = tls_server_talk(injects, "good.pem");
	struct error err;

	(void)state;
	ask_for_tls(&t);
	assert_false(conn_start_tls(t.conn, &err));
	assert_int_equal(err.kind, ERROR_PROTOCOL);
	assert_false(conn_send_secret(t.conn, SLICE("PASS hunter2\r\n"), &err));
	talk_close(&t);
}

static void
sends_much(struct talk *t, int fd)
{
	SSL *ssl = tls_server_accept(t, fd);
	uint8_t block[16384];
	size_t sent = 0;

	while (sent < t->size) {
		talk_fill(block, sizeof(block), sent);
		/* The client may go away in the middle. */
		if (SSL_write(ssl, block, sizeof(block)) <= 0)
			break;
		sent += sizeof(block);
	}
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

static void
a_big_message_streams_through_pauses(void **state)
{
	struct talk t = tls_server_talk(sends_much, "good.pem");
	size_t got = 0, pieces = 0;

	(void)state;
	t.size = 8 << 20;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	while (got < t.size) {
		got += talk_take_filled(&t, got);
		if (++pieces % 50 == 0) {
			conn_pause(t.conn);
			talk_event_within(&t, 1);
			conn_resume(t.conn);
		}
	}
	talk_wait_closed(&t, ERROR_RETRY, "closed the connection");
	talk_close(&t);
}

static void
unread_bytes_are_bounded(void **state)
{
	struct talk t = tls_server_talk(sends_much, "good.pem");
	size_t total;

	(void)state;
	t.size = 32 << 20;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	/* A server that is held up has sent less. */
	do {
		talk_wait(&t, CONN_DATA);
		while (talk_event_within(&t, 500))
			assert_int_equal(t.event, CONN_DATA);
		total = talk_take_all(&t);
		assert_in_range(total, 1, 96 * 1024);
	} while (total < 64 * 1024);
	talk_close(&t);
}

/* One record, byte by byte, in more time than the silence may last. */
static void
drips_a_record(struct talk *t, int fd)
{
	SSL *ssl = tls_server_accept(t, fd);
	BIO *record = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	SSL_set0_wbio(ssl, record);
	SSL_write(ssl, "slow\n", 5);
	len = BIO_get_mem_data(record, &bytes);
	for (long i = 0; i < len; i++) {
		if (send(fd, bytes + i, 1, MSG_NOSIGNAL) != 1)
			break;
		usleep((useconds_t)t->settings.timeout_ms * 1000 / 20);
	}
	SSL_free(ssl);
}

static bool
arrives_slowly(int64_t timeout_ms)
{
	struct talk t = tls_server_talk(drips_a_record, "good.pem");
	bool so;

	t.settings.timeout_ms = timeout_ms;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_true(talk_event_within(&t, 60000));
	so = t.event == CONN_DATA;
	if (so)
		talk_expect_line(&t, "slow");
	talk_close(&t);
	return so;
}

/* On a machine that stalls there may be silence all the same. */
static void
a_slow_record_is_no_silence(void **state)
{
	(void)state;
	if (!arrives_slowly(1000))
		assert_true(arrives_slowly(10000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_without_close_notify_is_a_cut),
		cmocka_unit_test(an_orderly_end_is_told_after_the_data),
		cmocka_unit_test(stls_secures_the_same_connection),
		cmocka_unit_test(stls_with_a_bad_certificate_is_refused),
		cmocka_unit_test(bytes_before_the_handshake_refuse_it),
		cmocka_unit_test(a_big_message_streams_through_pauses),
		cmocka_unit_test(unread_bytes_are_bounded),
		cmocka_unit_test(a_slow_record_is_no_silence),
	};

	return cmocka_run_group_tests(
	    tests, tls_server_set_up, tls_server_tear_down);
}
