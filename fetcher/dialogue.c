/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/dialogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetcher/conn.h"
#include "fetcher/login_secret.h"
#include "fetcher/sasl.h"

enum { BODY_PIECE = 16 * 1024 };

/* What each part may take in all. */
enum phase {
	PHASE_SECRET,
	PHASE_LOGIN,
	PHASE_LISTING,
	PHASE_COMMAND,
	PHASE_MESSAGE,
	PHASE_IDLE,
	PHASE_QUIT
};
static const struct {
	const char *name;
	int64_t most_ms;
} phases[] = {
	[PHASE_SECRET] = { "reading the password or token", 60 * 1000 },
	[PHASE_LOGIN] = { "connecting and logging in", 5 * 60 * 1000 },
	[PHASE_LISTING] = { "listing the mailbox", 30 * 60 * 1000 },
	[PHASE_COMMAND] = { "a command", 10 * 60 * 1000 },
	[PHASE_MESSAGE] = { "one message", 6 * 60 * 60 * 1000 },
	[PHASE_IDLE] = { "IDLE", 30 * 60 * 1000 },
	[PHASE_QUIT] = { "QUIT", 60 * 1000 },
};

struct dialogue {
	struct dialogue_settings settings;
	struct conn_settings conn_settings;
	struct conn *conn; /* NULL before and after */
	struct login_secret *secret;
	struct protocol_login login;
	const struct protocol *protocol;
	void *machine;
	struct timer *deadline, *over;
	struct error error; /* why it ended */
	enum phase phase;
	bool in_body;       /* a literal or message is coming */
	bool for_owner;     /* and it is a message */
	bool logged_in;     /* once */
	bool quitting;      /* QUIT was sent */
	bool timed;         /* `deadline` runs */
	bool advanced;      /* a reply was complete: it begins anew */
	bool ended, closed; /* closed: as it should be */
	bool freed;         /* by the owner, while `depth` calls run */
	unsigned depth;
};

static void act(struct dialogue *, struct protocol_action, struct error *);

static int64_t
most_ms(const struct dialogue *d)
{
	unsigned hurry = d->settings.hurry;

	return phases[d->phase].most_ms / (hurry > 0 ? hurry : 1);
}

static void
enter(struct dialogue *d, enum phase phase)
{
	d->phase = phase;
	timer_start(d->deadline, most_ms(d));
}

static void
release(struct dialogue *d)
{
	if (d->depth > 0 || !d->freed)
		return;
	d->protocol->clear(d->machine);
	free(d->machine);
	login_secret_free(d->secret);
	conn_free(d->conn);
	timer_free(d->deadline);
	timer_free(d->over);
	free(d);
}

void
dialogue_free(struct dialogue *d)
{
	if (d == NULL)
		return;
	d->freed = d->ended = true;
	conn_free(d->conn);
	d->conn = NULL;
	timer_stop(d->deadline);
	timer_stop(d->over);
	release(d);
}

/* Calls that may lead to the owner's handlers go between these. */
static void
hold(struct dialogue *d)
{
	d->depth++;
}

static void
let_go(struct dialogue *d)
{
	d->depth--;
	release(d);
}

static void
end(struct dialogue *d)
{
	conn_free(d->conn);
	d->conn = NULL;
	d->ended = true;
	timer_stop(d->deadline);
	/* Never from within a call that still uses it. */
	timer_start(d->over, 0);
}

static void
fail(struct dialogue *d, const struct error *err)
{
	if (d->ended)
		return;
	d->error = *err;
	end(d);
}

static void
on_over(void *arg)
{
	struct dialogue *d = arg;

	hold(d);
	d->settings.handlers->ended(
	    d->settings.arg, d->closed ? NULL : &d->error);
	let_go(d);
}

/* With another token, another connection. */
static bool
try_another_token(struct dialogue *d, const struct error *err)
{
	if (err->kind != ERROR_LOGIN || d->logged_in ||
	    !login_secret_refused(d->secret, err))
		return false;
	enter(d, PHASE_SECRET);
	conn_free(d->conn);
	d->conn = NULL;
	return true;
}

/* As fail(), for what the machine says, which does not know the host. */
static void
fail_protocol(struct dialogue *d, const struct error *err)
{
	struct error why = *err;

	if (!d->logged_in)
		sasl_hint(d->settings.account->auth, d->login.token,
		    dialogue_facts(d)->mechanisms, &why);
	error_prefix(&why, "%s", d->settings.account->host);
	if (!d->ended && !try_another_token(d, &why))
		fail(d, &why);
}

static void
on_deadline(void *arg)
{
	struct dialogue *d = arg;
	struct error err;

	error_set(&err, ERROR_RETRY, "%s: %s took longer than %lld s",
	    d->settings.account->host, phases[d->phase].name,
	    (long long)(most_ms(d) / 1000));
	fail(d, &err);
}

/* Clocks run while something is due, and begin anew with each complete reply,
 * never with a byte. */
