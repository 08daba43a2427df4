/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/conn_stream.h"

#include <assert.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <unistd.h>

static void
drop_stream(struct conn *c)
{
	tls_free(c->tls);
	c->tls = NULL;
	bufferevent_free(c->stream);
	c->stream = NULL;
	c->phase = DIALLING;
	conn_restart_clock(c);
}

/* Another address of the name may do better, or the same one without the
 * session that it gave us; but the fault of the first is the one that is
 * told. */
void
conn_fail_handshake(struct conn *c, const struct error *err)
{
	bool resuming = tls_failed_resuming(c->tls) && c->dial != NULL;

	if (!c->refused && !resuming) {
		c->refused = true;
		c->err = *err;
	}
	if (c->dial == NULL) {
		conn_break_off(c);
		return;
	}
	drop_stream(c);
	if (resuming)
		dial_again(c->dial);
	else
		dial_next(c->dial);
}

void
conn_finish_handshake(struct conn *c)
{
	enum conn_event event = c->upgrading ? CONN_SECURED : CONN_READY;
	struct error err;

	if (!tls_verify(c->tls, &err)) {
		conn_fail_handshake(c, &err);
		return;
	}
	dial_free(c->dial);
	c->dial = NULL;
	c->verified = true;
	tls_cipher(c->tls, c->cipher);
	c->phase = OPEN;
	conn_adjust_reading(c);
	conn_restart_clock(c);
	c->handler(event, c->arg);
}

static struct tls_peer
tls_peer(const struct conn *c)
{
	return (struct tls_peer){ c->settings->tls, c->settings->host,
		c->settings->port };
}

/* Takes over `fd`, also when it fails. */
static bool
start_handshake(struct conn *c, int fd, struct error *err)
{
	struct tls_peer peer = tls_peer(c);

	c->tls = tls_start(c->loop, fd, &peer, err);
	if (c->tls == NULL) {
		close(fd);
		return false;
	}
	c->stream = tls_stream(c->tls);
	c->phase = HANDSHAKE;
	conn_restart_clock(c);
	conn_watch_stream(c);
	return true;
}

static void
start_stream(struct conn *c, int fd)
{
	if (c->settings->implicit_tls) {
		if (!start_handshake(c, fd, &c->err))
			conn_break_off(c);
		return;
	}
	dial_free(c->dial);
	c->dial = NULL;
	c->stream = bufferevent_socket_new(
	    loop_base(c->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (c->stream == NULL)
		abort();
	c->phase = OPEN;
	conn_watch_stream(c);
	conn_restart_clock(c);
	c->handler(CONN_READY, c->arg);
}

static void
on_dialled(void *arg, int fd, const struct error *err)
{
	struct conn *c = arg;

	if (fd >= 0) {
		start_stream(c, fd);
		return;
	}
	if (!c->refused)
		c->err = *err;
	conn_break_off(c);
}

void
conn_begin(struct conn *c)
{
	const struct conn_settings *settings = c->settings;
	struct tls_peer peer = tls_peer(c);

	if (settings->tls->mode != TLS_NEVER &&
	    !tls_ready(c->loop, &peer, &c->err)) {
		conn_break_off(c);
		return;
	}
	c->dial = dial_start(c->loop,
	    &(struct dial_target){ settings->host, settings->port,
		settings->timeout_ms, settings->path },
	    on_dialled, c);
}

void
conn_forget_servers(struct loop *loop)
{
	tls_forget(loop);
}

bool
conn_start_tls(struct conn *c, struct error *err)
{
	struct bufferevent *clear = c->stream;
	int fd;

	/* The stream has broken: CONN_CLOSED is under way. */
	if (c->phase != OPEN)
		return true;
	assert(c->tls == NULL);
	if (conn_count_unread(c) > 0)
		return error_set(err, ERROR_PROTOCOL,
		    "%s sent more than its answer before TLS began: somebody "
		    "may be tampering with the connection",
		    c->settings->host);
	fd = bufferevent_getfd(clear);
	bufferevent_setfd(clear, -1);
	bufferevent_free(clear);
	c->stream = NULL;
	c->unseen = false;
	c->upgrading = true;
	if (start_handshake(c, fd, err))
		return true;
	c->err = *err;
	conn_break_off(c);
	return false;
}
