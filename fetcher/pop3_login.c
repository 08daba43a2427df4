/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3_machine.h"

#include "base/mem.h"

#include <stdlib.h>

enum {
	/* "AUTH ", a mechanism's name, CRLF */
	OUT_MAX = SASL_RESPONSE_MAX + 64,
	/* Of USER and PASS; RFC 2449 4 has 255 for the command. */
	WORD_MAX = 768,
};

void
pop3_end_login(struct pop3 *s)
{
	if (s->exchange == NULL)
		return;
	sasl_clear(&s->exchange->sasl);
	buf_wipe(&s->exchange->out);
	free(s->exchange);
	s->exchange = NULL;
}

static bool
holds(struct slice line, struct slice secret)
{
	return secret.len > 0 && slice_search_nocase(line, secret) < line.len;
}

/* What was sent last without the words before the response. */
static struct slice
response_sent(const struct pop3 *s)
{
	struct slice sent = slice_trim(buf_slice(&s->exchange->out));
	struct slice command;

	if (slice_cut_prefix(&sent, SLICE("AUTH ")) &&
	    !slice_cut_until(&sent, ' ', &command))
		return SLICE("");
	return s->state == AUTH ? sent : SLICE("");
}

bool
pop3_quotes_secret(const struct pop3 *s, struct slice line)
{
	if (s->exchange == NULL)
		return false;
	return holds(line, response_sent(s)) || holds(line, s->login->secret);
}

/* What stands in exchange->out, and the line end. */
static struct protocol_action
send_out(struct pop3 *s, int next, bool secret, struct error *err)
{
	struct buf *out = &s->exchange->out;
	struct protocol_action action = pop3_enter(s, next, DO_SEND);

	buf_add(out, SLICE("\r\n"));
	if (buf_overflowed(out)) {
		error_set(err, ERROR_CONFIG,
		    "user and secret are too long to log in with");
		return pop3_failed;
	}
	action.text = buf_slice(out);
	action.secret = secret;
	return action;
}

/* False when a byte would end the command on the wire, or it is too long. */
static bool
fits_command(struct slice s)
{
	return slice_find(s, '\r') == s.len && slice_find(s, '\n') == s.len &&
	       slice_find(s, '\0') == s.len && s.len <= WORD_MAX;
}

static struct protocol_action
begin_user(struct pop3 *s, struct error *err)
{
	struct slice user = slice_of(s->login->account->user);

	if (!fits_command(user) || !fits_command(s->login->secret)) {
		error_set(err, ERROR_CONFIG,
		    "user or password is too long or holds a line break: "
		    "nothing was sent");
		return pop3_failed;
	}
	buf_add(&s->exchange->out, SLICE("USER "));
	buf_add(&s->exchange->out, user);
	return send_out(s, USER, false, err);
}

/* Microsoft takes XOAUTH2's token only when it has asked for it. */
static struct protocol_action
begin_sasl(struct pop3 *s, enum sasl_mechanism mechanism, struct error *err)
{
	struct pop3_exchange *exchange = s->exchange;
	size_t max = mechanism == SASL_XOAUTH2 ? 0 : SASL_POP3_COMMAND_MAX;

	exchange->credentials = (struct sasl_credentials){
		.user = s->login->account->user,
		.secret = s->login->secret,
		.host = s->login->account->host,
		.port = s->login->account->port,
	};
	sasl_start(&exchange->sasl, mechanism, &exchange->credentials);
	buf_add(&exchange->out, SLICE("AUTH "));
	if (!sasl_command(&exchange->sasl, max, &exchange->out, err))
		return pop3_failed;
	return send_out(s, AUTH, true, err);
}

/* A server that names no SASL mechanism may know USER without saying so, as
 * all did before CAPA. */
static unsigned
offered(const struct pop3 *s)
{
	if (s->facts.user || s->facts.mechanisms == 0)
		return s->facts.mechanisms | SASL_OFFER_USER;
	return s->facts.mechanisms;
}

struct protocol_action
pop3_log_in(struct pop3 *s, struct error *err)
{
	enum sasl_mechanism mechanism;

	if (s->login->look)
		return pop3_enter(s, LOGGED_IN, DO_LOGGED_IN);
	if (!sasl_choose(s->login->account->auth, s->login->token, offered(s),
		&mechanism, err))
		return pop3_failed;
	s->exchange = mem_new(sizeof(*s->exchange));
	buf_init(&s->exchange->out, OUT_MAX);
	if (mechanism == SASL_USER)
		return begin_user(s, err);
	return begin_sasl(s, mechanism, err);
}

static struct protocol_action
logged_in(struct pop3 *s)
{
	pop3_end_login(s);
	return pop3_enter(s, LOGGED_IN, DO_LOGGED_IN);
}

/* Names the mechanism, and adds what the server said of the token. */
static struct protocol_action
auth_refused(struct pop3 *s, struct slice line, struct error *err)
{
	const struct sasl *sasl = &s->exchange->sasl;
	const char *reason = sasl_reason(sasl);
	struct error why;

	pop3_refused(s, ERROR_LOGIN, line, &why);
	if (reason[0] == '\0' || pop3_quotes_secret(s, slice_of(reason)))
		error_set(err, why.kind, "%s: %s", sasl_name(sasl->mechanism),
		    why.text);
	else
		error_set(err, why.kind, "%s: %s (%s)",
		    sasl_name(sasl->mechanism), why.text, reason);
	return pop3_failed;
}

static bool
cut_challenge(struct slice *line)
{
	if (slice_equal(*line, SLICE("+"))) {
		*line = SLICE("");
		return true;
	}
	if (!slice_cut_prefix(line, SLICE("+ ")))
		return false;
	*line = slice_trim(*line);
	return true;
}

static struct protocol_action
answer_challenge(struct pop3 *s, struct slice challenge, struct error *err)
{
	struct pop3_exchange *exchange = s->exchange;
	struct buf out;

	buf_init(&out, OUT_MAX);
	if (!sasl_respond(&exchange->sasl, challenge, &out, err)) {
		if (pop3_quotes_secret(s, slice_of(err->text)))
			error_set(err, err->kind,
			    "%s: (a challenge that quotes the password)",
			    sasl_name(exchange->sasl.mechanism));
		buf_wipe(&out);
		return pop3_failed;
	}
	buf_wipe(&exchange->out);
	exchange->out = out;
	return send_out(s, AUTH, true, err);
}

struct protocol_action
pop3_on_auth(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_is_ok(line)) {
		if (!sasl_accept(&s->exchange->sasl, err))
			return pop3_failed;
		return logged_in(s);
	}
	if (!cut_challenge(&line))
		return auth_refused(s, line, err);
	return answer_challenge(s, line, err);
}

struct protocol_action
pop3_on_user(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_LOGIN, line, err);
	buf_reset(&s->exchange->out);
	buf_add(&s->exchange->out, SLICE("PASS "));
	buf_add(&s->exchange->out, s->login->secret);
	return send_out(s, PASS, true, err);
}

struct protocol_action
pop3_on_pass(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_LOGIN, line, err);
	return logged_in(s);
}
