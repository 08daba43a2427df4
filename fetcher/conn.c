/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/conn.h"

#include "base/mem.h"
#include "fetcher/conn_stream.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The news reach the handler from the loop, one at a time: the data before
 * the end that follows it, and nothing while paused. */
void
conn_tell_soon(struct conn *c)
{
	event_active(&c->tell, EV_TIMEOUT, 1);
}

static void
on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	(void)what;
	if (c->paused)
		return;
	if (c->unseen) {
		c->unseen = false;
		if (c->phase == BROKEN || c->sent)
			conn_tell_soon(c);
		c->handler(CONN_DATA, c->arg);
	} else if (c->phase == BROKEN) {
		c->handler(CONN_CLOSED, c->arg);
	} else if (c->sent) {
		c->sent = false;
		c->handler(CONN_SENT, c->arg);
	}
}

/* c->err is set. */
void
conn_break_off(struct conn *c)
{
	c->phase = BROKEN;
	timer_stop(c->clock);
	if (c->stream != NULL)
		bufferevent_disable(c->stream, EV_READ | EV_WRITE);
	conn_tell_soon(c);
}

/* While dialling, dial has its own clock. */
static bool
is_clock_due(const struct conn *c)
{
	if (c->phase == OPEN)
		return c->awaiting && !c->paused;
	return c->phase == HANDSHAKE;
}

void
conn_restart_clock(struct conn *c)
{
	if (is_clock_due(c))
		timer_start(c->clock, c->settings->timeout_ms);
	else
		timer_stop(c->clock);
}

/* A TLS record may take its time: its bytes count though none is readable. */
static bool
is_record_growing(struct conn *c)
{
	uint64_t before = c->tls_received;

	if (c->phase != OPEN || c->tls == NULL)
		return false;
	c->tls_received = tls_received(c->tls);
	return c->tls_received != before;
}

static void
on_clock(void *arg)
{
	struct conn *c = arg;
	struct error err;

	if (is_record_growing(c)) {
		conn_restart_clock(c);
		return;
	}
	error_set(&err, ERROR_RETRY, "%s: %s for %lld s", c->settings->host,
	    c->phase == HANDSHAKE ? "no end of the TLS handshake" : "silence",
	    (long long)((c->settings->timeout_ms + 999) / 1000));
	if (c->phase == HANDSHAKE) {
		conn_fail_handshake(c, &err);
		return;
	}
	c->err = err;
	conn_break_off(c);
}

static struct evbuffer *
unread(struct conn *c)
{
	return bufferevent_get_input(c->stream);
}

size_t
conn_count_unread(struct conn *c)
{
	return c->stream == NULL ? 0 : evbuffer_get_length(unread(c));
}

/* Not libevent's own high-water mark: above that it calls on_readable() again
 * and again (2.1.12). */
void
conn_adjust_reading(struct conn *c)
{
	bool wanted = !c->paused && conn_count_unread(c) < UNREAD_MAX;

	if (c->phase != OPEN || wanted == c->reading)
		return;
	c->reading = wanted;
	if (wanted)
		bufferevent_enable(c->stream, EV_READ);
	else
		bufferevent_disable(c->stream, EV_READ);
}

static void
on_readable(struct bufferevent *stream, void *arg)
{
	struct conn *c = arg;

	(void)stream;
	if (c->phase != OPEN)
		return;
	if (c->tls != NULL)
		c->tls_received = tls_received(c->tls);
	conn_restart_clock(c);
	conn_adjust_reading(c);
	c->unseen = true;
	conn_tell_soon(c);
}

/* A stream that ended is an error here; callers say QUIT and conn_free(). */
static void
explain_end(const struct conn *c, short what, struct error *err)
{
	int errno_value = errno;

	if (what & BEV_EVENT_EOF)
		error_set(err, ERROR_RETRY, "%s closed the connection",
		    c->settings->host);
	else if (c->tls != NULL)
		tls_explain(c->tls, err);
	else
		error_errno(err, ERROR_RETRY, errno_value,
		    "connection to %s broke", c->settings->host);
	if (c->phase == HANDSHAKE && err->kind == ERROR_RETRY)
		error_prefix(err, "TLS handshake");
}

static void
on_stream_event(struct bufferevent *stream, short what, void *arg)
{
	struct conn *c = arg;
	struct error err;

	(void)stream;
	if (c->phase == BROKEN)
		return;
	if (what & BEV_EVENT_CONNECTED) {
		conn_finish_handshake(c);
	} else if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) {
		explain_end(c, what, &err);
		if (c->phase == HANDSHAKE) {
			conn_fail_handshake(c, &err);
			return;
		}
		c->err = err;
		conn_break_off(c);
	}
}

static void
on_written(struct bufferevent *stream, void *arg)
{
	struct conn *c = arg;

	if (!c->awaiting_sent ||
	    evbuffer_get_length(bufferevent_get_output(stream)) > 0)
		return;
	c->awaiting_sent = false;
	c->sent = true;
	conn_tell_soon(c);
}

void
conn_watch_stream(struct conn *c)
{
	bufferevent_setcb(
	    c->stream, on_readable, on_written, on_stream_event, c);
	bufferevent_enable(c->stream, EV_READ | EV_WRITE);
	c->reading = true;
}

