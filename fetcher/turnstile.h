/* SPDX-License-Identifier: Apache-2.0 */
/*
 * turnstile - who may have a connection to a provider now: so many in all, so
 * many busy ones per host (fetcher.connections, connections_per_host).
 *
 * Whoever waits is let in first come, first served; among the hosts the next
 * one's turn comes after each, so that a host for which hundreds wait delays
 * nobody else.  A connection that rests (IMAP IDLE) costs its provider nothing:
 * it counts in all only.  When those that rest have taken all there are, the one
 * that has rested longest is asked to leave for whoever waits.
 *
 * No clock and no socket; handlers run from the loop, later, never from within
 * a call.
 *
 *	enter ─► waiting ─go─► busy ─rest─► resting ─resume─► waiting ─go─► busy
 *	            └──────────────┴───────────┴─ leave
 */
#ifndef FETCHER_TURNSTILE_H
#define FETCHER_TURNSTILE_H

#include "fetcher/loop.h"

struct turnstile;
struct turn; /* of one connection, or of the wish for one */

struct turnstile *turnstile_new(struct loop *);
/* Only when everybody has left.  Takes NULL. */
void turnstile_free(struct turnstile *);
/* Before the first one enters, and again when they change: nobody who is in is
 * sent away. */
void
turnstile_limit(struct turnstile *, unsigned connections, unsigned per_host);

/* `go` runs when a connection may be made.  The host is copied; its name in
 * another case is the same host. */
struct turn *turnstile_enter(
    struct turnstile *, const char *host, loop_handler *go, void *arg);
/* A further connection to the same host, which can be done without: nobody is
 * asked to leave for it, and it is asked before others. */
struct turn *turn_another(const struct turn *, loop_handler *go, void *arg);
/* `go` has not run yet. */
bool turn_waits(const struct turn *);
/* One that does not wait: the connection stays, and only listens.  `yield` runs
 * once, if at all, when it should be closed for somebody else: leave soon. */
void turn_rest(struct turn *, loop_handler *yield, void *arg);
/* A resting one has work again: `go` runs when its host may be kept busy; the
 * connection may stay open till then. */
void turn_resume(struct turn *, loop_handler *go, void *arg);
/* In any state; the connection is closed, and no handler runs any more.  Takes
 * NULL. */
void turn_leave(struct turn *);

#endif
