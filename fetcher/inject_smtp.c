/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By SMTP: sessions to our own MTA, kept for a few seconds after a message, one
 * message at a time on each.
 *
 * The message is streamed from the spool file as the server takes it, and the
 * final dot is sent only after all of the file: a session that ends before has
 * injected nothing.  When it ends after the dot and before the reply, nobody can
 * tell: that counts as not injected, so that the message may be doubled but never
 * lost.
 */
#include "base/crash.h"
#include "base/mem.h"
#include "fetcher/conn.h"
#include "fetcher/inject_run.h"
#include "fetcher/smtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	PIECE = 32 * 1024,      /* of the file, at a time */
	IDLE_MS = 5 * 1000,     /* an smtpd(8) process waits with us */
	CONNECT_MS = 30 * 1000, /* for each address */
	WHERE_SIZE = 300,       /* of a target in words */
};

/* What sessions are opened with; kept by each while it lives. */
struct target {
	unsigned references;
	char *path, *host, *helo;
	char where[WHERE_SIZE];
	struct conn_settings conn;
	struct tls_settings tls;
	struct smtp_settings smtp;
	int64_t timeout_ms;
};

struct pool {
	struct loop *loop;
	struct target *target;
	struct session *idle;
};

struct session {
	struct pool *pool;
	struct target *target;
	struct conn *conn;
	struct smtp smtp;
	struct smtp_mail mail;
	struct inject_run *run; /* NULL: idle */
	unsigned served;        /* messages before this one */
	uint64_t sent;          /* of the file */
	struct smtp_body body;
	struct timer *clock;  /* the message's deadline; how long to be idle */
	struct session *next; /* idle */
};

static struct target *
target_new(const struct inject_settings *settings)
{
	static const struct tls_settings clear_text = { .mode = TLS_NEVER };
	const struct smtp_target *from = &settings->smtp;
	struct target *t = mem_new(sizeof(*t));

	t->references = 1;
	t->path = from->socket == NULL ? NULL : mem_string(from->socket);
	t->host = from->host == NULL ? NULL : mem_string(from->host);
	t->helo = mem_string(from->helo == NULL ? "localhost" : from->helo);
	if (t->path != NULL)
		snprintf(t->where, sizeof(t->where), "%s", t->path);
	else
		snprintf(t->where, sizeof(t->where), "%s port %u",
		    t->host == NULL ? "?" : t->host, from->port);
	t->tls = clear_text;
	t->timeout_ms = settings->timeout_ms;
	t->conn = (struct conn_settings){ .path = t->path,
		.host = t->path == NULL ? t->host : t->path,
		.port = from->port,
		.tls = &t->tls,
		.timeout_ms =
		    t->timeout_ms < CONNECT_MS ? t->timeout_ms : CONNECT_MS };
	t->smtp =
	    (struct smtp_settings){ .helo = t->helo, .xclient = from->xclient };
	return t;
}

static void
target_unref(struct target *t)
{
	if (t == NULL || --t->references > 0)
		return;
	free(t->path);
	free(t->host);
	free(t->helo);
	free(t);
}

static void
session_free(struct session *s)
{
	if (smtp_body_begun(&s->smtp))
		conn_free(s->conn);
	else
		conn_close(s->conn, SLICE("QUIT\r\n"));
	timer_free(s->clock);
	target_unref(s->target);
	free(s);
}

static void
forget_idle(struct session *s)
{
	struct session **at = &s->pool->idle;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	session_free(s);
}

static void start_fresh(struct pool *, struct inject_run *);

/* Errors of a conn say where; those of the protocol do not. */
static const struct error *
place(const struct session *s, struct error *err)
{
	error_prefix(err, "%s", s->target->where);
	return err;
}

/* The message's fate is known, and so is the session's. */
static void
end(struct session *s, enum inject_outcome outcome, const struct error *err)
{
	struct inject_run *run = s->run;

	run->result.outcome = outcome;
	if (outcome == INJECT_ACCEPTED) {
		snprintf(run->result.queue_id, sizeof(run->result.queue_id),
		    "%s", s->smtp.queue_id);
	} else {
		run->result.error = *err;
	}
	s->run = NULL;
	if (outcome == INJECT_ACCEPTED && s->target == s->pool->target) {
		s->served++;
		s->next = s->pool->idle;
		s->pool->idle = s;
		timer_start(s->clock, IDLE_MS);
	} else {
		session_free(s);
	}
	inject_run_end(run);
}

