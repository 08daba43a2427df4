/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections with TLS, against OpenSSL's server side in a thread.  The
 * certificates are made anew for each run with the openssl command.
 */
#include "tests/support/conversation.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/proc.h"

static char folder[] = "/tmp/mailhaul-tls-XXXXXX";

static const char make_certificates[] =
    "cd $0 && exec 2>log && set -e\n"
    "key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'\n"
    "openssl req -x509 $key -keyout ca.key -out ca.pem -days 2 -subj /CN=CA\n"
    "sign() { # NAME DAYS ALTERNATIVE-NAMES\n"
    "	openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1.example\n"
    "	echo \"subjectAltName=$3\" >$1.ext\n"
    "	openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -days $2 \\\n"
    "	    -extfile $1.ext -out $1.pem -CAcreateserial\n"
    "	cat $1.key >>$1.pem\n"
    "}\n"
    "sign good 2 DNS:localhost,DNS:pop.isp.example,IP:127.0.0.1\n"
    "sign expired -1 IP:127.0.0.1\n"
    "sign other 2 DNS:pop.other.example,IP:192.0.2.1\n"
    "openssl req -x509 $key -keyout self.key -out self.pem -days 2 \\\n"
    "    -subj /CN=self -addext subjectAltName=IP:127.0.0.1\n"
    "openssl x509 -in self.pem -outform DER -out self.der\n"
    "cat self.key >>self.pem\n";

static const char *
in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int
set_up(void **state)
{
	const char *argv[] = { "/bin/sh", "-c", make_certificates, folder,
		NULL };
	struct error err;
	struct buf out;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(folder) == NULL)
		return -1;
	buf_init(&out, 4096);
	if (!proc_run(argv, 60000, &out, &err)) {
		print_error("%s\n", err.text);
		return -1;
	}
	buf_clear(&out);
	return 0;
}

static int
tear_down(void **state)
{
	const char *argv[] = { "/bin/rm", "-r", folder, NULL };
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, 4096);
	return proc_run(argv, 10000, &out, &err) ? 0 : -1;
}

/* The server's side of the handshake; NULL when the client refused. */
static SSL *
accept_tls(struct talk *t, int fd)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	SSL *ssl;

	SSL_CTX_use_certificate_file(ctx, t->cert, SSL_FILETYPE_PEM);
	SSL_CTX_use_PrivateKey_file(ctx, t->cert, SSL_FILETYPE_PEM);
	ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1)
		return ssl;
	SSL_free(ssl);
	return NULL;
}

static void
read_all_tls(struct talk *t, SSL *ssl)
{
	int n;

	while ((n = SSL_read(ssl, t->seen + t->seen_len,
		    (int)(sizeof(t->seen) - 1 - t->seen_len))) > 0)
		t->seen_len += (size_t)n;
	t->seen[t->seen_len] = '\0';
}

static void
greets_in_tls(struct talk *t, int fd)
{
	SSL *ssl = accept_tls(t, fd);

	if (ssl == NULL)
		return;
	SSL_write(ssl, "+OK hello\r\n", 11);
	read_all_tls(t, ssl);
	SSL_free(ssl);
}

static struct talk
new_talk(server_script *script, const char *cert)
{
	static char cert_path[256], ca_path[256];
	struct talk t = { .script = script, .settings.implicit_tls = true };

	snprintf(cert_path, sizeof(cert_path), "%s/%s", folder, cert);
	snprintf(ca_path, sizeof(ca_path), "%s/ca.pem", folder);
	t.cert = cert_path;
	t.tls.ca_file = ca_path;
	return t;
}

static void
a_good_certificate_by_address(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");
	struct error err;

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_true(conn_verified(t.conn));
	assert_memory_equal(conn_cipher(t.conn), "TLSv1.3 TLS_", 12);
	talk_expect_line(&t, "+OK hello");
	assert_true(conn_send_secret(t.conn, SLICE("PASS hunter2\r\n"), &err));
	talk_event_within(&t, 50);
	talk_close(&t);
	assert_string_equal(t.seen, "PASS hunter2\r\n");
}

static void
a_good_certificate_by_name(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");

	(void)state;
	t.settings.host = "localhost";
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_true(conn_verified(t.conn));
	talk_close(&t);
}

static void
a_server_name_replaces_the_host(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");

	(void)state;
	t.tls.server_name = "pop.isp.example";
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_close(&t);
}

/* Refused, in these words, and not a byte was said to the server. */
static void
refuses(struct talk *t, enum error_kind kind, const char *words)
{
	talk_open(t);
	talk_wait_closed(t, kind, words);
	assert_false(conn_verified(t->conn));
	talk_close(t);
	assert_string_equal(t->seen, "");
}

static void
an_expired_certificate_is_refused(void **state)
{
	struct talk t = new_talk(greets_in_tls, "expired.pem");

	(void)state;
	refuses(&t, ERROR_TLS,
	    "certificate of 127.0.0.1 has expired (not after 20");
}

