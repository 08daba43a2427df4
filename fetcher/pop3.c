/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3.h"

#include "fetcher/pop3_machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	pop3_handler *on_line; /* NULL: the server has nothing to say now */
} states[] = {
	[GREETING] = { "greeting", pop3_on_greeting },
	[CAPA] = { "CAPA", pop3_on_capa },
	[CAPA_LIST] = { "CAPA list", pop3_on_capa_list },
	[STLS] = { "STLS", pop3_on_stls },
	[HANDSHAKE] = { "TLS handshake", NULL },
	[AUTH] = { "AUTH PLAIN", pop3_on_auth },
	[AUTH_RESPONSE] = { "AUTH PLAIN", pop3_on_login },
	[USER] = { "USER", pop3_on_user },
	[PASS] = { "PASS", pop3_on_login },
	[STAT] = { "STAT", pop3_on_stat },
	[UIDL] = { "UIDL", pop3_on_uidl },
	[UIDL_LIST] = { "UIDL list", pop3_on_uidl_list },
	[LIST] = { "LIST", pop3_on_list },
	[LIST_LIST] = { "LIST list", pop3_on_list_list },
	[LOGGED_IN] = { "logged in", NULL },
	[READY] = { "ready", NULL },
	[RETR] = { "RETR", pop3_on_retr },
	[BODY] = { "message", NULL },
	[DELE] = { "DELE", pop3_on_dele },
	[NOOP] = { "NOOP", pop3_on_noop },
	[QUIT] = { "QUIT", pop3_on_quit },
};

/* What a response code (RFC 2449 8, RFC 3206) says about trying again. */
static const struct {
	struct slice code;
	enum error_kind kind;
} response_codes[] = {
	{ SLICE("[IN-USE]"), ERROR_RETRY },
	{ SLICE("[LOGIN-DELAY]"), ERROR_RETRY },
	{ SLICE("[SYS/TEMP]"), ERROR_RETRY },
	{ SLICE("[SYS/PERM]"), ERROR_REFUSED },
	{ SLICE("[AUTH]"), ERROR_LOGIN },
};

const struct protocol_action pop3_failed = { .todo = DO_FAIL };

struct protocol_action
pop3_enter(struct pop3 *s, int state, enum protocol_do todo)
{
	s->state = state;
	return (struct protocol_action){ .todo = todo, .number = s->number };
}

struct protocol_action
pop3_command(struct pop3 *s, int next, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(s->command, sizeof(s->command) - 1, fmt, ap);
	va_end(ap);
	/* Arguments are numbers, or were measured by login(). */
	assert(len >= 0 && (size_t)len < sizeof(s->command) - 2);
	memcpy(s->command + len, "\r\n", 3);
	s->state = next;
	return (struct protocol_action){
		.todo = DO_SEND,
		.number = s->number,
		.text = slice_of(s->command),
		.secret = next == PASS || next == AUTH || next == AUTH_RESPONSE,
	};
}

bool
pop3_is_ok(struct slice line)
{
	return slice_cut_prefix_nocase(&line, SLICE("+OK"));
}

bool
pop3_is_refusal(struct slice line)
{
	return slice_cut_prefix_nocase(&line, SLICE("-ERR"));
}

bool
pop3_is_list_end(struct slice line)
{
	return slice_equal(line, SLICE("."));
}

/* The base64 of user and password in the command just sent; empty if none. */
static struct slice
auth_response(const struct pop3 *s)
{
	struct slice sent = slice_trim(slice_of(s->command));

	if (s->state == AUTH && slice_cut_prefix(&sent, SLICE("AUTH PLAIN ")))
		return sent;
	return s->state == AUTH_RESPONSE ? sent : SLICE("");
}

/* Some servers quote the line they did not understand, password and all. */
static bool
quotes_secret(const struct pop3 *s, struct slice line)
{
	struct slice response = auth_response(s);

	if (s->state != PASS && s->state != AUTH && s->state != AUTH_RESPONSE)
		return false;
	return (response.len > 0 &&
		   slice_search_nocase(line, response) < line.len) ||
	       (s->login->secret.len > 0 &&
		   slice_search_nocase(line, s->login->secret) < line.len);
}

struct protocol_action
pop3_broken(struct pop3 *s, struct slice line, struct error *err)
{
	if (quotes_secret(s, line))
		line = SLICE("(a line that quotes the password)");
	error_set(err, ERROR_PROTOCOL, "unexpected reply (%s): \"%.*s\"",
	    states[s->state].name, SLICE_ARG(slice_first(line, 200)));
	return pop3_failed;
}

struct protocol_action
pop3_refused(
    struct pop3 *s, enum error_kind kind, struct slice line, struct error *err)
{
	struct slice words = line;

	if (!pop3_is_refusal(line))
		return pop3_broken(s, line, err);
	slice_cut_prefix_nocase(&words, SLICE("-ERR"));
	words = slice_trim(words);
	for (size_t i = 0; i < sizeof(response_codes) / sizeof(*response_codes);
	     i++) {
		if (slice_starts_nocase(words, response_codes[i].code))
			kind = response_codes[i].kind;
	}
	if (quotes_secret(s, words))
		words = SLICE("(its words quote the password)");
	error_set(err, kind, "server refused at %s: %.*s",
	    states[s->state].name, SLICE_ARG(slice_first(words, 300)));
	return pop3_failed;
}

static void
init(void *m, const struct protocol_login *login)
{
	struct pop3 *s = m;

	*s = (struct pop3){ .login = login, .state = GREETING };
}

const char *
pop3_state_name(const void *m)
{
	const struct pop3 *s = m;

	return states[s->state].name;
}

static const struct protocol_facts *
facts(const void *m)
{
	const struct pop3 *s = m;

	return &s->facts;
}

static struct protocol_action
line(void *m, struct slice text, struct error *err)
{
	struct pop3 *s = m;

	if (states[s->state].on_line == NULL)
		return pop3_broken(s, text, err);
	return states[s->state].on_line(s, text, err);
}

static unsigned
room(const void *m)
{
	const struct pop3 *s = m;

	return s->state == READY;
}

static bool
busy(const void *m)
{
	const struct pop3 *s = m;

	return states[s->state].on_line != NULL || s->state == BODY;
}

static bool
body(void *m, struct slice in, size_t *used, uint8_t *out, size_t *out_len)
{
	struct pop3 *s = m;

	return pop3_body_feed(&s->body, in, used, out, out_len);
}

static void
clear(void *m)
{
	struct pop3 *s = m;

	explicit_bzero(s->command, sizeof(s->command));
}

const struct protocol pop3_protocol = {
	.name = "POP3",
	.size = sizeof(struct pop3),
	.init = init,
	.state_name = pop3_state_name,
	.facts = facts,
	.line = line,
	.secured = pop3_secured,
	.room = room,
	.busy = busy,
	.open = pop3_open,
	.retrieve = pop3_retrieve,
	.dispose = pop3_dispose,
	.noop = pop3_noop,
	.quit = pop3_quit,
	.body = body,
	.body_done = pop3_body_done,
	.clear = clear,
};
