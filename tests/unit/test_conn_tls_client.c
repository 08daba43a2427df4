/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that want to know who we are: a certificate of our own. */
#include "tests/support/tls_server.h"

#include "base/file.h"

#include <openssl/x509.h>

static char seen_name[64];

static void
note_name(SSL *ssl)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);

	X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName,
	    seen_name, sizeof(seen_name));
	X509_free(cert);
}

static void
asks_for_a_certificate(struct talk *t, int fd)
{
	SSL_CTX *ctx = tls_server_context(t);
	SSL *ssl;

	SSL_CTX_load_verify_file(ctx, tls_server_file("ca.pem"));
	SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"test", 4);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	ssl = tls_server_accept(t, fd);
	if (ssl == NULL)
		return;
	note_name(ssl);
	SSL_write(ssl, "+OK hello\r\n", 11);
	tls_server_read_all(t, ssl);
	SSL_free(ssl);
}

/* As a server that refuses us with an alert, when its kernel drops that. */
static void
asks_for_one_and_resets(struct talk *t, int fd)
{
	struct linger at_once = { .l_onoff = 1 };
	SSL_CTX *ctx = tls_server_context(t);
	SSL *ssl;

	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	ssl = tls_server_accept(t, fd);
	if (ssl == NULL)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	SSL_set_quiet_shutdown(ssl, 1);
	SSL_free(ssl);
}

static const char *
path_of(const char *name, char path[static 256])
{
	if (name == NULL)
		return NULL;
	snprintf(path, 256, "%s", tls_server_file(name));
	return path;
}

static struct talk
talk_as(server_script *script, const char *certificate, const char *key)
{
	static char certificate_path[256], key_path[256];
	struct talk t = tls_server_talk(script, "good.pem");

	seen_name[0] = '\0';
	t.tls.client_certificate = path_of(certificate, certificate_path);
	t.tls.client_key = path_of(key, key_path);
	return t;
}

static void
is_known_as(struct talk *t, const char *name)
{
	talk_wait(t, CONN_READY);
	talk_expect_line(t, "+OK hello");
	assert_string_equal(seen_name, name);
}

static void
with_the_key_in_the_same_file(void **state)
{
	struct talk t = talk_as(asks_for_a_certificate, "good.pem", NULL);

	(void)state;
	talk_open(&t);
	is_known_as(&t, "good.example");
	talk_close(&t);
}

static void
with_the_key_in_a_file_of_its_own(void **state)
{
	struct talk t = talk_as(asks_for_a_certificate, "open.pem", "good.key");

	(void)state;
	talk_open(&t);
	is_known_as(&t, "good.example");
	talk_close(&t);
}

static void
copy(const char *from, const char *to)
{
	struct error err;
	struct buf text;

	buf_init(&text, 1 << 16);
	assert_true(file_read(tls_server_file(from), &text, &err));
	assert_true(
	    file_replace(tls_server_file(to), buf_slice(&text), 0600, &err));
	buf_clear(&text);
}

static void
a_new_one_is_used_at_once(void **state)
{
	struct talk t = talk_as(asks_for_a_certificate, "ours.pem", NULL);

	(void)state;
	copy("good.pem", "ours.pem");
	t.connections = 2;
	talk_open(&t);
	is_known_as(&t, "good.example");
	copy("other.pem", "ours.pem");
	talk_reopen(&t);
	is_known_as(&t, "other.example");
	talk_close(&t);
}

static void
is_told_that_one_is_missing(struct talk t)
{
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_wait_closed(
	    &t, ERROR_TLS, "asks for a certificate of ours: set tls.client_");
	talk_close(&t);
}

static void
a_server_that_misses_one_says_so(void **state)
{
	(void)state;
	is_told_that_one_is_missing(
	    talk_as(asks_for_a_certificate, NULL, NULL));
}

static void
a_server_that_misses_one_may_just_break_off(void **state)
{
	(void)state;
	is_told_that_one_is_missing(
	    talk_as(asks_for_one_and_resets, NULL, NULL));
}

static void
a_server_that_does_not_accept_it_says_so(void **state)
{
	struct talk t = talk_as(asks_for_a_certificate, "self.pem", NULL);

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	talk_wait_closed(
	    &t, ERROR_TLS, "does not accept the one in tls.client_certificate");
	talk_close(&t);
}

static const struct {
	const char *certificate, *key, *words;
} bad[] = {
	{ "open.pem", NULL, "lets others read or change this secret" },
	{ "open.pem", "other.key",
	    "tls.client_certificate belongs to another key than that in" },
	{ "open.pem", "locked.key",
	    "only a key without passphrase can be used, not that of" },
	{ "open.pem", "ca.pem", "tls.client_key: " },
	{ "open.pem", "self.der", "tls.client_key: " },
	{ "good.key", NULL, "tls.client_certificate: cannot use the" },
	{ "absent.pem", NULL, "absent.pem: No such file" },
	{ "expired.pem", "expired.key",
	    "tls.client_certificate: the certificate in " },
};

/* Nobody listens to them, so they are told without connecting. */
static void
a_bad_one_is_told_beforehand(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct talk t = talk_as(NULL, bad[i].certificate, bad[i].key);

		talk_open(&t);
		talk_wait_closed(&t, ERROR_CONFIG, bad[i].words);
		talk_close(&t);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(with_the_key_in_the_same_file),
		cmocka_unit_test(with_the_key_in_a_file_of_its_own),
		cmocka_unit_test(a_new_one_is_used_at_once),
		cmocka_unit_test(a_server_that_misses_one_says_so),
		cmocka_unit_test(a_server_that_misses_one_may_just_break_off),
		cmocka_unit_test(a_server_that_does_not_accept_it_says_so),
		cmocka_unit_test(a_bad_one_is_told_beforehand),
	};

	return cmocka_run_group_tests(
	    tests, tls_server_set_up, tls_server_tear_down);
}
