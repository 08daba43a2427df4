/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <openssl/ssl.h>
#include <string.h>

#include "fetcher/tls_sessions.h"

static const struct tls_session_key here = { { 1 } }, there = { { 2 } };

/* Told from others by the number in its ID; 0: it has none. */
static void
put(struct tls_sessions *sessions, const struct tls_session_key *key,
    unsigned number, time_t good_until)
{
	static const uint8_t secret[48];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_SESSION *session = SSL_SESSION_new();

	SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION);
	SSL_SESSION_set_cipher(
	    session, sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(ctx), 0));
	SSL_SESSION_set1_master_key(session, secret, sizeof(secret));
	if (number != 0)
		SSL_SESSION_set1_id(
		    session, (uint8_t *)&number, sizeof(number));
	tls_sessions_put(sessions, key, session, good_until);
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
}

/* The number; 0: there is none. */
static unsigned
take(struct tls_sessions *sessions, const struct tls_session_key *key)
{
	time_t good_until = 0;
	SSL_SESSION *session = tls_sessions_take(sessions, key, &good_until);
	unsigned number, len;

	if (session == NULL)
		return 0;
	assert_true(good_until > time(NULL));
	memcpy(&number, SSL_SESSION_get_id(session, &len), sizeof(number));
	SSL_SESSION_free(session);
	return number;
}

static void
each_is_given_out_once_the_newest_first(void **state)
{
	struct tls_sessions *sessions = tls_sessions_new();
	time_t later = time(NULL) + 100;

	(void)state;
	put(sessions, &here, 1, later);
	put(sessions, &there, 2, later);
	put(sessions, &here, 3, later);
	assert_int_equal(take(sessions, &here), 3);
	assert_int_equal(take(sessions, &here), 1);
	assert_int_equal(take(sessions, &here), 0);
	assert_int_equal(take(sessions, &there), 2);
	tls_sessions_free(sessions);
}

static void
none_after_its_time(void **state)
{
	struct tls_sessions *sessions = tls_sessions_new();

	(void)state;
	put(sessions, &here, 1, time(NULL) + 100);
	put(sessions, &here, 2, time(NULL));
	assert_int_equal(take(sessions, &here), 1);
	assert_int_equal(take(sessions, &here), 0);
	tls_sessions_free(sessions);
}

static void
one_server_or_all_are_forgotten(void **state)
{
	struct tls_sessions *sessions = tls_sessions_new();
	time_t later = time(NULL) + 100;

	(void)state;
	put(sessions, &here, 1, later);
	put(sessions, &there, 2, later);
	put(sessions, &there, 3, later);
	put(sessions, &here, 4, later);
	tls_sessions_forget(sessions, &here);
	assert_int_equal(take(sessions, &here), 0);
	assert_int_equal(take(sessions, &there), 3);
	tls_sessions_forget(sessions, NULL);
	assert_int_equal(take(sessions, &there), 0);
	tls_sessions_free(sessions);
}

static void
the_oldest_makes_room(void **state)
{
	struct tls_sessions *sessions = tls_sessions_new();
	time_t later = time(NULL) + 100;

	(void)state;
	put(sessions, &here, 1, later);
	put(sessions, &here, 2, later);
	for (unsigned i = 1; i < TLS_SESSIONS_MAX; i++)
		put(sessions, &there, 2 + i, later);
	assert_int_equal(take(sessions, &here), 2);
	assert_int_equal(take(sessions, &here), 0);
	tls_sessions_free(sessions);
}

static void
one_that_cannot_be_resumed_is_not_kept(void **state)
{
	struct tls_sessions *sessions = tls_sessions_new();
	time_t until;

	(void)state;
	put(sessions, &here, 0, time(NULL) + 100);
	assert_null(tls_sessions_take(sessions, &here, &until));
	tls_sessions_free(sessions);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_given_out_once_the_newest_first),
		cmocka_unit_test(none_after_its_time),
		cmocka_unit_test(one_server_or_all_are_forgotten),
		cmocka_unit_test(the_oldest_makes_room),
		cmocka_unit_test(one_that_cannot_be_resumed_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
