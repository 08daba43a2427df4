/* SPDX-License-Identifier: Apache-2.0 */
/* Whom a connection trusts: certificates and handshakes. */
#include "tests/support/tls_server.h"

#include "base/digest.h"
#include "base/file.h"

static void
greets_in_tls(struct talk *t, int fd)
{
	SSL *ssl = tls_server_accept(t, fd);

	if (ssl == NULL)
		return;
	SSL_write(ssl, "+OK hello\r\n", 11);
	tls_server_read_all(t, ssl);
	SSL_free(ssl);
}

static void
a_good_certificate_by_address(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "good.pem");

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_true(conn_verified(t.conn));
	assert_memory_equal(conn_cipher(t.conn), "TLSv1.3 TLS_", 12);
	talk_expect_line(&t, "+OK hello");
	talk_end_with_secret(&t, "PASS hunter2\r\n");
}

static void
a_good_certificate_by_name(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "good.pem");

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
	struct talk t = tls_server_talk(greets_in_tls, "good.pem");

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
	struct talk t = tls_server_talk(greets_in_tls, "expired.pem");

	(void)state;
	refuses(&t, ERROR_TLS,
	    "certificate of 127.0.0.1 has expired (not after 20");
}

static void
a_certificate_for_others_is_refused(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "other.pem");

	(void)state;
	refuses(&t, ERROR_TLS,
	    "certificate of 127.0.0.1 is for pop.other.example, 192.0.2.1, "
	    "not for 127.0.0.1; if that is the provider, set tls.server_name");
}

static void
a_wrong_server_name_is_refused(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "good.pem");

	(void)state;
	t.tls.server_name = "imap.isp.example";
	refuses(&t, ERROR_TLS, "not for imap.isp.example");
}

static void
a_self_signed_certificate_is_refused(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "self.pem");

	(void)state;
	refuses(&t, ERROR_TLS,
	    "is self-signed; set tls.ca_file, or tls.fingerprint_sha256 "
	    "(SHA-256 ");
}

static void
an_unknown_authority_is_refused(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "good.pem");

	(void)state;
	t.tls.ca_file = NULL;
	refuses(&t, ERROR_TLS, "is from an unknown authority; set tls.ca_file");
}

static void
a_pin_replaces_chain_and_name(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "self.pem");

	(void)state;
	tls_server_pin(&t);
	t.tls.server_name = "pop.isp.example";
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_true(conn_verified(t.conn));
	talk_close(&t);
}

static void
a_good_chain_without_the_pin_is_refused(void **state)
{
	struct talk t = tls_server_talk(greets_in_tls, "good.pem");

	(void)state;
	tls_server_pin(&t);
	refuses(&t, ERROR_TLS, "which is not tls.fingerprint_sha256");
}

/* Nobody is connected to. */
static void
a_missing_ca_file_is_a_setting(void **state)
{
	struct talk t = tls_server_talk(NULL, "good.pem");

	(void)state;
	t.tls.ca_file = "/nonexistent/ca.pem";
	refuses(&t, ERROR_CONFIG,
	    "tls.ca_file: /nonexistent/ca.pem: No such file or directory");
}

static void
a_ca_file_without_certificates_is_a_setting(void **state)
{
	struct talk t = tls_server_talk(NULL, "good.pem");

	(void)state;
	t.tls.ca_file = "/dev/null";
	refuses(&t, ERROR_CONFIG,
	    "tls.ca_file: cannot read certificates (PEM) from /dev/null");
}

static void
greets_in_clear(struct talk *t, int fd)
{
	assert_int_equal(write(fd, "+OK hello\r\n", 11), 11);
	talk_says_nothing(t, fd);
}

static void
a_port_without_tls_is_named(void **state)
{
	struct talk t = tls_server_talk(greets_in_clear, "good.pem");

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
	struct talk t = tls_server_talk(hangs_up, "good.pem");

	(void)state;
	refuses(&t, ERROR_RETRY, "TLS handshake: ");
}

static void
a_handshake_has_a_limit(void **state)
{
	struct talk t = tls_server_talk(talk_says_nothing, "good.pem");

	(void)state;
	t.settings.timeout_ms = 100;
	refuses(&t, ERROR_RETRY, "no end of the TLS handshake for 1 s");
}

static void
the_handler_may_free(void **state)
{
	static const char *const certs[] = { "good.pem", "other.pem" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct talk t = tls_server_talk(greets_in_tls, certs[i]);

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
		cmocka_unit_test(the_handler_may_free),
	};

	return cmocka_run_group_tests(
	    tests, tls_server_set_up, tls_server_tear_down);
}
