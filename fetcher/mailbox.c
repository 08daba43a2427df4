/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/mailbox.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct mailbox *
mailbox_new(struct loop *loop, const char *name, loop_handler *start,
    struct daemon *daemon)
{
	struct mailbox *m = mem_new(sizeof(*m));

	m->daemon = daemon;
	m->name = mem_string(name);
	m->timer = timer_new(loop, start, m);
	return m;
}

void
mailbox_free(struct mailbox *m)
{
	awaiting_clear(&m->awaiting);
	timer_free(m->timer);
	free(m->name);
	free(m);
}

struct mailbox *
mailbox_find(struct mailbox *first, struct slice name)
{
	for (struct mailbox *m = first; m != NULL; m = m->next)
		if (slice_equal(slice_of(m->name), name))
			return m;
	return NULL;
}

void
mailbox_pause(struct mailbox *m, int64_t pause_ms)
{
	m->due_ms = clock_monotonic_ms() + pause_ms;
	timer_start(m->timer, pause_ms);
}

void
mailbox_poll_now(struct mailbox *m)
{
	if (m->session != NULL && session_idles(m->session))
		session_poll(m->session);
	else if (m->session != NULL)
		m->poll_again = true;
	else
		mailbox_pause(m, 0);
}
