/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp_session - asking an SMTP server whether it would take mail for an
 * address: MAIL FROM:<>, RCPT, and never DATA (RFC 5321).
 *
 * In clear text: nothing secret is said.  Used by one thread at a time; nothing
 * blocks beyond its deadline (monotonic) but the name service.  Error texts
 * begin with "HOST:PORT".  After a failure the session is of no further use;
 * it is ERROR_RETRY, or ERROR_LOCAL when there is no socket to be had.
 */
#ifndef DIRECTORY_SMTP_SESSION_H
#define DIRECTORY_SMTP_SESSION_H

#include "directory/source.h"

struct smtp_session;

/* NULL with the error.  The settings are borrowed until close. */
struct smtp_session *smtp_session_open(
    const struct smtp_source *, int64_t deadline_ms, struct error *);
/* Says QUIT, without waiting for the answer. */
void smtp_session_close(struct smtp_session *);

/* One RCPT: true with the answer, which may be UNKNOWN. */
bool smtp_session_ask(struct smtp_session *, const struct address *,
    int64_t deadline_ms, struct directory_answer *, struct error *);
/* Ends the transaction; proves that the server still answers. */
bool
smtp_session_reset(struct smtp_session *, int64_t deadline_ms, struct error *);
/* The server said "no" so often that it would soon slow down, or hang up:
 * Postfix sleeps a second from the tenth error of a session on. */
bool smtp_session_is_worn(const struct smtp_session *);

#endif
