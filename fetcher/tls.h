/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls - the client side of TLS: contexts, what is asked of the peer, and words
 * for the administrator when the peer does not have it.  Only conn uses this.
 *
 * TLS 1.2 or newer, no compression, no renegotiation.  The chain must lead to
 * the system's store or to tls.ca_file, and the certificate must be for
 * tls.server_name or else the host (an address literal: for that address, and
 * no SNI is sent).  With tls.fingerprint_sha256 the leaf's digest decides, and
 * nothing else does.
 *
 * A session of a verified server is resumed by the next connection to the same
 * host and port with the same settings and files, at most for a day and never
 * beyond the end of a certificate in the chain.  The pin is compared each time.
 * There is no early data: it could be replayed.
 */
#ifndef FETCHER_TLS_H
#define FETCHER_TLS_H

#include "base/error.h"
#include "config/config.h"
#include "fetcher/loop.h"

enum { TLS_CIPHER_MAX = 96 };

struct bufferevent;
struct certificate_facts;
struct tls;

struct tls_peer { /* borrowed until tls_free() */
	const struct tls_settings *settings;
	const char *host;
	uint16_t port;
};

/* Can a handshake begin: are the files of the settings there and good?
 * ERROR_CONFIG. */
bool tls_ready(struct loop *, const struct tls_peer *, struct error *);
/* Files are read again and no session is resumed: the configuration has
 * changed. */
void tls_forget(struct loop *);
/* Begins the handshake on the connected `fd`.  NULL: ERROR_CONFIG, and the fd is
 * still the caller's. */
struct tls *
tls_start(struct loop *, int fd, const struct tls_peer *, struct error *);
/* The bufferevent, which owns the fd; its events tell the outcome. */
struct bufferevent *tls_stream(const struct tls *);
/* After the handshake: is the peer the right one?  ERROR_TLS. */
bool tls_verify(struct tls *, struct error *);
/* After BEV_EVENT_ERROR: why.  ERROR_TLS; ERROR_RETRY: the connection broke. */
void tls_explain(struct tls *, struct error *);
/* After a handshake that failed: was it one that the server may have disliked
 * because a session was to be resumed?  None of this server will be. */
bool tls_failed_resuming(struct tls *);
/* "TLSv1.3 TLS_AES_256_GCM_SHA384" */
void tls_cipher(const struct tls *, char out[static TLS_CIPHER_MAX]);
/* Of the peer; false when it shows none. */
bool tls_certificate(const struct tls *, struct certificate_facts *);
/* Bytes that came from the network, those of unfinished records too. */
uint64_t tls_received(const struct tls *);
/* Tells a well-behaved peer that the stream ends here, without waiting. */
void tls_say_goodbye(struct tls *);
/* Before the bufferevent is freed; takes NULL. */
void tls_free(struct tls *);

#endif
