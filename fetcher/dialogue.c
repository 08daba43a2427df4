/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/dialogue_phase.h"

#include <stdlib.h>

#include "base/mem.h"
#include "fetcher/sasl.h"

/* What each part may take in all. */
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

void
dialogue_hold(struct dialogue *d)
{
	d->depth++;
}

void
dialogue_let_go(struct dialogue *d)
{
	d->depth--;
	release(d);
}

void
dialogue_end(struct dialogue *d)
{
	conn_free(d->conn);
	d->conn = NULL;
	d->ended = true;
	timer_stop(d->deadline);
	/* Never from within a call that still uses it. */
	timer_start(d->over, 0);
}

void
dialogue_fail(struct dialogue *d, const struct error *err)
{
	if (d->ended)
		return;
	d->error = *err;
	dialogue_end(d);
}

static void
on_over(void *arg)
{
	struct dialogue *d = arg;

	dialogue_hold(d);
	d->settings.handlers->ended(
	    d->settings.arg, d->closed ? NULL : &d->error);
	dialogue_let_go(d);
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

void
dialogue_fail_protocol(struct dialogue *d, const struct error *err)
{
	struct error why = *err;

	if (!d->logged_in)
		sasl_hint(d->settings.account->auth, d->login.token,
		    dialogue_facts(d)->mechanisms, &why);
	error_prefix(&why, "%s", d->settings.account->host);
	if (!d->ended && !try_another_token(d, &why))
		dialogue_fail(d, &why);
}

static void
on_deadline(void *arg)
{
	struct dialogue *d = arg;
	struct error err;

	error_set(&err, ERROR_RETRY, "%s: %s took longer than %lld s",
	    d->settings.account->host, phases[d->phase].name,
	    (long long)(most_ms(d) / 1000));
	dialogue_fail(d, &err);
}

void
dialogue_mind_clocks(struct dialogue *d)
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
	d->conn =
	    conn_open(d->settings.loop, &d->conn_settings, dialogue_on_conn, d);
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
		dialogue_fail(d, err);
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
