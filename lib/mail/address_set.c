/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address_set.h"

#include <stdlib.h>

#include "base/mem.h"

enum { PLACES_MIN = 16 };

/* Where the address is, or belongs; at least one place is free. */
static uint32_t *
place_of(const struct address_set *set, const struct address *address)
{
	size_t last = set->n_places - 1, at = address_hash(address) & last;

	while (set->places[at] != 0 &&
	       !address_equal(&set->all[set->places[at] - 1], address))
		at = (at + 1) & last;
	return &set->places[at];
}

static void
grow(struct address_set *set)
{
	set->n_places = set->n_places == 0 ? PLACES_MIN : 2 * set->n_places;
	free(set->places);
	set->places = mem_new_array(set->n_places, sizeof(*set->places));
	set->all = mem_resize(set->all, set->n_places / 2, sizeof(*set->all));
	for (size_t i = 0; i < set->n; i++)
		*place_of(set, &set->all[i]) = (uint32_t)i + 1;
}

size_t
address_set_find(const struct address_set *set, const struct address *address)
{
	uint32_t number = set->n == 0 ? 0 : *place_of(set, address);

	return number == 0 ? set->n : number - 1;
}

bool
address_set_add(struct address_set *set, const struct address *address)
{
	uint32_t *place;

	if (set->n == set->n_places / 2)
		grow(set);
	place = place_of(set, address);
	if (*place != 0)
		return false;
	set->all[set->n++] = *address;
	*place = (uint32_t)set->n;
	return true;
}

void
address_set_clear(struct address_set *set)
{
	free(set->all);
	free(set->places);
	*set = (struct address_set){ 0 };
}