struct conn *
conn_open(struct loop *loop, const struct conn_settings *settings,
    conn_handler *handler, void *arg)
{
	struct conn *c = mem_new(sizeof(*c));

	c->loop = loop;
	c->settings = settings;
	c->handler = handler;
	c->arg = arg;
	c->phase = DIALLING;
	c->awaiting = true;
	c->clock = timer_new(loop, on_clock, c);
	event_assign(&c->tell, loop_base(loop), -1, 0, on_tell, c);
	buf_init(&c->line, UNREAD_MAX);
	snprintf(c->cipher, sizeof(c->cipher), "clear text");
	conn_restart_clock(c);
	conn_begin(c);
	return c;
}

void
conn_free(struct conn *c)
{
	if (c == NULL)
		return;
	dial_free(c->dial);
	if (c->tls != NULL && c->phase == OPEN)
		tls_say_goodbye(c->tls);
	tls_free(c->tls);
	if (c->stream != NULL)
		bufferevent_free(c->stream);
	event_del(&c->tell);
	timer_free(c->clock);
	buf_clear(&c->line);
	free(c);
}

void
conn_close(struct conn *c, struct slice last_words)
{
	if (c->phase == OPEN && c->tls == NULL &&
	    evbuffer_get_length(bufferevent_get_output(c->stream)) == 0 &&
	    send(bufferevent_getfd(c->stream), last_words.data, last_words.len,
		MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		c->phase = BROKEN;
	conn_free(c);
}

const struct error *
conn_error(const struct conn *c)
{
	return &c->err;
}

bool
conn_verified(const struct conn *c)
{
	return c->verified;
}

const char *
conn_cipher(const struct conn *c)
{
	return c->cipher;
}

bool
conn_certificate(const struct conn *c, struct certificate_facts *facts)
{
	return c->verified && c->tls != NULL && tls_certificate(c->tls, facts);
}

void
conn_send(struct conn *c, struct slice bytes)
{
	assert(c->phase == OPEN || c->phase == BROKEN);
	if (c->phase == OPEN)
		bufferevent_write(c->stream, bytes.data, bytes.len);
}

static void
wipe(const void *data, size_t len, void *copy)
{
	(void)data;
	explicit_bzero(copy, len);
	free(copy);
}

bool
conn_send_secret(struct conn *c, struct slice bytes, struct error *err)
{
	uint8_t *copy;

	if (!c->verified && c->settings->tls->mode != TLS_NEVER)
		return error_set(err, ERROR_TLS,
		    "the connection to %s is not secured: no password sent",
		    c->settings->host);
	if (c->phase != OPEN || bytes.len == 0)
		return true;
	copy = mem_new(bytes.len);
	memcpy(copy, bytes.data, bytes.len);
	if (evbuffer_add_reference(bufferevent_get_output(c->stream), copy,
		bytes.len, wipe, copy) != 0)
		abort();
	return true;
}

void
conn_await_sent(struct conn *c)
{
	c->awaiting_sent = true;
	if (c->phase == OPEN)
		on_written(c->stream, c);
}

struct slice
conn_peek(struct conn *c)
{
	struct evbuffer_iovec piece;

	if (c->stream == NULL ||
	    evbuffer_peek(unread(c), -1, NULL, &piece, 1) < 1)
		return (struct slice){ NULL, 0 };
	return (struct slice){ piece.iov_base, piece.iov_len };
}

void
conn_consume(struct conn *c, size_t len)
{
	if (len == 0)
		return;
	evbuffer_drain(unread(c), len);
	conn_adjust_reading(c);
}

/* Where the first LF of the first `max` bytes is, or -1. */
static ssize_t
find_line_end(struct evbuffer *input, size_t len, size_t max)
{
	struct evbuffer_ptr end;

	if (len <= max)
		return evbuffer_search(input, "\n", 1, NULL).pos;
	evbuffer_ptr_set(input, &end, max, EVBUFFER_PTR_SET);
	return evbuffer_search_range(input, "\n", 1, NULL, &end).pos;
}

enum conn_line
conn_take_line(struct conn *c, size_t max, struct slice *line)
{
	size_t len = conn_count_unread(c);
	ssize_t end;

	assert(max < UNREAD_MAX);
	if (len == 0)
		return CONN_LINE_NONE;
	end = find_line_end(unread(c), len, max);
	if (end < 0)
		return len < max ? CONN_LINE_NONE : CONN_LINE_TOO_LONG;
	buf_reset(&c->line);
	while (c->line.len < (size_t)end + 1) {
		struct slice piece =
		    slice_first(conn_peek(c), (size_t)end + 1 - c->line.len);

		buf_add(&c->line, piece);
		conn_consume(c, piece.len);
	}
	*line = slice_first(buf_slice(&c->line), (size_t)end);
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	return CONN_LINE;
}

void
conn_pause(struct conn *c)
{
	c->paused = true;
	conn_adjust_reading(c);
	conn_restart_clock(c);
}

void
conn_resume(struct conn *c)
{
	if (!c->paused)
		return;
	c->paused = false;
	conn_adjust_reading(c);
	if (conn_count_unread(c) > 0)
		c->unseen = true;
	if (c->unseen || c->phase == BROKEN)
		conn_tell_soon(c);
	conn_restart_clock(c);
}

void
conn_await(struct conn *c, bool awaiting)
{
	c->awaiting = awaiting;
	conn_restart_clock(c);
}
