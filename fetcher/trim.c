/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/trim.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/mem.h"

enum { TRIM_AFTER_MS = 3000 };

struct trim {
	struct timer *timer;
	bool due;
};

static void
on_time(void *arg)
{
	struct trim *t = arg;

	t->due = false;
	malloc_trim(0);
}

static void *
make(struct loop *loop)
{
	struct trim *t = mem_new(sizeof(*t));

	t->timer = timer_new(loop, on_time, t);
	return t;
}

static void
drop(void *object)
{
	struct trim *t = object;

	timer_free(t->timer);
	free(t);
}

void
trim_soon(struct loop *loop)
{
	static const struct loop_kind kind = { make, drop };
	struct trim *t = loop_shared(loop, &kind);

	if (!t->due)
		timer_start(t->timer, TRIM_AFTER_MS);
	t->due = true;
}
