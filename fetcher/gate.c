/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/gate.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_LIMIT_MS = 10000, ANSWER_KEPT_MS = 1000, ANSWER_MAX = 512 };

struct question {
	gate_handler *handler;
	void *arg;
	struct question *next;
};

struct gate {
	struct loop *loop;
	char *control; /* path of the milter's control socket */
	bool require_milter;

	int fd; /* -1: not asking */
	struct watch *watch;
	struct buf answer;
	/* While asking the deadline; else the questions are answered when it
	 * fires, so that no handler runs inside gate_ask(). */
	struct timer *timer;
	struct question *first, **end;

	struct verdict {
		bool known, open;
		int64_t at_ms;
		struct error reason;
	} verdict;
};

static void
stop_asking(struct gate *g)
{
	watch_free(g->watch);
	g->watch = NULL;
	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
	buf_reset(&g->answer);
}

static void
answer_all(struct gate *g)
{
	struct verdict verdict = g->verdict;
	struct question *q = g->first, *next;

	g->first = NULL;
	g->end = &g->first;
	/* A handler may ask again. */
	for (; q != NULL; q = next) {
		next = q->next;
		q->handler(q->arg, verdict.open, &verdict.reason);
		free(q);
	}
}

/* The reason stands in the verdict when it is not open. */
static void
conclude(struct gate *g, bool open)
{
	stop_asking(g);
	g->verdict.known = true;
	g->verdict.open = open;
	g->verdict.at_ms = clock_monotonic_ms();
	timer_start(g->timer, 0);
}

static void
on_timer(void *arg)
{
	struct gate *g = arg;

	if (g->fd < 0) {
		answer_all(g);
		return;
	}
	conclude(g, error_set(&g->verdict.reason, ERROR_RETRY,
			"milter did not answer on %s within %d s", g->control,
			ANSWER_LIMIT_MS / 1000));
}

static bool
judge(struct slice line, struct error *reason)
{
	if (slice_equal(line, SLICE("OK")))
		return true;
	if (slice_cut_prefix(&line, SLICE("WAIT ")))
		return error_set(
		    reason, ERROR_RETRY, "milter: %.*s", SLICE_ARG(line));
	return error_set(reason, ERROR_PROTOCOL,
	    "milter answered its control socket with \"%.*s\"",
	    SLICE_ARG(slice_first(line, 100)));
}

static bool
fail(struct gate *g, int errno_value)
{
	bool absent = errno_value == ENOENT || errno_value == ECONNREFUSED;
	struct error why;

	error_errno(
	    &why, ERROR_RETRY, errno_value, "control socket %s", g->control);
	return error_set(&g->verdict.reason, ERROR_RETRY, "milter %s (%s)",
	    absent ? "is not running" : "cannot be asked", why.text);
}

static void
on_readable(void *arg)
{
	struct gate *g = arg;
	uint8_t piece[ANSWER_MAX];
	ssize_t n = recv(g->fd, piece, sizeof(piece), 0);
	struct slice line, got;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		conclude(g, fail(g, errno));
		return;
	}
	buf_add(&g->answer, (struct slice){ piece, (size_t)n });
	got = buf_slice(&g->answer);
	if (slice_cut_until(&got, '\n', &line))
		conclude(g, judge(line, &g->verdict.reason));
	else if (n == 0 || buf_overflowed(&g->answer))
		conclude(g,
		    error_set(&g->verdict.reason, ERROR_RETRY,
			"milter ended its answer on %s half-way", g->control));
}

/* A local stream connects at once or not at all, and takes six bytes. */
static bool
connect_and_ask(struct gate *g)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(g->control);

	if (len >= sizeof(address.sun_path))
		return fail(g, ENAMETOOLONG);
	memcpy(address.sun_path, g->control, len);
	g->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (g->fd < 0 ||
	    connect(g->fd, (const struct sockaddr *)&address,
		sizeof(address)) != 0 ||
	    send(g->fd, "READY\n", 6, MSG_NOSIGNAL) != 6)
		return fail(g, errno);
	return true;
}

static void
ask(struct gate *g)
{
	if (!connect_and_ask(g)) {
		conclude(g, false);
		return;
	}
	g->watch = watch_new(g->loop, g->fd, on_readable, g);
	timer_start(g->timer, ANSWER_LIMIT_MS);
}

static void
find_verdict(struct gate *g)
{
	if (g->fd >= 0)
		return;
	if (!g->require_milter)
		conclude(g, true);
	else if (g->verdict.known &&
		 clock_monotonic_ms() - g->verdict.at_ms < ANSWER_KEPT_MS)
		timer_start(g->timer, 0);
	else
		ask(g);
}

void
gate_ask(struct gate *g, gate_handler *handler, void *arg)
{
	struct question *q = mem_new(sizeof(*q));

	q->handler = handler;
	q->arg = arg;
	*g->end = q;
	g->end = &q->next;
	find_verdict(g);
}

void
gate_configure(struct gate *g, const struct config *config)
{
	free(g->control);
	g->control = mem_string(config->milter.control);
	g->require_milter = config->inject.require_milter;
	stop_asking(g);
	g->verdict.known = false;
	if (g->first != NULL)
		find_verdict(g);
}

struct gate *
gate_new(struct loop *loop, const struct config *config)
{
	struct gate *g = mem_new(sizeof(*g));

	g->loop = loop;
	g->fd = -1;
	g->end = &g->first;
	g->timer = timer_new(loop, on_timer, g);
	buf_init(&g->answer, ANSWER_MAX);
	gate_configure(g, config);
	return g;
}

void
gate_free(struct gate *g)
{
	if (g == NULL)
		return;
	stop_asking(g);
	buf_clear(&g->answer);
	timer_free(g->timer);
	while (g->first != NULL) {
		struct question *q = g->first;

		g->first = q->next;
		free(q);
	}
	free(g->control);
	free(g);
}
