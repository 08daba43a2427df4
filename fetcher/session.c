/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/child.h"
#include "fetcher/conn.h"
#include "fetcher/pass.h"
#include "fetcher/protocol.h"

enum {
	PASSWORD_MAX = 4096,
	PASSWORD_COMMAND_MS = 10 * 1000,
	BODY_PIECE = 16 * 1024,
	/* While Postfix has our messages the server must not close on us:
	 * RFC 1939 lets it after ten silent minutes. */
	NOOP_AFTER_MS = 60 * 1000,
};

/* What a session may take in all, however busy the line is; the silence clock
 * (account.timeout) is conn's. */
enum phase {
	PHASE_READY,
	PHASE_PASSWORD,
	PHASE_LOGIN,
	PHASE_LISTING,
	PHASE_COMMAND,
	PHASE_MESSAGE,
	PHASE_QUIT
};
static const struct {
	const char *name;
	int64_t most_ms;
} phases[] = {
	[PHASE_READY] = { "waiting for the milter", 60 * 1000 },
	[PHASE_PASSWORD] = { "reading the password", 30 * 1000 },
	[PHASE_LOGIN] = { "connecting and logging in", 5 * 60 * 1000 },
	[PHASE_LISTING] = { "listing the mailbox", 30 * 60 * 1000 },
	[PHASE_COMMAND] = { "a command", 10 * 60 * 1000 },
	[PHASE_MESSAGE] = { "one message", 6 * 60 * 60 * 1000 },
	[PHASE_QUIT] = { "QUIT", 60 * 1000 },
};

struct session {
	struct session_settings settings;
	struct conn_settings conn_settings;
	struct conn *conn; /* NULL before and after */
	struct buf password;
	struct protocol_login login;
	void *m; /* of pop3_protocol */
	struct pass pass;
	enum phase phase;
	struct timer *deadline, *noop, *soon;
	uint64_t total_size; /* of the listing */
	uint32_t asked;      /* the number in the last command */
	bool in_body;        /* a message was asked for */
	bool streaming;      /* and it is coming */
	bool listed;         /* the listing was complete */
	bool resting;        /* the server waits for a command, and so do we */
	bool asking;         /* an answer of readiness or a password is due */
	bool ended;          /* no connection any more, or none was made */
	bool quitting;       /* QUIT was sent */
	uint8_t bytes[BODY_PIECE + 4];
};

static void take_step(void *arg);
static void act(struct session *, struct protocol_action, const struct error *);

static void
enter(struct session *s, enum phase phase)
{
	s->phase = phase;
	timer_start(s->deadline, phases[phase].most_ms);
}

static void
session_free(struct session *s)
{
	pass_clear(&s->pass);
	buf_wipe(&s->password);
	pop3_protocol.clear(s->m);
	free(s->m);
	conn_free(s->conn);
	timer_free(s->deadline);
	timer_free(s->noop);
	timer_free(s->soon);
	config_unref(s->settings.config);
	free(s);
}

/* Without connection, and nothing of this pass in anybody's hands: over. */
static void
end_if_idle(struct session *s)
{
	struct session_settings settings = s->settings;
	struct pass_result result;

	if (!s->ended || s->asking || !pass_idle(&s->pass))
		return;
	result = s->pass.result;
	session_free(s);
	settings.done(settings.arg, &result);
}

static void
end(struct session *s)
{
	conn_free(s->conn);
	s->conn = NULL;
	s->ended = true;
	s->resting = false;
	timer_stop(s->deadline);
	timer_stop(s->noop);
	/* Never from within a call that still uses the session. */
	timer_start(s->soon, 0);
}

/* The message under way will not be complete in this session.  One at which the
 * server failed comes again after a pause, so that the others go first. */
static void
drop_message(struct session *s, const struct error *why)
{
	if (!s->in_body)
		return;
	pass_lost(&s->pass, why);
	s->in_body = s->streaming = false;
}