static void
a_certificate_for_others_is_refused(void **state)
{
	struct talk t = new_talk(greets_in_tls, "other.pem");

	(void)state;
	refuses(&t, ERROR_TLS,
	    "certificate of 127.0.0.1 is for pop.other.example, 192.0.2.1, "
	    "not for 127.0.0.1; if that is the provider, set tls.server_name");
}

static void
a_wrong_server_name_is_refused(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");

	(void)state;
	t.tls.server_name = "imap.isp.example";
	refuses(&t, ERROR_TLS, "not for imap.isp.example");
}

static void
a_self_signed_certificate_is_refused(void **state)
{
	struct talk t = new_talk(greets_in_tls, "self.pem");

	(void)state;
	refuses(&t, ERROR_TLS,
	    "is self-signed; set tls.ca_file, or tls.fingerprint_sha256 "
	    "(SHA-256 ");
}

static void
an_unknown_authority_is_refused(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");

	(void)state;
	t.tls.ca_file = NULL;
	refuses(&t, ERROR_TLS, "is from an unknown authority; set tls.ca_file");
}

static void
pin(struct talk *t)
{
	struct error err;
	struct buf der;

	buf_init(&der, 1 << 16);
	assert_true(file_read(in_folder("self.der"), &der, &err));
	digest_sha256(buf_slice(&der), t->tls.fingerprint_sha256);
	t->tls.pinned = true;
	buf_clear(&der);
}

static void
a_pin_replaces_chain_and_name(void **state)
{
	struct talk t = new_talk(greets_in_tls, "self.pem");

	(void)state;
	pin(&t);
	t.tls.server_name = "pop.isp.example";
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_true(conn_verified(t.conn));
	talk_close(&t);
}

static void
a_good_chain_without_the_pin_is_refused(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");

	(void)state;
	pin(&t);
	refuses(&t, ERROR_TLS, "which is not tls.fingerprint_sha256");
}

static void
a_missing_ca_file_is_a_setting(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");

	(void)state;
	t.tls.ca_file = "/nonexistent/ca.pem";
	refuses(&t, ERROR_CONFIG,
	    "tls.ca_file: /nonexistent/ca.pem: No such file or directory");
}

static void
a_ca_file_without_certificates_is_a_setting(void **state)
{
	struct talk t = new_talk(greets_in_tls, "good.pem");

	(void)state;
	t.tls.ca_file = "/dev/null";
	refuses(&t, ERROR_CONFIG,
	    "tls.ca_file: cannot read certificates (PEM) from /dev/null");
}

static void
greets_in_clear(struct talk *t, int fd)
{
	assert_int_equal(write(fd, "+OK hello\r\n", 11), 11);
	(void)t;
	usleep(100000);
}

static void
a_port_without_tls_is_named(void **state)
{
	struct talk t = new_talk(greets_in_clear, "good.pem");

	(void)state;
	refuses(&t, ERROR_TLS, "127.0.0.1 does not speak TLS on this port");
}

static void
hangs_up(struct talk *t, int fd)
{
	(void)t;
	(void)fd;
}

static void
the_end_in_the_handshake_is_an_error(void **state)
{
	struct talk t = new_talk(hangs_up, "good.pem");

	(void)state;
	refuses(&t, ERROR_RETRY, "TLS handshake: ");
}

static void
says_nothing(struct talk *t, int fd)
{
	char byte;

	while (read(fd, &byte, 1) > 0)
		;
	(void)t;
}

static void
a_handshake_has_a_limit(void **state)
{
	struct talk t = new_talk(says_nothing, "good.pem");

	(void)state;
	t.settings.timeout_ms = 100;
	refuses(&t, ERROR_RETRY, "no end of the TLS handshake for 1 s");
}

static void
cuts(struct talk *t, int fd)
{
	SSL *ssl = accept_tls(t, fd);

	SSL_write(ssl, "half a mess", 11);
	SSL_free(ssl);
}

static void
an_end_without_close_notify_is_a_cut(void **state)
{
	struct talk t = new_talk(cuts, "good.pem");

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
	SSL *ssl = accept_tls(t, fd);

	SSL_write(ssl, "+OK bye\r\n", 9);
	SSL_shutdown(ssl);
	SSL_free(ssl);
}

