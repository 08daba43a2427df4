/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/listing.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void
listing_clear(struct listing *l)
{
	free(l->found.entries);
	free(l->uids);
	free(l->found.tombstones);
	*l = (struct listing){ .room = 0 };
}

struct listed *
listing_find(struct listing *l, uint32_t number)
{
	size_t low = 0, high = l->found.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->found.entries[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < l->found.n && l->found.entries[low].number == number
		   ? l->found.entries + low
		   : NULL;
}

void
listing_name(struct listing *l, struct listed *entry, struct slice uid)
{
	while (l->uids_len + uid.len > l->uids_room) {
		l->uids_room = l->uids_room == 0 ? 2048 : 2 * l->uids_room;
		l->uids = mem_resize(l->uids, l->uids_room, 1);
	}
	l->found.uids = l->uids;
	entry->uid_offset = (uint32_t)l->uids_len;
	entry->uid_len = (uint16_t)uid.len;
	if (uid.len > 0)
		memcpy(l->uids + l->uids_len, uid.data, uid.len);
	l->uids_len += uid.len;
}

static void
make_room(struct listing *l)
{
	if (l->found.n < l->room)
		return;
	l->room = l->room == 0 ? 64 : 2 * l->room;
	l->found.entries =
	    mem_resize(l->found.entries, l->room, sizeof(*l->found.entries));
}

bool
listing_add(
    struct listing *l, uint32_t number, struct slice uid, struct error *err)
{
	if (l->found.n > 0 && l->found.entries[l->found.n - 1].number >= number)
		return error_set(err, ERROR_PROTOCOL,
		    "message %u is listed twice or out of order", number);
	if (l->uids_len + uid.len > LISTING_UIDS_MAX)
		return error_set(err, ERROR_PROTOCOL,
		    "the UIDs of its %zu messages take more than %d MiB",
		    l->found.n, LISTING_UIDS_MAX >> 20);
	make_room(l);
	l->found.entries[l->found.n++] = (struct listed){ .number = number };
	listing_name(l, l->found.entries + l->found.n - 1, uid);
	return true;
}

bool
listing_size(struct listing *l, uint32_t number, uint64_t size)
{
	struct listed *at = listing_find(l, number);

	if (at == NULL)
		return false;
	at->size = size;
	return true;
}

struct slice
listing_uid(const struct listing *l, const struct listed *entry)
{
	return (struct slice){ l->uids + entry->uid_offset, entry->uid_len };
}

static int
compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

bool
listing_may_know(
    const struct listing *l, const uint8_t content[SEEN_CONTENT_SIZE])
{
	uint64_t first = 0;

	for (size_t i = 0; i < sizeof(first); i++)
		first = first << 8 | content[i];
	return l->found.n_tombstones > 0 &&
	       bsearch(&first, l->found.tombstones, l->found.n_tombstones,
		   sizeof(first), compare_numbers) != NULL;
}
