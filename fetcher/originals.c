/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/originals.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct originals {
	struct storage *storage;
	struct claim *claims;
};

struct originals *
originals_new(struct storage *storage)
{
	struct originals *o = mem_new(sizeof(*o));

	o->storage = storage;
	return o;
}

void
originals_free(struct originals *o)
{
	free(o);
}

static bool
is_same(const struct claim *a, const struct claim *b)
{
	return memcmp(a->original.fingerprint, b->original.fingerprint,
		   SEEN_FINGERPRINT_SIZE) == 0 &&
	       strcmp(a->original.group, b->original.group) == 0;
}

static void
on_found(void *arg, bool ok, const struct error *err)
{
	struct claim *c = arg;

	if (!ok || c->original_id[0] != '\0')
		originals_release(c);
	c->done(c->arg, c->original_id, ok ? NULL : err);
}

static void
ask(struct claim *c)
{
	storage_find_original(
	    c->originals->storage, &c->original, c->original_id, on_found, c);
}

void
originals_claim(struct originals *o, struct claim *c)
{
	struct claim **at = &o->claims;
	bool first = true;

	for (; *at != NULL; at = &(*at)->next)
		first = first && !is_same(*at, c);
	c->originals = o;
	c->held = true;
	c->original_id[0] = '\0';
	c->next = NULL;
	*at = c;
	if (first)
		ask(c);
}

void
originals_release(struct claim *c)
{
	struct claim **at;

	if (!c->held)
		return;
	c->held = false;
	for (at = &c->originals->claims; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	/* Only the first of its kind is ever released. */
	for (struct claim *next = c->next; next != NULL; next = next->next)
		if (is_same(next, c)) {
			ask(next);
			return;
		}
}
