/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache - what a directory said about an address, and when.
 *
 * Only clear answers are remembered.  A positive answer that is too old to be
 * believed is still given out as CACHE_STALE, for use while the directory is
 * away; an old negative answer never is: it would turn away somebody who was
 * made meanwhile.
 *
 * Bounded: at most CACHE_SETS * CACHE_WAYS addresses; a new one takes the
 * place of the oldest in its set.  Keys that a sender chose to collide
 * only push each other out.  Pure: the caller gives the time (monotonic) and
 * does the locking.
 */
#ifndef DIRECTORY_CACHE_H
#define DIRECTORY_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/address.h"

enum { CACHE_SETS = 16384, CACHE_WAYS = 4 };

struct cache_ages {
	int64_t found_ms;
	int64_t absent_ms;
	int64_t stale_ms; /* counted from the answer, as found_ms */
};

enum cached { CACHE_NOTHING, CACHE_FOUND, CACHE_ABSENT, CACHE_STALE };

struct cache;

struct cache *cache_new(struct cache_ages);
void cache_free(struct cache *);
/* The canonical address is that which was remembered. */
enum cached cache_ask(const struct cache *, const struct address *,
    int64_t now_ms, struct address *canonical);
/* The canonical address may be a null address. */
void cache_remember(struct cache *, const struct address *, bool found,
    const struct address *canonical, int64_t now_ms);

#endif