static void
an_orderly_end_is_told_after_the_data(void **state)
{
	struct talk t = new_talk(ends, "good.pem");

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
	ssl = accept_tls(t, fd);
	if (ssl == NULL)
		return;
	SSL_write(ssl, "+OK secured\r\n", 13);
	read_all_tls(t, ssl);
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
	struct talk t = new_talk(offers_stls, "good.pem");
	struct error err;

	(void)state;
	ask_for_tls(&t);
	assert_true(conn_start_tls(t.conn, &err));
	assert_false(conn_send_secret(t.conn, SLICE("PASS hunter2\r\n"), &err));
	talk_wait(&t, CONN_SECURED);
	assert_true(conn_verified(t.conn));
	talk_expect_line(&t, "+OK secured");
	assert_true(conn_send_secret(t.conn, SLICE("PASS hunter2\r\n"), &err));
	talk_event_within(&t, 50);
	talk_close(&t);
	assert_string_equal(t.seen, "PASS hunter2\r\n");
}

static void
stls_with_a_bad_certificate_is_refused(void **state)
{
	struct talk t = new_talk(offers_stls, "other.pem");
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
	says_nothing(t, fd);
}

static void
bytes_before_the_handshake_refuse_it(void **state)
{
	struct talk t = new_talk(injects, "good.pem");
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
	SSL *ssl = accept_tls(t, fd);
	uint8_t block[16384];
	size_t sent = 0;

	while (sent < t->size) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (uint8_t)((sent + i) % 251);
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
	struct talk t = new_talk(sends_much, "good.pem");
	size_t got = 0, pieces = 0;

	(void)state;
	t.size = 8 << 20;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	while (got < t.size) {
		struct slice piece = conn_peek(t.conn);

		if (piece.len == 0) {
			talk_wait(&t, CONN_DATA);
			continue;
		}
		for (size_t i = 0; i < piece.len; i++)
			assert_int_equal(piece.data[i], (got + i) % 251);
		got += piece.len;
		conn_consume(t.conn, piece.len);
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
	struct talk t = new_talk(sends_much, "good.pem");
	size_t total = 0;
	struct slice piece;

	(void)state;
	t.size = 32 << 20;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	while (talk_event_within(&t, 100))
		assert_int_equal(t.event, CONN_DATA);
	while ((piece = conn_peek(t.conn)).len > 0) {
		total += piece.len;
		conn_consume(t.conn, piece.len);
	}
	assert_in_range(total, 64 * 1024, 96 * 1024);
	talk_close(&t);
}

/* One record, byte by byte. */
static void
drips_a_record(struct talk *t, int fd)
{
	SSL *ssl = accept_tls(t, fd);
	BIO *record = BIO_new(BIO_s_mem());
	char *bytes;
	long len;

	SSL_set0_wbio(ssl, record);
	SSL_write(ssl, "slow\n", 5);
	len = BIO_get_mem_data(record, &bytes);
	for (long i = 0; i < len; i++) {
		assert_int_equal(write(fd, bytes + i, 1), 1);
		usleep(20000);
	}
	SSL_free(ssl);
}

static void
a_slow_record_is_no_silence(void **state)
{
	struct talk t = new_talk(drips_a_record, "good.pem");

	(void)state;
	t.settings.timeout_ms = 150;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_expect_line(&t, "slow");
	talk_close(&t);
}

static void
the_handler_may_free(void **state)
{
	static const char *const certs[] = { "good.pem", "other.pem" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk t = new_talk(greets_in_tls, certs[i]);

		t.free_in_handler = true;
		talk_open(&t);
		assert_true(talk_event_within(&t, 10000));
		assert_false(talk_event_within(&t, 20));
		talk_close(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_certificate_by_address),
		cmocka_unit_test(a_good_certificate_by_name),
		cmocka_unit_test(a_server_name_replaces_the_host),
		cmocka_unit_test(an_expired_certificate_is_refused),
		cmocka_unit_test(a_certificate_for_others_is_refused),
		cmocka_unit_test(a_wrong_server_name_is_refused),
		cmocka_unit_test(a_self_signed_certificate_is_refused),
		cmocka_unit_test(an_unknown_authority_is_refused),
		cmocka_unit_test(a_pin_replaces_chain_and_name),
		cmocka_unit_test(a_good_chain_without_the_pin_is_refused),
		cmocka_unit_test(a_missing_ca_file_is_a_setting),
		cmocka_unit_test(a_ca_file_without_certificates_is_a_setting),
		cmocka_unit_test(a_port_without_tls_is_named),
		cmocka_unit_test(the_end_in_the_handshake_is_an_error),
		cmocka_unit_test(a_handshake_has_a_limit),
		cmocka_unit_test(an_end_without_close_notify_is_a_cut),
		cmocka_unit_test(an_orderly_end_is_told_after_the_data),
		cmocka_unit_test(stls_secures_the_same_connection),
		cmocka_unit_test(stls_with_a_bad_certificate_is_refused),
		cmocka_unit_test(bytes_before_the_handshake_refuse_it),
		cmocka_unit_test(a_big_message_streams_through_pauses),
		cmocka_unit_test(unread_bytes_are_bounded),
		cmocka_unit_test(a_slow_record_is_no_silence),
		cmocka_unit_test(the_handler_may_free),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