static void
settle(struct session *s, enum smtp_verdict verdict, struct error *err)
{
	static const enum inject_outcome outcomes[] = {
		[SMTP_ACCEPTED] = INJECT_ACCEPTED,
		[SMTP_DEFERRED] = INJECT_DEFERRED,
		[SMTP_REFUSED] = INJECT_REFUSED,
		[SMTP_OVERSIZE] = INJECT_OVERSIZE,
		[SMTP_UNAVAILABLE] = INJECT_LOCAL,
	};

	if (verdict == SMTP_ACCEPTED)
		CRASH_POINT("injected");
	end(s, outcomes[verdict],
	    verdict == SMTP_ACCEPTED ? NULL : place(s, err));
}

/* A session that was kept may have been dropped by the server meanwhile: that
 * says nothing, as long as nothing of the message went that way. */
static void
lose(struct session *s, enum inject_outcome outcome, const struct error *err)
{
	struct inject_run *run = s->run;
	struct pool *pool = s->pool;
	enum smtp_verdict verdict;
	struct error why;

	if (run == NULL) {
		forget_idle(s);
	} else if (smtp_was_refused(&s->smtp, &verdict, &why)) {
		settle(s, verdict, &why);
	} else if (s->served > 0 && !smtp_body_begun(&s->smtp)) {
		session_free(s);
		start_fresh(pool, run);
	} else {
		end(s, outcome, err);
	}
}

/* Reads what fits one piece; false when the file is not what it was. */
static bool
read_piece(struct session *s, uint8_t piece[static PIECE], struct slice *read)
{
	uint64_t left = s->run->job.size - s->sent;
	size_t wanted = left < PIECE ? (size_t)left : PIECE;
	ssize_t n;

	do
		n = pread(s->run->fd, piece, wanted, (off_t)s->sent);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	*read = (struct slice){ piece, (size_t)n };
	s->sent += (size_t)n;
	return true;
}

/* The next piece, or the end; CONN_SENT asks for more.  False when the session
 * is gone. */
static bool
send_piece(struct session *s)
{
	uint8_t piece[PIECE];
	struct slice text = { piece, 0 };
	struct error err;
	struct buf out;

	if (s->sent < s->run->job.size && !read_piece(s, piece, &text)) {
		error_set(&err, ERROR_LOCAL, "%s: the file cannot be read",
		    s->run->job.spool_path);
		end(s, INJECT_LOCAL, &err);
		return false;
	}
	buf_init(&out, 2 * PIECE + 8);
	smtp_body_feed(&s->body, text, &out);
	if (s->sent == s->run->job.size) {
		smtp_body_end(&s->body, &out);
		smtp_body_done(&s->smtp);
	}
	conn_send(s->conn, buf_slice(&out));
	buf_clear(&out);
	conn_await_sent(s->conn);
	return true;
}

/* What was said before the message cannot be about it. */
static bool
begin_body(struct session *s)
{
	struct error err;

	if (conn_peek(s->conn).len > 0) {
		error_set(&err, ERROR_LOCAL, "a reply before the message");
		lose(s, INJECT_LOCAL, place(s, &err));
		return false;
	}
	smtp_body_init(&s->body);
	s->sent = 0;
	return send_piece(s);
}

/* The reply may have been quicker, and the session be idle again. */
static void
on_sent(struct session *s)
{
	if (s->run == NULL || !smtp_body_begun(&s->smtp))
		return;
	if (s->sent < s->run->job.size) {
		CRASH_POINT("injecting-part");
		send_piece(s);
	} else {
		CRASH_POINT("injecting");
	}
}

/* The machine is ready, and always begins by sending something. */
static void
begin_mail(struct session *s)
{
	struct smtp_action action = smtp_mail(&s->smtp, &s->mail);

	CRASH_POINT("before-inject");
	conn_send(s->conn, action.text);
}

