/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_context - what connections with the same files share: the authorities
 * that are believed and our own certificate.  Read once (the system's store
 * takes tens of milliseconds and half a megabyte), and again when a file has
 * changed.  Only tls uses this.
 *
 * A private key that others may read is refused like any secret, one with a
 * passphrase too: nobody is there to type it.
 */
#ifndef FETCHER_TLS_CONTEXT_H
#define FETCHER_TLS_CONTEXT_H

#include "base/error.h"
#include "config/config.h"

struct ssl_ctx_st;
struct tls_contexts;

struct tls_context {
	struct ssl_ctx_st *ssl_ctx;
	uint64_t number; /* of this reading of these files; never comes again */
};

/* Called for each context that is made. */
typedef void tls_context_handler(struct ssl_ctx_st *);

struct tls_contexts *tls_contexts_new(tls_context_handler *);
void tls_contexts_free(struct tls_contexts *);
/* All are read again when next asked for; connections keep theirs. */
void tls_contexts_forget(struct tls_contexts *);
/* Valid until the next call.  NULL: ERROR_CONFIG; a file is missing or not what
 * it should be, the key is not the certificate's, the certificate has
 * expired. */
const struct tls_context *tls_contexts_find(
    struct tls_contexts *, const struct tls_settings *, struct error *);

#endif