static void
fail(struct session *s, const struct error *err)
{
	struct error why = *err;

	if (s->ended)
		return;
	drop_message(s, &why);
	pass_stop(&s->pass, PASS_FAILED, &why);
	end(s);
}

/* As fail(), for what the machine says, which does not know the host. */
static void
fail_protocol(struct session *s, const struct error *err)
{
	struct error why = *err;

	error_prefix(&why, "%s", s->settings.account->host);
	fail(s, &why);
}

static void
on_soon(void *arg)
{
	struct session *s = arg;

	if (s->ended)
		end_if_idle(s);
	else
		take_step(s);
}

static void
on_deadline(void *arg)
{
	struct session *s = arg;
	struct error err;

	error_set(&err, ERROR_RETRY, "%s: %s took longer than %lld s",
	    s->settings.account->host, phases[s->phase].name,
	    (long long)(phases[s->phase].most_ms / 1000));
	fail(s, &err);
}

/* Sends what the machine wants sent. */
static void
send_command(struct session *s, struct protocol_action action)
{
	struct error err;

	s->resting = false;
	timer_stop(s->noop);
	if (conn_peek(s->conn).len > 0) {
		/* It would be taken for the reply, and the reply for the
		 * beginning of a message. */
		error_set(&err, ERROR_PROTOCOL,
		    "server said more than it was asked for (before %s)",
		    pop3_protocol.state_name(s->m));
		fail_protocol(s, &err);
		return;
	}
	conn_await(s->conn, true);
	if (!action.secret)
		conn_send(s->conn, action.text);
	else if (!conn_send_secret(s->conn, action.text, &err))
		fail(s, &err);
}

static void
on_noop(void *arg)
{
	struct session *s = arg;
	struct error err;

	if (s->resting)
		act(s, pop3_protocol.noop(s->m, &err), &err);
}

/* The server waits for a command: which? */
static void
take_step(void *arg)
{
	struct session *s = arg;
	struct error err;

	if (!s->resting)
		return;
	switch (pass_next(&s->pass, &s->asked)) {
	case STEP_RETRIEVE:
		enter(s, PHASE_MESSAGE);
		s->in_body = true;
		act(s, pop3_protocol.retrieve(s->m, s->asked, &err), &err);
		break;
	case STEP_DISPOSE:
		enter(s, PHASE_COMMAND);
		CRASH_POINT("before-delete");
		act(s, pop3_protocol.dispose(s->m, s->asked, &err), &err);
		break;
	case STEP_WAIT:
		timer_stop(s->deadline);
		break;
	case STEP_QUIT:
		enter(s, PHASE_QUIT);
		CRASH_POINT("before-quit");
		s->quitting = true;
		act(s, pop3_protocol.quit(s->m, &err), &err);
		break;
	}
}

static void
rest(struct session *s)
{
	s->resting = true;
	conn_await(s->conn, false);
	timer_start(s->noop, NOOP_AFTER_MS);
	timer_start(s->soon, 0);
}

static void
report_probe(const struct session *s)
{
	const struct account *account = s->settings.account;

	printf("%s: %s:%u: %s, logged in as %s: %zu messages, %llu octets\n",
	    account->name, account->host, account->port, conn_cipher(s->conn),
	    account->user, s->pass.listing.found.n,
	    (unsigned long long)s->total_size);
}

static void
on_ready(struct session *s)
{
	if (!s->listed && s->settings.probe)
		report_probe(s);
	else if (!s->listed)
		pass_compare(&s->pass);
	s->listed = true;
	rest(s);
}

static void
on_listed(struct session *s, const struct protocol_action *action)
{
	struct error err;

	if (listing_add(&s->pass.listing, action->number, action->text))
		return;
	error_set(&err, ERROR_PROTOCOL,
	    "UIDL lists message %u twice or out of order", action->number);
	fail_protocol(s, &err);
}

