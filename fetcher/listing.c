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

static void
make_room(struct listing *l, size_t uid_len)
{
	if (l->found.n == l->room) {
		l->room = l->room == 0 ? 64 : 2 * l->room;
		l->found.entries = mem_resize(
		    l->found.entries, l->room, sizeof(*l->found.entries));
	}
	while (l->uids_len + uid_len > l->uids_room) {
		l->uids_room = l->uids_room == 0 ? 2048 : 2 * l->uids_room;
		l->uids = mem_resize(l->uids, l->uids_room, 1);
	}
	l->found.uids = l->uids;
}

bool
listing_add(struct listing *l, uint32_t number, struct slice uid)
{
	make_room(l, uid.len);
	if (l->found.n > 0 && l->found.entries[l->found.n - 1].number >= number)
		return false;
	l->found.entries[l->found.n++] = (struct listed){ .number = number,
		.uid_offset = (uint32_t)l->uids_len,
		.uid_len = (uint16_t)uid.len };
	memcpy(l->uids + l->uids_len, uid.data, uid.len);
	l->uids_len += uid.len;
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
