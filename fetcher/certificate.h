/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate - what is wrong with a server's certificate or with our own, in
 * words that tell the administrator what to do; and the comparison with a pinned
 * digest.  Only tls and tls_context use the functions.
 */
#ifndef FETCHER_CERTIFICATE_H
#define FETCHER_CERTIFICATE_H

#include "base/digest.h"
#include "base/error.h"

#include <time.h>

struct x509_st;
struct x509_store_ctx_st;

/* What a server shows, printable. */
struct certificate_facts {
	char subject[128]; /* the names that it is for */
	char issuer[128];
	char until[32]; /* "2027-01-31" */
	char fingerprint[DIGEST_HEX_SIZE];
};

/* Inside OpenSSL's verify callback, for a chain that did not pass: ERROR_TLS.
 * `wanted` is the name or address that was asked for. */
void certificate_explain(struct x509_store_ctx_st *, const char *host,
    const char *wanted, struct error *);
/* Is this the certificate whose SHA-256 was configured?  ERROR_TLS. */
bool certificate_is_pinned(struct x509_st *leaf,
    const uint8_t wanted[DIGEST_SIZE], const char *host, struct error *);
/* Is our own good today?  ERROR_CONFIG; `setting` and `path` say which. */
bool certificate_is_current(
    struct x509_st *, const char *setting, const char *path, struct error *);
void certificate_describe(struct x509_st *, struct certificate_facts *);
/* When it expires; 0 when that cannot be read. */
time_t certificate_end(const struct x509_st *);

#endif
