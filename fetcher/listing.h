/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing - the messages that a server named, as they come in: number, size,
 * UID.  At most PROTOCOL_MESSAGES_MAX entries; 56 bytes and the UID each, while
 * it is compared 8 more.
 */
#ifndef FETCHER_LISTING_H
#define FETCHER_LISTING_H

#include "base/slice.h"
#include "fetcher/storage.h"

enum { LISTING_UIDS_MAX = 64 * 1024 * 1024 };

struct listing {
	struct storage_listing found;
	size_t room;
	uint8_t *uids;
	size_t uids_len, uids_room;
};

void listing_clear(struct listing *);
/* ERROR_PROTOCOL: the number is not greater than all before (every server lists
 * in this order, though RFC 1939 does not ask for it), or the UIDs take more
 * than LISTING_UIDS_MAX. */
bool listing_add(
    struct listing *, uint32_t number, struct slice uid, struct error *);
/* False when the number was not listed. */
bool listing_size(struct listing *, uint32_t number, uint64_t size);
/* Gives an entry that has none a UID. */
void listing_name(struct listing *, struct listed *, struct slice uid);
/* May a message of this content be one that has gone before? */
bool listing_may_know(
    const struct listing *, const uint8_t content[SEEN_CONTENT_SIZE]);
/* NULL when the number was not listed.  Valid until the next listing_add(). */
struct listed *listing_find(struct listing *, uint32_t number);
/* As long as its entry. */
struct slice listing_uid(const struct listing *, const struct listed *);

#endif
