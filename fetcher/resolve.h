/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve - the addresses of a host name, by getaddrinfo() in a worker thread,
 * so that what nsswitch.conf says counts and a hanging resolver never holds up
 * the loop.
 *
 * At most RESOLVE_WORKERS lookups run at a time, the others wait their turn;
 * the caller brings the clock and cancels.  Address literals need no worker.
 */
#ifndef FETCHER_RESOLVE_H
#define FETCHER_RESOLVE_H

#include "base/error.h"
#include "fetcher/loop.h"

enum { RESOLVE_WORKERS = 16 };

struct addrinfo;
struct lookup;

/* `addresses` belongs to the handler (freeaddrinfo), or is NULL and *err says
 * why.  The lookup is gone when the handler is called. */
typedef void
resolve_handler(void *arg, struct addrinfo *addresses, const struct error *err);

/* On the loop's thread; the handler is called there, never before this
 * returns. */
struct lookup *resolve_start(struct loop *, const char *host, uint16_t port,
    resolve_handler *, void *arg);
/* The handler will not be called.  Takes NULL. */
void resolve_cancel(struct lookup *);

#endif
