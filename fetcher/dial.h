/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial - from a host name, or the path of a unix socket, to a connected socket:
 * the name is resolved, its addresses are tried in turn, and one clock bounds
 * the lookup and each attempt.  When it turns out that a connected address does
 * not serve, the next one can be asked for.  Only conn uses this.
 */
#ifndef FETCHER_DIAL_H
#define FETCHER_DIAL_H

#include "base/error.h"
#include "fetcher/loop.h"

/* A name may have any number of addresses, each good for a time-out. */
enum { DIAL_ATTEMPTS_MAX = 8 };
/* What was sent and is not acknowledged for so long ends a connection. */
enum { DIAL_DEAD_MS = 120 * 1000 };

struct dial;

struct dial_target {
	const char *host; /* name or address literal; borrowed */
	uint16_t port;
	int64_t timeout_ms;
	const char *path; /* of a unix socket, in place of both; or NULL */
};

/* The socket is non-blocking, close-on-exec, and the handler's; or it is -1:
 * there is no address left, and *err (ERROR_RETRY, ERROR_LOCAL) says why the
 * last attempt failed.  The handler may call dial_free(). */
typedef void dial_handler(void *arg, int fd, const struct error *err);

/* The handler is called later, never before this returns. */
struct dial *dial_start(
    struct loop *, const struct dial_target *, dial_handler *, void *arg);
/* The handler was given a socket, which did not serve: it will be called once
 * more, for the next address or for the same one.  Not for a path. */
void dial_next(struct dial *);
void dial_again(struct dial *);
/* The handler will not be called.  Takes NULL. */
void dial_free(struct dial *);

#endif
