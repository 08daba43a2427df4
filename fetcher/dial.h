/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dial - from a host name, or the path of a unix socket, to a connected socket:
 * the name is resolved, its addresses are tried in turn, and one clock bounds
 * the lookup and each attempt.  Only conn uses this.
 */
#ifndef FETCHER_DIAL_H
#define FETCHER_DIAL_H

#include "base/error.h"
#include "fetcher/loop.h"

/* A name may have any number of addresses, each good for a time-out. */
enum { DIAL_ATTEMPTS_MAX = 8 };

struct dial;

struct dial_target {
	const char *host; /* name or address literal; borrowed */
	uint16_t port;
	int64_t timeout_ms;
	const char *path; /* of a unix socket, in place of both; or NULL */
};

/* The socket is non-blocking, close-on-exec, and the handler's; or it is -1
 * and *err (ERROR_RETRY, ERROR_LOCAL) says why the last attempt failed.  The
 * dial is gone when the handler is called. */
typedef void dial_handler(void *arg, int fd, const struct error *err);

/* The handler is called later, never before this returns. */
struct dial *dial_start(
    struct loop *, const struct dial_target *, dial_handler *, void *arg);
/* The handler will not be called.  Takes NULL. */
void dial_cancel(struct dial *);

#endif