static void
mind_clocks(struct dialogue *d)
{
	bool due = d->quitting || d->in_body || d->protocol->busy(d->machine);

	if (d->ended || d->conn == NULL || !d->logged_in)
		return;
	conn_await(d->conn, due && d->phase != PHASE_IDLE);
	if (!due)
		timer_stop(d->deadline);
	else if (!d->timed || d->advanced)
		enter(d, d->phase);
	d->timed = due;
	d->advanced = false;
}

static void
send_command(struct dialogue *d, const struct protocol_action *action)
{
	struct error err;

	if (!action->secret)
		conn_send(d->conn, action->text);
	else if (!conn_send_secret(d->conn, action->text, &err))
		fail(d, &err);
}

static void
tell(struct dialogue *d, const struct protocol_action *action,
    const struct error *err)
{
	d->settings.handlers->said(d->settings.arg, action, err);
}

static void
log_in_done(struct dialogue *d)
{
	d->logged_in = true;
	login_secret_wipe(d->secret);
	d->login.secret = SLICE("");
}

/* Does what the machine asks for. */
static void
act(struct dialogue *d, struct protocol_action action, struct error *err)
{
	switch (action.todo) {
	case DO_WAIT:
		break;
	case DO_SEND:
		send_command(d, &action);
		break;
	case DO_START_TLS:
		if (!conn_start_tls(d->conn, err))
			fail(d, err);
		break;
	case DO_LOGGED_IN:
		log_in_done(d);
		tell(d, &action, err);
		break;
	case DO_BODY:
		d->in_body = true;
		d->for_owner = action.number != 0;
		d->advanced |= d->for_owner;
		if (d->for_owner)
			tell(d, &action, err);
		break;
	case DO_FOLDERS:
	case DO_READY:
	case DO_REFUSED:
	case DO_DISPOSED:
		d->advanced = true;
		tell(d, &action, err);
		break;
	case DO_FOLDER:
	case DO_LISTED:
	case DO_SIZED:
	case DO_ARRIVED:
		tell(d, &action, err);
		break;
	case DO_CLOSE:
		d->closed = true;
		end(d);
		break;
	case DO_FAIL:
		fail_protocol(d, err);
		break;
	}
}

/* What a call of the machine came to; it may be the owner's end. */
static void
perform(struct dialogue *d, struct protocol_action action, struct error *err)
{
	hold(d);
	act(d, action, err);
	mind_clocks(d);
	let_go(d);
}

/* Only now the machine knows whether it is the message that was asked for. */
static void
end_body(struct dialogue *d)
{
	struct protocol_action action;
	struct error why, err;

	d->in_body = false;
	action = d->protocol->body_done(d->machine, &why);
	if (d->for_owner && action.todo != DO_FAIL &&
	    action.todo != DO_REFUSED &&
	    !d->settings.handlers->complete(d->settings.arg, &err))
		fail(d, &err);
	if (!d->ended)
		act(d, action, &why);
}

static bool
read_body(struct dialogue *d)
{
	struct slice in = slice_first(conn_peek(d->conn), BODY_PIECE);
	uint8_t bytes[BODY_PIECE + 4];
	struct error err;
	size_t used, out = 0;
	bool complete;

	if (in.len == 0)
		return false;
	complete = d->protocol->body(d->machine, in, &used, bytes, &out);
	conn_consume(d->conn, used);
	if (out > 0 && d->for_owner &&
	    !d->settings.handlers->piece(
		d->settings.arg, (struct slice){ bytes, out }, &err))
		fail(d, &err);
	if (complete && !d->ended)
		end_body(d);
	return true;
}

static bool
read_line(struct dialogue *d)
{
	struct slice line;
	struct error err;

	switch (conn_take_line(d->conn, PROTOCOL_LINE_MAX, &line)) {
	case CONN_LINE:
		act(d, d->protocol->line(d->machine, line, &err), &err);
		return true;
	case CONN_LINE_TOO_LONG:
		error_set(&err, ERROR_PROTOCOL,
		    "more than %d bytes without a line end (%s)",
		    PROTOCOL_LINE_MAX, d->protocol->state_name(d->machine));
		fail_protocol(d, &err);
		return false;
	case CONN_LINE_NONE:
		break;
	}
	return false;
}

/* Some servers close where they should answer QUIT. */
static void
on_closed(struct dialogue *d)
{
	struct error why = *conn_error(d->conn);

	if (d->quitting)
		error_prefix(&why,
		    "no answer to QUIT, the next listing will tell whether "
		    "messages were deleted");
	fail(d, &why);
}

static void
on_conn(enum conn_event event, void *arg)
{
	struct dialogue *d = arg;
	struct conn *conn = d->conn;
	struct error err;

	hold(d);
	switch (event) {
	case CONN_READY:
	case CONN_SENT:
		break;
	case CONN_SECURED:
		act(d, d->protocol->secured(d->machine, &err), &err);
		break;
	case CONN_DATA:
		/* Another token means another connection. */
		while (!d->ended && d->conn == conn &&
		       (d->in_body ? read_body(d) : read_line(d)))
			;
		break;
	case CONN_CLOSED:
		on_closed(d);
		break;
	}
	mind_clocks(d);
	let_go(d);
}

