/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/turnstile.h"

#include <stdlib.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "base/slice.h"

struct turn {
	struct host *host;
	enum turn_state { TURN_WAITING, TURN_BUSY, TURN_RESTING } state;
	bool connected; /* counts in all */
	bool asked;     /* to leave */
	bool spare;     /* can be done without */
	loop_handler *handler;
	void *arg;
	TAILQ_ENTRY(turn) link; /* waiting: of its host; resting: of all */
};
TAILQ_HEAD(turns, turn);

struct host {
	struct turnstile *turnstile;
	char *name;
	unsigned busy, turns;
	struct turns waiting;
	TAILQ_ENTRY(host) link;
};

struct turnstile {
	unsigned connections, per_host; /* limits */
	unsigned connected, asked;
	TAILQ_HEAD(hosts, host)
	hosts;                /* the one whose turn it is comes first */
	struct turns resting; /* longest first */
	struct timer *soon;
};

/* The first of this host that may go now, or NULL. */
static struct turn *
first_that_may(const struct turnstile *t, const struct host *h)
{
	struct turn *turn;

	if (h->busy >= t->per_host)
		return NULL;
	TAILQ_FOREACH (turn, &h->waiting, link)
		if (turn->connected || t->connected < t->connections)
			return turn;
	return NULL;
}

static void
let_in(struct turnstile *t, struct turn *turn)
{
	struct host *h = turn->host;

	TAILQ_REMOVE(&h->waiting, turn, link);
	TAILQ_REMOVE(&t->hosts, h, link);
	TAILQ_INSERT_TAIL(&t->hosts, h, link);
	turn->state = TURN_BUSY;
	h->busy++;
	if (!turn->connected)
		t->connected++;
	turn->connected = true;
}

static struct turn *
next_turn(const struct turnstile *t)
{
	struct turn *turn;
	struct host *h;

	TAILQ_FOREACH (h, &t->hosts, link)
		if ((turn = first_that_may(t, h)) != NULL)
			return turn;
	return NULL;
}

/* How many wait for nothing but that others leave. */
static unsigned
crowded_out_at(const struct host *h, unsigned per_host)
{
	unsigned room = h->busy < per_host ? per_host - h->busy : 0, n = 0;
	const struct turn *turn;

	TAILQ_FOREACH (turn, &h->waiting, link)
		if (n < room && !turn->connected && !turn->spare)
			n++;
	return n;
}

static unsigned
crowded_out(const struct turnstile *t)
{
	const struct host *h;
	unsigned n = 0;

	TAILQ_FOREACH (h, &t->hosts, link)
		n += crowded_out_at(h, t->per_host);
	return n;
}

/* The one that has rested longest and was not asked yet, or NULL. */
static struct turn *
longest_resting(const struct turnstile *t, bool spare)
{
	struct turn *turn;

	TAILQ_FOREACH (turn, &t->resting, link)
		if (!turn->asked && turn->spare == spare)
			return turn;
	return NULL;
}

static void
ask_to_leave(struct turnstile *t)
{
	struct turn *turn = longest_resting(t, true);

	if (turn == NULL)
		turn = longest_resting(t, false);
	if (turn == NULL || t->asked >= crowded_out(t))
		return;
	turn->asked = true;
	t->asked++;
	turn->handler(turn->arg);
	/* Others may have left with it. */
	timer_start(t->soon, 0);
}

static void
on_soon(void *arg)
{
	struct turnstile *t = arg;
	struct turn *turn;

	while ((turn = next_turn(t)) != NULL) {
		let_in(t, turn);
		turn->handler(turn->arg);
	}
	ask_to_leave(t);
}

struct turnstile *
turnstile_new(struct loop *loop)
{
	struct turnstile *t = mem_new(sizeof(*t));

	TAILQ_INIT(&t->hosts);
	TAILQ_INIT(&t->resting);
	t->soon = timer_new(loop, on_soon, t);
	return t;
}

void
turnstile_free(struct turnstile *t)
{
	if (t == NULL)
		return;
	timer_free(t->soon);
	free(t);
}

void
turnstile_limit(struct turnstile *t, unsigned connections, unsigned per_host)
{
	t->connections = connections;
	t->per_host = per_host;
	timer_start(t->soon, 0);
}

static struct host *
find_host(struct turnstile *t, const char *name)
{
	struct host *h;

	TAILQ_FOREACH (h, &t->hosts, link)
		if (slice_equal_nocase(slice_of(h->name), slice_of(name)))
			return h;
	h = mem_new(sizeof(*h));
	h->turnstile = t;
	h->name = mem_string(name);
	TAILQ_INIT(&h->waiting);
	TAILQ_INSERT_TAIL(&t->hosts, h, link);
	return h;
}

static void
queue_up(struct turn *turn, loop_handler *go, void *arg)
{
	turn->state = TURN_WAITING;
	turn->handler = go;
	turn->arg = arg;
	TAILQ_INSERT_TAIL(&turn->host->waiting, turn, link);
	timer_start(turn->host->turnstile->soon, 0);
}

static struct turn *
enter(struct host *host, loop_handler *go, void *arg)
{
	struct turn *turn = mem_new(sizeof(*turn));

	turn->host = host;
	turn->host->turns++;
	queue_up(turn, go, arg);
	return turn;
}

struct turn *
turnstile_enter(
    struct turnstile *t, const char *host, loop_handler *go, void *arg)
{
	return enter(find_host(t, host), go, arg);
}

struct turn *
turn_another(const struct turn *turn, loop_handler *go, void *arg)
{
	struct turn *another = enter(turn->host, go, arg);

	another->spare = true;
	return another;
}

bool
turn_waits(const struct turn *turn)
{
	return turn->state == TURN_WAITING;
}

/* Takes it out of where its state has put it. */
static void
take_out(struct turn *turn)
{
	struct turnstile *t = turn->host->turnstile;

	switch (turn->state) {
	case TURN_WAITING:
		TAILQ_REMOVE(&turn->host->waiting, turn, link);
		break;
	case TURN_BUSY:
		turn->host->busy--;
		break;
	case TURN_RESTING:
		TAILQ_REMOVE(&t->resting, turn, link);
		break;
	}
	if (turn->asked)
		t->asked--;
	turn->asked = false;
	timer_start(t->soon, 0);
}

void
turn_rest(struct turn *turn, loop_handler *yield, void *arg)
{
	take_out(turn);
	turn->state = TURN_RESTING;
	turn->handler = yield;
	turn->arg = arg;
	TAILQ_INSERT_TAIL(&turn->host->turnstile->resting, turn, link);
}

void
turn_resume(struct turn *turn, loop_handler *go, void *arg)
{
	take_out(turn);
	queue_up(turn, go, arg);
}

void
turn_leave(struct turn *turn)
{
	struct host *h;
	struct turnstile *t;

	if (turn == NULL)
		return;
	take_out(turn);
	h = turn->host;
	t = h->turnstile;
	if (turn->connected)
		t->connected--;
	free(turn);
	if (--h->turns > 0)
		return;
	TAILQ_REMOVE(&t->hosts, h, link);
	free(h->name);
	free(h);
}
