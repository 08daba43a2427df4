/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A name with several addresses, some of which fail in the handshake.
 * getaddrinfo() is this file's own: two.test is 127.0.0.2, then 127.0.0.1,
 * three.test is 127.0.0.3 before these.
 */
#include "tests/support/tls_server.h"

#include <dlfcn.h>
#include <netdb.h>

typedef int resolver_function(
    const char *, const char *, const struct addrinfo *, struct addrinfo **);

int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
    struct addrinfo **found)
{
	resolver_function *real =
	    (resolver_function *)dlsym(RTLD_NEXT, "getaddrinfo");
	int last = strcmp(host, "two.test") == 0     ? 2
		   : strcmp(host, "three.test") == 0 ? 3
						     : 0;

	if (last == 0 || hints->ai_flags & AI_NUMERICHOST)
		return real(host, port, hints, found);
	for (; last > 0; last--, found = &(*found)->ai_next) {
		char number[24];
		int status;

		snprintf(number, sizeof(number), "127.0.0.%d", last);
		status = real(number, port, hints, found);
		if (status != 0)
			return status;
	}
	return 0;
}

static int
last_number(int fd)
{
	struct sockaddr_in here = { 0 };
	socklen_t len = sizeof(here);

	getsockname(fd, (struct sockaddr *)&here, &len);
	return (int)(ntohl(here.sin_addr.s_addr) & 0xff);
}

/* .1 is the one for whom the certificate is. */
static void
greets(struct talk *t, int fd)
{
	static char path[256];
	SSL *ssl;

	snprintf(path, sizeof(path), "%s",
	    tls_server_file(last_number(fd) == 1 ? "good.pem" : "expired.pem"));
	t->cert = path;
	SSL_CTX_free(t->server_ctx);
	t->server_ctx = NULL;
	ssl = tls_server_accept(t, fd);
	if (ssl == NULL)
		return;
	SSL_write(ssl, "+OK hello\r\n", 11);
	tls_server_read_all(t, ssl);
	SSL_free(ssl);
}

/* .2 ends without a word, .3 never says any. */
static void
hangs_up_or_waits(struct talk *t, int fd)
{
	char byte;

	if (last_number(fd) == 1)
		greets(t, fd);
	while (last_number(fd) == 3 && read(fd, &byte, 1) > 0)
		;
}

static struct talk
several(server_script *script, const char *host, int connections)
{
	struct talk t = tls_server_talk(script, "good.pem");

	t.settings.host = host;
	t.tls.server_name = "pop.isp.example";
	t.connections = connections;
	return t;
}

static void
the_next_address_has_the_right_certificate(void **state)
{
	struct talk t = several(greets, "two.test", 2);

	(void)state;
	talk_open(&t);
	talk_wait(&t, CONN_READY);
	assert_true(conn_verified(t.conn));
	talk_expect_line(&t, "+OK hello");
	talk_end_with_secret(&t, "PASS x\r\n");
}

static bool
gets_to_the_third(int64_t timeout_ms)
{
	struct talk t = several(hangs_up_or_waits, "three.test", 3);
	bool so;

	t.settings.timeout_ms = timeout_ms;
	talk_open(&t);
	assert_true(talk_event_within(&t, 60000));
	so = t.event == CONN_READY;
	if (so)
		talk_expect_line(&t, "+OK hello");
	talk_close(&t);
	return so;
}

/* On a machine that stalls the good one may be silent as well. */
static void
a_cut_and_a_silence_are_not_the_end(void **state)
{
	(void)state;
	if (!gets_to_the_third(1000))
		assert_true(gets_to_the_third(10000));
}

static void
the_fault_of_the_first_is_told(void **state)
{
	struct talk t = several(greets, "two.test", 2);

	(void)state;
	t.tls.server_name = "imap.isp.example";
	talk_open(&t);
	talk_wait_closed(&t, ERROR_TLS,
	    "certificate of two.test is for 127.0.0.1, not for imap.isp");
	assert_false(conn_verified(t.conn));
	assert_false(talk_event_within(&t, 50));
	talk_close(&t);
	assert_string_equal(t.seen, "");
}

static void
a_setting_is_wrong_everywhere(void **state)
{
	struct talk t = several(NULL, "two.test", 0);

	(void)state;
	t.tls.ca_file = "/nonexistent/ca.pem";
	talk_open(&t);
	talk_wait_closed(&t, ERROR_CONFIG, "tls.ca_file: /nonexistent/ca.pem");
	talk_close(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_address_has_the_right_certificate),
		cmocka_unit_test(a_cut_and_a_silence_are_not_the_end),
		cmocka_unit_test(the_fault_of_the_first_is_told),
		cmocka_unit_test(a_setting_is_wrong_everywhere),
	};

	return cmocka_run_group_tests(
	    tests, tls_server_set_up, tls_server_tear_down);
}
