/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/dialogue_phase.h"

#include "base/clock.h"
#include "base/log.h"
#include "fetcher/alerts.h"

/* So much of a message is looked at in one go. */
enum { BODY_PIECE = 16 * 1024, ALERT_SHOWN = 300 };

static void
send_command(struct dialogue *d, const struct protocol_action *action)
{
	struct error err;

	if (!action->secret)
		conn_send(d->conn, action->text);
	else if (!conn_send_secret(d->conn, action->text, &err))
		dialogue_fail(d, &err);
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
			dialogue_fail(d, err);
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
		dialogue_end(d);
		break;
	case DO_FAIL:
		dialogue_fail_protocol(d, err);
		break;
	}
}

void
dialogue_perform(
    struct dialogue *d, struct protocol_action action, struct error *err)
{
	dialogue_hold(d);
	act(d, action, err);
	dialogue_mind_clocks(d);
	dialogue_let_go(d);
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
		dialogue_fail(d, &err);
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
		dialogue_fail(d, &err);
	if (complete && !d->ended)
		end_body(d);
	return true;
}

static void
log_alert(const struct dialogue *d)
{
	const struct account *account = d->settings.account;
	struct slice words = dialogue_facts(d)->alert;

	if (words.len > 0 && d->settings.alerts != NULL &&
	    alerts_are_due(d->settings.alerts, words, clock_monotonic_ms()))
		log_warning("account=%s: %s says: %.*s", account->name,
		    account->host, SLICE_ARG(slice_first(words, ALERT_SHOWN)));
}

static bool
read_line(struct dialogue *d)
{
	struct protocol_action action;
	struct slice line;
	struct error err;

	switch (conn_take_line(d->conn, PROTOCOL_LINE_MAX, &line)) {
	case CONN_LINE:
		action = d->protocol->line(d->machine, line, &err);
		log_alert(d);
		act(d, action, &err);
		return true;
	case CONN_LINE_TOO_LONG:
		error_set(&err, ERROR_PROTOCOL,
		    "more than %d bytes without a line end (%s)",
		    PROTOCOL_LINE_MAX, d->protocol->state_name(d->machine));
		dialogue_fail_protocol(d, &err);
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
	dialogue_fail(d, &why);
}

void
dialogue_on_conn(enum conn_event event, void *arg)
{
	struct dialogue *d = arg;
	struct conn *conn = d->conn;
	struct error err;

	dialogue_hold(d);
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
	dialogue_mind_clocks(d);
	dialogue_let_go(d);
}
