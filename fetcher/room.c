/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/room.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/readable.h"

struct room {
	size_t messages, messages_limit;
	uint64_t expected, spooled, bytes_limit; /* to come; here */
	size_t closed;
	bool full; /* the spool is, and it was said */
	struct waiter {
		loop_handler *handler;
		void *arg;
		struct waiter *next;
	} * waiters;
	struct timer *wake;
};

static bool
is_full(const struct room *r)
{
	return room_spooled(r) >= r->bytes_limit;
}

/* Once for each time; it has to be emptier by a tenth before it is told
 * again. */
static void
tell(struct room *r)
{
	char size[READABLE_SIZE];

	if (!r->full && r->waiters != NULL && is_full(r)) {
		r->full = true;
		log_warning("%s of mail wait for Postfix in the spool "
			    "(fetcher.max_spool): fetching pauses",
		    readable_size(room_spooled(r), size));
	} else if (r->full &&
		   room_spooled(r) <= r->bytes_limit - r->bytes_limit / 10) {
		r->full = false;
		log_info("there is room in the spool again: fetching goes on");
	}
}

static void
on_wake(void *arg)
{
	struct room *r = arg;

	tell(r);
	while (r->waiters != NULL && room_is_there(r)) {
		struct waiter *w = r->waiters;

		r->waiters = w->next;
		w->handler(w->arg);
		free(w);
	}
}

static void
wake(struct room *r)
{
	if (r->waiters != NULL)
		timer_start(r->wake, 0);
}

struct room *
room_new(struct loop *loop)
{
	struct room *r = mem_new(sizeof(*r));

	r->wake = timer_new(loop, on_wake, r);
	return r;
}

void
room_free(struct room *r)
{
	timer_free(r->wake);
	free(r);
}

void
room_limit(struct room *r, size_t messages, uint64_t bytes)
{
	r->messages_limit = messages;
	r->bytes_limit = bytes;
}

void
room_enter(struct room *r, uint64_t bytes)
{
	r->messages++;
	r->spooled += bytes;
}

void
room_leave(struct room *r, uint64_t bytes)
{
	r->messages--;
	r->spooled -= bytes;
	wake(r);
}

void
room_expect(struct room *r, uint64_t before, uint64_t bytes)
{
	r->expected += bytes - before;
	wake(r);
}

void
room_close(struct room *r)
{
	r->closed++;
}

void
room_open(struct room *r)
{
	r->closed--;
	wake(r);
}

bool
room_is_closed(const struct room *r)
{
	return r->closed > 0;
}

bool
room_is_there(const struct room *r)
{
	return r->messages < r->messages_limit && r->closed == 0 && !is_full(r);
}

void
room_await(struct room *r, loop_handler *handler, void *arg)
{
	struct waiter *w = mem_new(sizeof(*w)), **end = &r->waiters;

	*w = (struct waiter){ .handler = handler, .arg = arg };
	while (*end != NULL)
		end = &(*end)->next;
	*end = w;
	wake(r);
}

void
room_forget(struct room *r, const void *arg)
{
	for (struct waiter **at = &r->waiters; *at != NULL;) {
		struct waiter *w = *at;

		if (w->arg != arg) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}

size_t
room_messages(const struct room *r)
{
	return r->messages;
}

uint64_t
room_spooled(const struct room *r)
{
	return r->expected + r->spooled;
}

bool
room_is_full(const struct room *r)
{
	return r->full;
}
