/* SPDX-License-Identifier: Apache-2.0 */
/* Who is believed without showing a certificate again, and for how long.
 * time() is this file's own, so that a day passes at once. */
#include "tests/support/tls_server.h"

#include "base/digest.h"
#include "base/file.h"

#include <dlfcn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

static time_t later;

time_t
time(time_t *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += later;
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}

/* "full " or "resumed ", for each handshake, or "failed ". */
static char handshakes[256];
static int max_version;
static bool refusing; /* whoever wants to resume */

static void
note(const char *what)
{
	size_t len = strlen(handshakes);

	snprintf(handshakes + len, sizeof(handshakes) - len, "%s ", what);
}

/* A ticket of ours is in the first hello. */
static int
on_hello(SSL *ssl, int *alert, void *arg)
{
	const unsigned char *data;
	size_t len;

	(void)arg;
	*alert = SSL_AD_INTERNAL_ERROR;
	if (refusing &&
	    SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_psk, &data, &len) == 1)
		return SSL_CLIENT_HELLO_ERROR;
	return SSL_CLIENT_HELLO_SUCCESS;
}

static void
greets(struct talk *t, int fd)
{
	SSL *ssl;

	tls_server_context(t);
	SSL_CTX_set_client_hello_cb(t->server_ctx, on_hello, NULL);
	SSL_CTX_set_max_proto_version(t->server_ctx, max_version);
	ssl = tls_server_accept(t, fd);
	if (ssl == NULL) {
		note("failed");
		return;
	}
	note(SSL_session_reused(ssl) ? "resumed" : "full");
	SSL_write(ssl, "+OK hello\r\n", 11);
	tls_server_read_all(t, ssl);
	SSL_free(ssl);
}

/* Without pressing on: says hello, and is gone. */
static void
visit(struct talk *t)
{
	if (t->loop == NULL)
		talk_open(t);
	else
		talk_reopen(t);
	talk_wait(t, CONN_READY);
	assert_true(conn_verified(t->conn));
	talk_expect_line(t, "+OK hello");
	conn_free(t->conn);
	t->conn = NULL;
	assert_false(talk_event_within(t, 0));
}

static struct talk
visits(const char *cert, int n)
{
	struct talk t = tls_server_talk(greets, cert);

	handshakes[0] = '\0';
	max_version = TLS1_3_VERSION;
	refusing = false;
	later = 0;
	t.connections = n;
	return t;
}

static void
end(struct talk *t, const char *wanted)
{
	talk_close(t);
	later = 0;
	assert_string_equal(handshakes, wanted);
}

static void
the_next_connection_resumes(void **state)
{
	struct talk t = visits("good.pem", 4);

	(void)state;
	for (int i = 0; i < 4; i++)
		visit(&t);
	end(&t, "full resumed resumed resumed ");
}

static void
so_does_tls_1_2(void **state)
{
	struct talk t = visits("good.pem", 3);

	(void)state;
	max_version = TLS1_2_VERSION;
	for (int i = 0; i < 3; i++)
		visit(&t);
	end(&t, "full resumed resumed ");
}

static void
other_settings_make_another_server(void **state)
{
	struct talk t = visits("good.pem", 4);

	(void)state;
	visit(&t);
	t.tls.server_name = "pop.isp.example";
	visit(&t);
	t.tls.server_name = NULL;
	t.settings.host = "localhost";
	visit(&t);
	t.settings.host = "127.0.0.1";
	visit(&t);
	end(&t, "full full full resumed ");
}

static void
a_wrong_name_is_not_resumed(void **state)
{
	struct talk t = visits("good.pem", 2);

	(void)state;
	visit(&t);
	t.tls.server_name = "imap.isp.example";
	talk_reopen(&t);
	talk_wait_closed(&t, ERROR_TLS, "not for imap.isp.example");
	end(&t, "full failed ");
}

static void
a_changed_ca_file_ends_trust(void **state)
{
	struct talk t = visits("good.pem", 2);
	static char path[256];
	struct error err;
	struct buf text;

	(void)state;
	snprintf(path, sizeof(path), "%s", tls_server_file("copy.pem"));
	buf_init(&text, 1 << 16);
	assert_true(file_read(tls_server_file("ca.pem"), &text, &err));
	assert_true(file_replace(path, buf_slice(&text), 0644, &err));
	t.tls.ca_file = path;
	visit(&t);
	buf_reset(&text);
	assert_true(file_read(tls_server_file("self.pem"), &text, &err));
	assert_true(file_replace(path, buf_slice(&text), 0644, &err));
	buf_clear(&text);
	talk_reopen(&t);
	talk_wait_closed(&t, ERROR_TLS, "is from an unknown authority");
	end(&t, "full failed ");
}

static void
a_reload_ends_trust(void **state)
{
	struct talk t = visits("good.pem", 3);

	(void)state;
	visit(&t);
	conn_forget_servers(t.loop);
	visit(&t);
	visit(&t);
	end(&t, "full full resumed ");
}