static void
on_logged_in(struct session *s)
{
	struct error err;

	buf_wipe(&s->password);
	s->login.secret = (struct slice){ NULL, 0 };
	enter(s, PHASE_LISTING);
	act(s, pop3_protocol.open(s->m, NULL, &err), &err);
}

static void
start_tls(struct session *s)
{
	struct error err;

	if (!conn_start_tls(s->conn, &err))
		fail(s, &err);
}

static void
on_refused(struct session *s, const struct error *err)
{
	pass_refused(&s->pass, s->asked, err);
	s->in_body = false;
	rest(s);
}

static void
begin_body(struct session *s)
{
	struct error err;

	s->streaming = pass_body_begin(&s->pass, s->asked, &err);
	if (!s->streaming)
		fail_protocol(s, &err);
}

/* Does what the machine asks for. */
static void
act(struct session *s, struct protocol_action action, const struct error *err)
{
	switch (action.todo) {
	case DO_LOGGED_IN:
		on_logged_in(s);
		break;
	case DO_SEND:
		send_command(s, action);
		break;
	case DO_START_TLS:
		start_tls(s);
		break;
	case DO_LISTED:
		on_listed(s, &action);
		break;
	case DO_SIZED:
		listing_size(&s->pass.listing, action.number, action.size);
		s->total_size += action.size;
		break;
	case DO_READY:
		on_ready(s);
		break;
	case DO_BODY:
		begin_body(s);
		break;
	case DO_REFUSED:
		on_refused(s, err);
		break;
	case DO_DISPOSED:
		CRASH_POINT("after-delete");
		pass_disposed(&s->pass, s->asked);
		rest(s);
		break;
	case DO_CLOSE:
		pass_confirmed(&s->pass);
		end(s);
		break;
	case DO_FAIL:
		fail_protocol(s, err);
		break;
	default: /* DO_WAIT; the rest is IMAP's */
		break;
	}
}

static void
end_body(struct session *s)
{
	struct error err;

	if (!pass_body_end(&s->pass, &err)) {
		readiness_fault(s->settings.readiness, &err);
		fail(s, &err);
		return;
	}
	s->in_body = s->streaming = false;
	act(s, pop3_protocol.body_done(s->m, &err), &err);
}

/* One piece of the message; false when there is nothing to read now. */
static bool
read_body(struct session *s)
{
	struct slice in = slice_first(conn_peek(s->conn), BODY_PIECE);
	struct error err;
	size_t used, out;
	bool complete;

	if (in.len == 0)
		return false;
	complete = pop3_protocol.body(s->m, in, &used, s->bytes, &out);
	if (!pass_body(&s->pass, (struct slice){ s->bytes, out }, &err)) {
		readiness_fault(s->settings.readiness, &err);
		fail(s, &err);
		return false;
	}
	conn_consume(s->conn, used);
	if (complete)
		end_body(s);
	return true;
}

static bool
read_line(struct session *s)
{
	struct slice line;
	struct error err;

	switch (conn_take_line(s->conn, PROTOCOL_LINE_MAX, &line)) {
	case CONN_LINE:
		act(s, pop3_protocol.line(s->m, line, &err), &err);
		return true;
	case CONN_LINE_TOO_LONG:
		error_set(&err, ERROR_PROTOCOL,
		    "more than %d bytes without a line end (%s)",
		    PROTOCOL_LINE_MAX, pop3_protocol.state_name(s->m));
		fail_protocol(s, &err);
		return false;
	case CONN_LINE_NONE:
		break;
	}
	return false;
}

/* Some servers close where they should answer QUIT. */
static void
on_closed(struct session *s)
{
	struct error why = *conn_error(s->conn);

	if (!s->quitting) {
		fail(s, &why);
		return;
	}
	error_prefix(&why, "no answer to QUIT, the next listing will tell "
			   "whether messages were deleted");
	if (s->pass.result.deleted > 0)
		pass_notice(&s->pass, &why);
	end(s);
}

