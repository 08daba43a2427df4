/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listing - the messages that a server named, as they come in: number, size,
 * UID.  At most PROTOCOL_MESSAGES_MAX entries; about 80 bytes and the UID each.
 */
#ifndef FETCHER_LISTING_H
#define FETCHER_LISTING_H

#include "base/slice.h"
#include "fetcher/storage.h"

struct listing {
	struct storage_listing found;
	size_t room;
	uint8_t *uids;
	size_t uids_len, uids_room;
};

void listing_clear(struct listing *);
/* False unless the number is greater than all before: every server lists in
 * this order (RFC 1939 does not ask for it). */
bool listing_add(struct listing *, uint32_t number, struct slice uid);
/* False when the number was not listed. */
bool listing_size(struct listing *, uint32_t number, uint64_t size);
/* NULL when the number was not listed.  Valid until the next listing_add(). */
struct listed *listing_find(struct listing *, uint32_t number);
/* As long as its entry. */
struct slice listing_uid(const struct listing *, const struct listed *);

#endif
