/* SPDX-License-Identifier: Apache-2.0 */
/*
 * comparison - what the state says of a listing.  On the storage thread.
 *
 * Each entry gets the row of its UID.  What a complete listing lacks is buried
 * (seen.h).  A UID that occurs twice names nothing (RFC 1939 7 wants it unique):
 * its entries get SEEN_NEW and what was known of it is buried, or a new message
 * under an old UID would be deleted unseen.
 *
 * Messages without a UID are known by IDENTITY_PREFIX and their content.  Where
 * a listing has such messages, rows of that kind are left alone: nobody knows
 * yet whether they are still there.
 *
 * ERROR_CONFIG, and nothing was changed: somebody has to say first what this
 * mailbox is.  It names no UIDs and keeps its messages; it was used for another
 * host or user; or the state knows it, and nothing of what it knows is there any
 * more, nor could be recognised; or the state does not know it, it holds more
 * than FIRST_MAX messages, and they stay there: were they all collected before?
 * Other errors are those of seen.h.
 */
#ifndef FETCHER_COMPARISON_H
#define FETCHER_COMPARISON_H

#include "fetcher/storage.h"

#define IDENTITY_PREFIX "sha256:"
enum {
	IDENTITY_SIZE = sizeof(IDENTITY_PREFIX) + 2 * SEEN_CONTENT_SIZE,
	FIRST_MAX = 100,
	STRANGE_MIN = 20, /* so many on both sides are no coincidence */
};

/* Inside a group of changes. */
bool comparison_run(struct seen *, struct storage_listing *, struct error *);

#endif
