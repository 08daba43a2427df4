/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SIZE_MIN = 8 };

/* Where in the order the address is, or belongs. */
static size_t
place_of(const struct address_set *set, const struct address *address)
{
	size_t low = 0, high = set->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (address_compare(&set->all[set->order[middle]], address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(
    const struct address_set *set, size_t place, const struct address *address)
{
	return place < set->n &&
	       address_compare(&set->all[set->order[place]], address) == 0;
}

size_t
address_set_find(const struct address_set *set, const struct address *address)
{
	size_t place = place_of(set, address);

	return is_at(set, place, address) ? set->order[place] : set->n;
}

static void
grow(struct address_set *set)
{
	set->size = set->size == 0 ? SIZE_MIN : 2 * set->size;
	set->all = mem_resize(set->all, set->size, sizeof(*set->all));
	set->order = mem_resize(set->order, set->size, sizeof(*set->order));
}

bool
address_set_add(struct address_set *set, const struct address *address)
{
	size_t place = place_of(set, address);

	if (is_at(set, place, address))
		return false;
	if (set->n == set->size)
		grow(set);
	memmove(set->order + place + 1, set->order + place,
	    (set->n - place) * sizeof(*set->order));
	set->order[place] = (uint32_t)set->n;
	set->all[set->n++] = *address;
	return true;
}

void
address_set_clear(struct address_set *set)
{
	free(set->all);
	free(set->order);
	*set = (struct address_set){ 0 };
}