static void
a_pinned_server_resumes_too(void **state)
{
	struct talk t = visits("self.pem", 3);

	(void)state;
	tls_server_pin(&t);
	visit(&t);
	visit(&t);
	/* A pin that it does not have. */
	t.tls.fingerprint_sha256[0] ^= 1;
	talk_reopen(&t);
	talk_wait_closed(&t, ERROR_TLS, "is not tls.fingerprint_sha256");
	end(&t, "full resumed full ");
}

static void
a_server_that_fails_to_resume_is_asked_anew(void **state)
{
	struct talk t = visits("good.pem", 4);

	(void)state;
	visit(&t);
	refusing = true;
	/* Within the same connection, and nobody is told. */
	visit(&t);
	refusing = false;
	visit(&t);
	end(&t, "full failed full resumed ");
}

static void
stop_when_secured(enum conn_event event, void *arg)
{
	struct talk *t = arg;

	t->told = event == CONN_DATA;
	if (t->told)
		loop_stop(t->loop);
}

static void
none_of_its_sessions_is_tried_again(void **state)
{
	struct talk t = visits("good.pem", 4);
	struct conn *other;

	(void)state;
	/* Two at once, so two sessions. */
	talk_open(&t);
	other = conn_open(t.loop, &t.settings, stop_when_secured, &t);
	talk_wait(&t, CONN_READY);
	talk_expect_line(&t, "+OK hello");
	conn_free(t.conn);
	t.conn = NULL;
	assert_true(talk_event_within(&t, 10000));
	conn_free(other);
	assert_false(talk_event_within(&t, 0));
	refusing = true;
	visit(&t);
	end(&t, "full full failed full ");
}

static void
upgrades(struct talk *t, int fd)
{
	assert_int_equal(write(fd, "+OK go\r\n", 8), 8);
	greets(t, fd);
}

static void
upgrade(struct talk *t)
{
	struct error err;

	if (t->loop == NULL)
		talk_open(t);
	else
		talk_reopen(t);
	talk_wait(t, CONN_READY);
	talk_expect_line(t, "+OK go");
	assert_true(conn_start_tls(t->conn, &err));
}

/* There the dialogue begins anew, so the next connection has to do it. */
static void
after_a_failed_upgrade_the_next_one_is_full(void **state)
{
	struct talk t = visits("good.pem", 5);

	(void)state;
	t.script = upgrades;
	t.settings.implicit_tls = false;
	for (int i = 0; i < 2; i++) {
		upgrade(&t);
		talk_wait(&t, CONN_SECURED);
		talk_expect_line(&t, "+OK hello");
	}
	refusing = true;
	upgrade(&t);
	talk_wait_closed(&t, ERROR_TLS, "TLS with 127.0.0.1: ");
	for (int i = 0; i < 2; i++, refusing = false) {
		upgrade(&t);
		talk_wait(&t, CONN_SECURED);
		talk_expect_line(&t, "+OK hello");
	}
	end(&t, "full resumed failed full resumed ");
}

static void
not_for_longer_than_a_day(void **state)
{
	struct talk t = visits("good.pem", 17);

	(void)state;
	/* A ticket lasts for two hours, and each visit brings another. */
	for (int i = 0; i < 17; i++) {
		later = i * 100 * 60;
		visit(&t);
	}
	end(&t, "full resumed resumed resumed resumed resumed resumed resumed "
		"resumed resumed resumed resumed resumed resumed resumed full "
		"resumed ");
}

/* As good.pem, but only for an hour. */
static void
make_short_lived(void)
{
	FILE *in = fopen(tls_server_file("good.pem"), "r");
	X509 *cert = PEM_read_X509(in, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, NULL, NULL), *ca_key;
	FILE *out = fopen(tls_server_file("short.pem"), "w");
	FILE *ca = fopen(tls_server_file("ca.key"), "r");

	ca_key = PEM_read_PrivateKey(ca, NULL, NULL, NULL);
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	assert_true(X509_sign(cert, ca_key, EVP_sha256()) > 0);
	PEM_write_X509(out, cert);
	PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	fclose(in);
	fclose(ca);
	fclose(out);
}

static void
not_beyond_the_end_of_its_certificate(void **state)
{
	struct talk t = visits("short.pem", 3);

	(void)state;
	make_short_lived();
	visit(&t);
	later = 50 * 60;
	visit(&t);
	later = 61 * 60;
	talk_reopen(&t);
	talk_wait_closed(&t, ERROR_TLS, "certificate of 127.0.0.1 has expired");
	end(&t, "full resumed failed ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_connection_resumes),
		cmocka_unit_test(so_does_tls_1_2),
		cmocka_unit_test(other_settings_make_another_server),
		cmocka_unit_test(a_wrong_name_is_not_resumed),
		cmocka_unit_test(a_changed_ca_file_ends_trust),
		cmocka_unit_test(a_reload_ends_trust),
		cmocka_unit_test(a_pinned_server_resumes_too),
		cmocka_unit_test(a_server_that_fails_to_resume_is_asked_anew),
		cmocka_unit_test(none_of_its_sessions_is_tried_again),
		cmocka_unit_test(after_a_failed_upgrade_the_next_one_is_full),
		cmocka_unit_test(not_for_longer_than_a_day),
		cmocka_unit_test(not_beyond_the_end_of_its_certificate),
	};

	return cmocka_run_group_tests(
	    tests, tls_server_set_up, tls_server_tear_down);
}