static void
connect_now(struct dialogue *d)
{
	const struct account *account = d->settings.account;
	bool implicit = account->protocol == PROTOCOL_POP3S ||
			account->protocol == PROTOCOL_IMAPS;

	d->login = (struct protocol_login){
		.account = account,
		.secret = login_secret_text(d->secret),
		.token = login_secret_is_token(d->secret),
		.smtputf8 = d->settings.smtputf8,
		.look = d->settings.look,
		.without_capa = d->settings.without_capa,
	};
	d->protocol->init(d->machine, &d->login);
	d->conn_settings = (struct conn_settings){
		.host = account->host,
		.port = account->port,
		.implicit_tls = implicit,
		.tls = &account->tls,
		.timeout_ms = account->timeout_ms,
	};
	enter(d, PHASE_LOGIN);
	d->conn = conn_open(d->settings.loop, &d->conn_settings, on_conn, d);
}

static void
on_secret(void *arg, bool ok, const struct error *err)
{
	struct dialogue *d = arg;

	if (d->ended)
		return;
	if (ok)
		connect_now(d);
	else
		fail(d, err);
}

struct dialogue *
dialogue_open(const struct dialogue_settings *settings)
{
	struct dialogue *d = mem_new(sizeof(*d));

	d->settings = *settings;
	d->protocol = account_is_imap(settings->account) ? &imap_protocol
							 : &pop3_protocol;
	d->machine = mem_new(d->protocol->size);
	d->deadline = timer_new(settings->loop, on_deadline, d);
	d->over = timer_new(settings->loop, on_over, d);
	d->secret =
	    login_secret_new(settings->loop, settings->account, on_secret, d);
	enter(d, PHASE_SECRET);
	login_secret_fetch(d->secret);
	return d;
}

const struct protocol *
dialogue_protocol(const struct dialogue *d)
{
	return d->protocol;
}

const struct protocol_facts *
dialogue_facts(const struct dialogue *d)
{
	return d->protocol->facts(d->machine);
}

const char *
dialogue_cipher(const struct dialogue *d)
{
	return d->conn == NULL ? "" : conn_cipher(d->conn);
}

bool
dialogue_certificate(const struct dialogue *d, struct certificate_facts *facts)
{
	return d->conn != NULL && conn_certificate(d->conn, facts);
}

unsigned
dialogue_room(const struct dialogue *d)
{
	return d->ended || !d->logged_in ? 0 : d->protocol->room(d->machine);
}

bool
dialogue_busy(const struct dialogue *d)
{
	return !d->ended && d->logged_in && d->protocol->busy(d->machine);
}

/* A message may be under way: its clock is the longer one. */
static bool
is_fetching(const struct dialogue *d)
{
	return d->phase == PHASE_MESSAGE && d->protocol->busy(d->machine);
}

/* Whether anything can be asked for still. */
static bool
begin(struct dialogue *d, enum phase phase)
{
	if (d->ended)
		return false;
	d->advanced |= d->phase != phase;
	d->phase = phase;
	return true;
}

typedef struct protocol_action command_alone(void *, struct error *);
typedef struct protocol_action
command_with_name(void *, const char *, struct error *);
typedef struct protocol_action command_about(void *, uint32_t, struct error *);

static void
give(struct dialogue *d, enum phase phase, command_alone *command)
{
	struct error err;

	if (begin(d, phase))
		perform(d, command(d->machine, &err), &err);
}

static void
give_name(struct dialogue *d, command_with_name *command, const char *name)
{
	struct error err;

	if (begin(d, PHASE_LISTING))
		perform(d, command(d->machine, name, &err), &err);
}

static void
give_number(struct dialogue *d, enum phase phase, command_about *command,
    uint32_t number)
{
	struct error err;

	if (begin(d, phase))
		perform(d, command(d->machine, number, &err), &err);
}

void
dialogue_folders(struct dialogue *d, const char *pattern)
{
	give_name(d, d->protocol->folders, pattern);
}

void
dialogue_enter(struct dialogue *d, const char *folder)
{
	give_name(d, d->protocol->open, folder);
}

void
dialogue_refresh(struct dialogue *d)
{
	give(d, PHASE_LISTING, d->protocol->refresh);
}

void
dialogue_retrieve(struct dialogue *d, uint32_t number)
{
	give_number(d, PHASE_MESSAGE, d->protocol->retrieve, number);
}

void
dialogue_dispose(struct dialogue *d, uint32_t number)
{
	give_number(d, is_fetching(d) ? PHASE_MESSAGE : PHASE_COMMAND,
	    d->protocol->dispose, number);
}

void
dialogue_noop(struct dialogue *d)
{
	give(d, PHASE_COMMAND, d->protocol->noop);
}

void
dialogue_idle(struct dialogue *d)
{
	give(d, PHASE_IDLE, d->protocol->idle);
}

void
dialogue_rouse(struct dialogue *d)
{
	give(d, PHASE_COMMAND, d->protocol->rouse);
}

void
dialogue_quit(struct dialogue *d)
{
	d->quitting = true;
	give(d, PHASE_QUIT, d->protocol->quit);
}
