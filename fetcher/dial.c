/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/dial.h"

#include "base/mem.h"
#include "fetcher/resolve.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct dial {
	struct loop *loop;
	struct dial_target target;
	dial_handler *handler;
	void *arg;
	struct lookup *lookup;                /* while resolving */
	struct addrinfo *addresses, *address; /* all; the one being tried */
	unsigned attempts;
	bool again; /* the same address once more */
	int fd;     /* of the attempt; -1 */
	struct event connected;
	struct timer *clock;
	struct error err; /* of the last attempt */
};

static void
drop_attempt(struct dial *d)
{
	if (d->fd < 0)
		return;
	event_del(&d->connected);
	close(d->fd);
	d->fd = -1;
}

void
dial_free(struct dial *d)
{
	if (d == NULL)
		return;
	resolve_cancel(d->lookup);
	drop_attempt(d);
	if (d->addresses != NULL)
		freeaddrinfo(d->addresses);
	timer_free(d->clock);
	free(d);
}

/* Hands over the socket, or the last fault. */
static void
finish(struct dial *d)
{
	struct error err = d->err;
	int fd = d->fd;

	if (fd >= 0)
		event_del(&d->connected);
	d->fd = -1;
	timer_stop(d->clock);
	d->handler(d->arg, fd, &err);
}

/* Whose fault it is: used up here, or something on the way. */
static enum error_kind
kind_of(int errno_value)
{
	return errno_value == EMFILE || errno_value == ENFILE ||
		       errno_value == ENOBUFS || errno_value == ENOMEM
		   ? ERROR_LOCAL
		   : ERROR_RETRY;
}

static void
note_failure(struct dial *d, int errno_value)
{
	char number[NI_MAXHOST];

	if (getnameinfo(d->address->ai_addr, d->address->ai_addrlen, number,
		sizeof(number), NULL, 0, NI_NUMERICHOST) != 0)
		snprintf(number, sizeof(number), "address");
	error_errno(&d->err, kind_of(errno_value), errno_value,
	    "cannot connect to %s (%.90s port %u)", d->target.host, number,
	    d->target.port);
	drop_attempt(d);
}

static const struct {
	int level, name, value;
} options[] = {
	/* Commands and replies are small: nothing is gained by waiting for
	 * more. */
	{ IPPROTO_TCP, TCP_NODELAY, 1 },
	/* Nobody awaits anything while a connection idles, so only these tell
	 * that the peer is gone; they also keep a NAT's memory fresh. */
	{ SOL_SOCKET, SO_KEEPALIVE, 1 },
	{ IPPROTO_TCP, TCP_KEEPIDLE, 60 },
	{ IPPROTO_TCP, TCP_KEEPINTVL, 15 },
	{ IPPROTO_TCP, TCP_KEEPCNT, 4 },
	{ IPPROTO_TCP, TCP_USER_TIMEOUT, DIAL_DEAD_MS },
};

static void
set_options(int fd)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

static void on_connected(evutil_socket_t, short, void *);

static bool
start_attempt(struct dial *d)
{
	const struct addrinfo *a = d->address;

	d->fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol);
	if (d->fd < 0) {
		note_failure(d, errno);
		return false;
	}
	set_options(d->fd);
	event_assign(&d->connected, loop_base(d->loop), d->fd, EV_WRITE,
	    on_connected, d);
	if (connect(d->fd, a->ai_addr, a->ai_addrlen) == 0 ||
	    errno == EINPROGRESS) {
		event_add(&d->connected, NULL);
		timer_start(d->clock, d->target.timeout_ms);
		return true;
	}
	note_failure(d, errno);
	return false;
}

static void
try_next_address(struct dial *d)
{
	do {
		if (!d->again)
			d->address = d->address == NULL ? d->addresses
							: d->address->ai_next;
		d->again = false;
		if (d->address == NULL || d->attempts++ == DIAL_ATTEMPTS_MAX) {
			finish(d);
			return;
		}
	} while (!start_attempt(d));
}

static void
on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct dial *d = arg;
	int failure = 0;
	socklen_t len = sizeof(failure);

	(void)what;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &len) != 0)
		failure = errno;
	if (failure == 0) {
		finish(d);
		return;
	}
	note_failure(d, failure);
	try_next_address(d);
}

/* When the queue of a unix listener is full that is a fault (EAGAIN): there is
 * no event that tells when it is not any more. */
static void
try_path(struct dial *d)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(d->target.path);

	d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	event_assign(&d->connected, loop_base(d->loop), d->fd, EV_WRITE,
	    on_connected, d);
	if (len < sizeof(address.sun_path))
		memcpy(address.sun_path, d->target.path, len + 1);
	else
		errno = ENAMETOOLONG;
	if (d->fd < 0 || len >= sizeof(address.sun_path) ||
	    connect(d->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		error_errno(&d->err, ERROR_LOCAL, errno, "cannot connect to %s",
		    d->target.path);
		drop_attempt(d);
	}
	finish(d);
}

static void
on_clock(void *arg)
{
	struct dial *d = arg;

	if (d->target.path != NULL) {
		try_path(d);
		return;
	}
	if (d->lookup != NULL) {
		resolve_cancel(d->lookup);
		d->lookup = NULL;
		error_set(&d->err, ERROR_RETRY,
		    "cannot find the address of %s: the name servers do not "
		    "answer",
		    d->target.host);
		finish(d);
		return;
	}
	if (d->fd >= 0)
		note_failure(d, ETIMEDOUT);
	try_next_address(d);
}

static void
on_resolved(void *arg, struct addrinfo *addresses, const struct error *err)
{
	struct dial *d = arg;

	d->lookup = NULL;
	if (addresses == NULL) {
		d->err = *err;
		finish(d);
		return;
	}
	d->addresses = addresses;
	try_next_address(d);
}

struct dial *
dial_start(struct loop *loop, const struct dial_target *target,
    dial_handler *handler, void *arg)
{
	struct dial *d = mem_new(sizeof(*d));

	d->loop = loop;
	d->target = *target;
	d->handler = handler;
	d->arg = arg;
	d->fd = -1;
	d->clock = timer_new(loop, on_clock, d);
	timer_start(d->clock, target->path == NULL ? target->timeout_ms : 0);
	if (target->path != NULL)
		return d;
	d->lookup =
	    resolve_start(loop, target->host, target->port, on_resolved, d);
	return d;
}

void
dial_next(struct dial *d)
{
	timer_start(d->clock, 0);
}

void
dial_again(struct dial *d)
{
	d->again = true;
	timer_start(d->clock, 0);
}
