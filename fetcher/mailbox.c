/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/mailbox.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

struct mailbox *
mailbox_new(struct loop *loop, const char *name, loop_handler *start,
    struct accounts *accounts)
{
	struct mailbox *m = mem_new(sizeof(*m));

	m->accounts = accounts;
	m->name = mem_string(name);
	m->timer = timer_new(loop, start, m);
	return m;
}

void
mailbox_free(struct mailbox *m)
{
	awaiting_clear(&m->awaiting);
	turn_leave(m->turn);
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
	if (pause_ms == SCHEDULE_NEVER) {
		m->due_ms = SCHEDULE_NEVER;
		timer_stop(m->timer);
		return;
	}
	m->due_ms = clock_monotonic_ms() + pause_ms;
	timer_start(m->timer, pause_ms);
}

int64_t
mailbox_poll_now(struct mailbox *m)
{
	int64_t least = m->least_ms - clock_monotonic_ms();

	if (m->session != NULL && session_idles(m->session))
		session_poll(m->session);
	else if (m->session != NULL)
		m->poll_again = true;
	if (m->turn != NULL)
		return 0;
	if (least < 0)
		least = 0;
	mailbox_pause(m, least);
	return least;
}

bool
mailbox_is_queued(const struct mailbox *m)
{
	return m->turn != NULL && turn_waits(m->turn);
}

void
mailbox_forgive(struct mailbox *m)
{
	m->schedule = (struct schedule){ .failures = { 0 } };
	if (m->status.last.end == PASS_FAILED &&
	    m->status.last.error.kind == ERROR_LOGIN)
		m->least_ms = 0;
	if (m->session == NULL && mailbox_is_queued(m)) {
		/* Its host may be another one. */
		turn_leave(m->turn);
		m->turn = NULL;
	}
}
