/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - what to do with each message of a listing.  Pure: the state's rows,
 * the account's settings and the time in, a verdict out.
 */
#ifndef FETCHER_PLAN_H
#define FETCHER_PLAN_H

#include "config/config.h"
#include "fetcher/storage.h"
#include "state/seen.h"

enum plan {
	PLAN_FETCH,
	PLAN_DELETE,   /* injected, committed, and its time has come */
	PLAN_KEEP,     /* injected, stays as `keep` says; or settled otherwise;
			* or never ours */
	PLAN_WAIT,     /* refused before; its next try is later */
	PLAN_OVERSIZE, /* too large for Postfix, and not yet reported */
};

/* `size` is what the server said; `size_limit` Postfix's message_size_limit, 0
 * for none; `now_ms` the wall clock. */
enum plan plan_message(const struct account *, const struct seen_row *,
    uint64_t size, uint64_t size_limit, int64_t now_ms);

/* Puts what is to be fetched, offsets into a listing, into the order in which
 * the account wants it.  A size that is not known counts as 0. */
void plan_sort(enum fetch_order, const struct listed *entries,
    uint32_t *offsets, size_t n);

/* The row after one more refusal: RETRY with the pause doubled each time (at
 * most 1 h), or PARKED after max_tries. */
struct seen_row plan_refused(const struct inject_settings *,
    const struct seen_row *before, int64_t now_ms);

#endif
