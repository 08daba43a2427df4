/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_sessions - TLS sessions of servers that were verified, so that the next
 * handshake with them needs no certificates (RFC 8446 section 2.2, RFC 5077).
 * Only tls uses this.
 *
 * Kept as bytes: small, and without the chain.  Each is given out once: a
 * ticket that is used twice lets others see that both connections are ours
 * (RFC 8446 appendix C.4).  A key stands for a server together with all that
 * was asked of it.
 */
#ifndef FETCHER_TLS_SESSIONS_H
#define FETCHER_TLS_SESSIONS_H

#include "base/digest.h"

#include <time.h>

/* The oldest makes room.  One has about 2 KiB; larger ones than these are
 * not kept. */
enum { TLS_SESSIONS_MAX = 2048, TLS_SESSION_SIZE_MAX = 16 * 1024 };

struct ssl_session_st;
struct tls_sessions;

struct tls_session_key {
	uint8_t digest[DIGEST_SIZE];
};

struct tls_sessions *tls_sessions_new(void);
void tls_sessions_free(struct tls_sessions *);
/* Keeps a copy, if it can be resumed at all. */
void tls_sessions_put(struct tls_sessions *, const struct tls_session_key *,
    struct ssl_session_st *, time_t good_until);
/* The newest that is still good, for SSL_SESSION_free(); or NULL. */
struct ssl_session_st *tls_sessions_take(
    struct tls_sessions *, const struct tls_session_key *, time_t *good_until);
/* All of one server, or with NULL all. */
void tls_sessions_forget(struct tls_sessions *, const struct tls_session_key *);

#endif
