/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sasl_scram - the messages of SCRAM-SHA-256 (RFC 5802 7, RFC 7677), not yet or
 * no longer in base64.  Only sasl uses it.
 */
#ifndef FETCHER_SASL_SCRAM_H
#define FETCHER_SASL_SCRAM_H

#include "fetcher/sasl.h"

/* Adds client-first-message. */
void sasl_scram_first(const struct sasl *, struct buf *out);
/* Reads server-first-message and adds client-final-message; keeps what the
 * server's signature must be.  ERROR_PROTOCOL: it cannot be read.  ERROR_TLS: it
 * answers another login.  ERROR_CONFIG: it wants more or fewer iterations than
 * are done. */
bool sasl_scram_final(
    struct sasl *, struct slice server_first, struct buf *out, struct error *);
/* Whether server-final-message proves that the server knows the password.
 * ERROR_TLS: it does not.  The server refuses the login: ERROR_LOGIN, or what its
 * word for the reason says better. */
bool sasl_scram_verify(
    const struct sasl *, struct slice server_final, struct error *);
/* A name as SCRAM and OAUTHBEARER write it (saslname). */
void sasl_add_name(struct buf *out, const char *name);

#endif