/* False when the session is gone. */
static bool
obey(struct session *s, const struct smtp_action *action, struct error *err)
{
	switch (action->todo) {
	case SMTP_WAIT:
		return true;
	case SMTP_SEND:
		conn_send(s->conn, action->text);
		return true;
	case SMTP_READY:
		begin_mail(s);
		return true;
	case SMTP_BODY:
		return begin_body(s);
	case SMTP_DONE:
		settle(s, action->verdict, err);
		return false;
	case SMTP_FAIL:
		lose(s, INJECT_LOCAL, place(s, err));
		return false;
	}
	return false;
}

static void
read_lines(struct session *s)
{
	struct smtp_action action;
	struct slice line;
	struct error err;

	for (;;) {
		switch (conn_take_line(s->conn, SMTP_LINE_MAX, &line)) {
		case CONN_LINE:
			action = smtp_line(&s->smtp, line, &err);
			if (!obey(s, &action, &err))
				return;
			break;
		case CONN_LINE_NONE:
			return;
		case CONN_LINE_TOO_LONG:
			error_set(&err, ERROR_LOCAL, "a reply without end");
			lose(s, INJECT_LOCAL, place(s, &err));
			return;
		}
	}
}

static void
on_conn(enum conn_event event, void *arg)
{
	struct session *s = arg;

	switch (event) {
	case CONN_READY:
		/* The message's deadline is the only clock from here on. */
		conn_await(s->conn, false);
		break;
	case CONN_DATA:
		read_lines(s);
		break;
	case CONN_SENT:
		on_sent(s);
		break;
	case CONN_SECURED:
		break;
	case CONN_CLOSED:
		lose(s,
		    smtp_body_begun(&s->smtp) ? INJECT_FAILED : INJECT_LOCAL,
		    conn_error(s->conn));
		break;
	}
}

static void
on_clock(void *arg)
{
	struct session *s = arg;
	struct error err;

	if (s->run == NULL) {
		forget_idle(s);
		return;
	}
	error_set(&err, ERROR_LOCAL,
	    "the message was not taken within %lld s (%s)",
	    (long long)(s->target->timeout_ms / 1000),
	    smtp_state_name(&s->smtp));
	end(s, INJECT_LOCAL, place(s, &err));
}

static void
take_up(struct session *s, struct inject_run *run)
{
	const struct inject_job *job = &run->job;

	s->run = run;
	s->mail = (struct smtp_mail){ .sender = &job->sender,
		.recipient = &job->recipient,
		.origin = &job->origin,
		.size = job->size };
	timer_start(s->clock, s->target->timeout_ms);
}

static void
start_fresh(struct pool *pool, struct inject_run *run)
{
	struct session *s = mem_new(sizeof(*s));

	s->pool = pool;
	s->target = pool->target;
	s->target->references++;
	s->clock = timer_new(pool->loop, on_clock, s);
	smtp_init(&s->smtp, &s->target->smtp);
	take_up(s, run);
	s->conn = conn_open(pool->loop, &s->target->conn, on_conn, s);
}

static void
start(void *arg, struct inject_run *run)
{
	struct pool *pool = arg;

	for (struct session **at = &pool->idle; *at != NULL;
	     at = &(*at)->next) {
		struct session *s = *at;

		if (!smtp_takes(&s->smtp, &run->job.origin))
			continue;
		*at = s->next;
		take_up(s, run);
		begin_mail(s);
		return;
	}
	/* Never more sessions than messages may be under way. */
	if (pool->idle != NULL)
		forget_idle(pool->idle);
	start_fresh(pool, run);
}

static void *
open_pool(struct loop *loop)
{
	struct pool *pool = mem_new(sizeof(*pool));

	pool->loop = loop;
	return pool;
}

static void
drop_idle(struct pool *pool)
{
	while (pool->idle != NULL) {
		struct session *s = pool->idle;

		pool->idle = s->next;
		session_free(s);
	}
}

static void
configure(void *arg, const struct inject_settings *settings)
{
	struct pool *pool = arg;

	drop_idle(pool);
	target_unref(pool->target);
	pool->target = target_new(settings);
}

static void
close_pool(void *arg)
{
	struct pool *pool = arg;

	drop_idle(pool);
	target_unref(pool->target);
	free(pool);
}

const struct inject_method inject_smtp = { open_pool, close_pool, configure,
	start };
