/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address_set.h"

#include <stdlib.h>
#include <sys/auxv.h>

#include "base/mem.h"
#include "base/siphash.h"

enum { PLACES_MIN = 16, TEXT_MAX = sizeof(struct address) };

static size_t
add_lower(uint8_t *out, const char *text)
{
	size_t n = 0;

	do
		out[n] = byte_lower((uint8_t)text[n]);
	while (text[n++] != '\0');
	return n;
}

/* The same for all that are equal. */
static size_t
hash(const struct address_set *set, const struct address *address)
{
	uint8_t text[TEXT_MAX];
	size_t len = add_lower(text, address->local);

	len += add_lower(text + len, address->domain);
	return (size_t)siphash(set->key, (struct slice){ text, len });
}

/* Where the address is, or belongs; at least one place is free. */
static uint32_t *
place_of(const struct address_set *set, const struct address *address)
{
	size_t last = set->n_places - 1, at = hash(set, address) & last;

	while (set->places[at] != 0 &&
	       !address_equal(&set->all[set->places[at] - 1], address))
		at = (at + 1) & last;
	return &set->places[at];
}

static void
grow(struct address_set *set)
{
	/* The kernel gives these bytes to each process. */
	set->key = (const uint8_t *)getauxval(AT_RANDOM);
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
