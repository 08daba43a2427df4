/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/cache.h"

#include "base/mem.h"

#include <stdlib.h>

struct entry {
	struct address *address;   /* NULL: a free place */
	struct address *canonical; /* NULL: none */
	int64_t answered_ms;
	bool found;
};

struct cache {
	struct cache_ages ages;
	struct entry (*sets)[CACHE_WAYS];
};

struct cache *
cache_new(struct cache_ages ages)
{
	struct cache *c = mem_new(sizeof(*c));

	c->ages = ages;
	c->sets = mem_new_array(CACHE_SETS, sizeof(*c->sets));
	return c;
}

static void
clear(struct entry *e)
{
	free(e->address);
	free(e->canonical);
}

void
cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	for (size_t s = 0; s < CACHE_SETS; s++)
		for (size_t w = 0; w < CACHE_WAYS; w++)
			clear(&c->sets[s][w]);
	free(c->sets);
	free(c);
}

static struct entry *
set_of(const struct cache *c, const struct address *address)
{
	return c->sets[address_hash(address) % CACHE_SETS];
}

static struct entry *
find(struct entry *set, const struct address *address)
{
	for (size_t w = 0; w < CACHE_WAYS; w++)
		if (set[w].address != NULL &&
		    address_equal(set[w].address, address))
			return &set[w];
	return NULL;
}

enum cached
cache_ask(const struct cache *c, const struct address *address, int64_t now_ms,
    struct address *canonical)
{
	const struct entry *e = find(set_of(c, address), address);
	int64_t age_ms;

	*canonical = (struct address){ 0 };
	if (e == NULL)
		return CACHE_NOTHING;
	if (e->canonical != NULL)
		*canonical = *e->canonical;
	age_ms = now_ms - e->answered_ms;
	if (!e->found)
		return age_ms < c->ages.absent_ms ? CACHE_ABSENT
						  : CACHE_NOTHING;
	if (age_ms < c->ages.found_ms)
		return CACHE_FOUND;
	return age_ms < c->ages.stale_ms ? CACHE_STALE : CACHE_NOTHING;
}

static struct entry *
oldest(struct entry *set)
{
	struct entry *best = &set[0];

	for (size_t w = 0; w < CACHE_WAYS; w++) {
		if (set[w].address == NULL)
			return &set[w];
		if (set[w].answered_ms < best->answered_ms)
			best = &set[w];
	}
	return best;
}

static void
set_canonical(struct entry *e, const struct address *canonical)
{
	if (address_is_null(canonical)) {
		free(e->canonical);
		e->canonical = NULL;
		return;
	}
	if (e->canonical == NULL)
		e->canonical = mem_new(sizeof(*e->canonical));
	*e->canonical = *canonical;
}

void
cache_remember(struct cache *c, const struct address *address, bool found,
    const struct address *canonical, int64_t now_ms)
{
	struct entry *set = set_of(c, address);
	struct entry *e = find(set, address);

	if (e == NULL) {
		e = oldest(set);
		if (e->address == NULL)
			e->address = mem_new(sizeof(*e->address));
		*e->address = *address;
	}
	set_canonical(e, canonical);
	e->found = found;
	e->answered_ms = now_ms;
}