static void
on_conn(enum conn_event event, void *arg)
{
	struct session *s = arg;
	struct error err;

	switch (event) {
	case CONN_READY:
	case CONN_SENT:
		break;
	case CONN_SECURED:
		act(s, pop3_protocol.secured(s->m, &err), &err);
		break;
	case CONN_DATA:
		/* What comes while resting stays unread: send_command() finds
		 * it. */
		while (!s->ended && !s->resting &&
		       (s->streaming ? read_body(s) : read_line(s)))
			;
		break;
	case CONN_CLOSED:
		on_closed(s);
		break;
	}
}

static void
connect_now(struct session *s)
{
	const struct account *account = s->settings.account;

	s->login = (struct protocol_login){ account,
		.secret = buf_slice(&s->password) };
	pop3_protocol.init(s->m, &s->login);
	s->conn_settings = (struct conn_settings){
		.host = account->host,
		.port = account->port,
		.implicit_tls = account->protocol == PROTOCOL_POP3S,
		.tls = &account->tls,
		.timeout_ms = account->timeout_ms,
	};
	enter(s, PHASE_LOGIN);
	s->conn = conn_open(s->settings.loop, &s->conn_settings, on_conn, s);
}

static bool
take_password(
    struct session *s, const struct child_result *result, struct error *err)
{
	if (result->started && !result->timed_out && result->wait_status == 0)
		return secret_take(result->out, &s->password, err);
	child_describe(result, err);
	return false;
}

static void
on_password(void *arg, const struct child_result *result)
{
	struct session *s = arg;
	struct error err;

	s->asking = false;
	if (s->pass.stopping) {
		end(s);
	} else if (take_password(s, result, &err)) {
		connect_now(s);
	} else {
		err.kind = ERROR_CONFIG;
		error_prefix(&err, "password command");
		fail(s, &err);
	}
}

/* A command runs beside the loop; a file is read at once. */
static void
get_password(struct session *s)
{
	const struct secret_source *secret = &s->settings.account->password;
	struct error err;

	enter(s, PHASE_PASSWORD);
	if (secret->kind == SECRET_COMMAND) {
		s->asking = true;
		child_run(s->settings.loop,
		    &(struct child_job){ .argv = secret->argv,
			.in = -1,
			.want_out = true,
			.timeout_ms = PASSWORD_COMMAND_MS },
		    on_password, s);
	} else if (secret_read(secret, &s->password, &err)) {
		connect_now(s);
	} else {
		fail(s, &err);
	}
}

static void
on_readiness(void *arg, bool ready, const struct error *reason)
{
	struct session *s = arg;

	s->asking = false;
	if (!ready)
		pass_stop(&s->pass, PASS_HELD, reason);
	if (s->pass.stopping)
		end(s);
	else
		get_password(s);
}

struct session *
session_start(const struct session_settings *settings)
{
	struct session *s = mem_new(sizeof(*s));

	s->settings = *settings;
	s->settings.config = config_ref(settings->config);
	s->m = mem_new(pop3_protocol.size);
	buf_init(&s->password, PASSWORD_MAX);
	pass_init(&s->pass, &s->settings, NULL, on_soon, s);
	s->deadline = timer_new(settings->loop, on_deadline, s);
	s->noop = timer_new(settings->loop, on_noop, s);
	s->soon = timer_new(settings->loop, on_soon, s);
	if (settings->probe) {
		get_password(s);
		return s;
	}
	s->asking = true;
	enter(s, PHASE_READY);
	readiness_ask(settings->readiness, on_readiness, s);
	return s;
}

void
session_stop(struct session *s, bool at_once)
{
	pass_stop(&s->pass, PASS_DONE, NULL);
	if (s->ended)
		return;
	if (s->in_body && at_once) {
		/* A large message would take too long; what was deleted in
		 * this session is deleted again in the next. */
		drop_message(s, NULL);
		end(s);
	} else if (s->conn != NULL && !s->listed) {
		end(s);
	} else {
		timer_start(s->soon, 0);
	}
}
