/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3.h"

#include "fetcher/pop3_machine.h"

#include <assert.h>
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
	[UTF8] = { "UTF8", pop3_on_utf8 },
	[AUTH] = { "AUTH", pop3_on_auth },
	[USER] = { "USER", pop3_on_user },
	[PASS] = { "PASS", pop3_on_pass },
	[LOGGED_IN] = { "logged in", NULL },
	[STAT] = { "STAT", pop3_on_stat },
	[UIDL] = { "UIDL", pop3_on_uidl },
	[UIDL_LIST] = { "UIDL list", pop3_on_uidl_list },
	[LIST] = { "LIST", pop3_on_list },
	[LIST_LIST] = { "LIST list", pop3_on_list_list },
	[READY] = { "ready", NULL },
	[RETR] = { "RETR", pop3_on_retr },
	[BODY] = { "message", NULL },
	[DELE] = { "DELE", pop3_on_dele },
	[NOOP] = { "NOOP", pop3_on_noop },
	[QUIT] = { "QUIT", pop3_on_quit },
	[CLOSED] = { "closed", NULL },
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

/* How servers without response codes say that the login is not at fault.  Not
 * "locked" alone: that may be the account, after too many logins. */
static const struct slice busy_words[] = {
	SLICE("maildrop already locked"), /* RFC 1939 */
	SLICE("lock maildrop"), /* RFC 1939: "unable to lock maildrop" */
	SLICE("maildrop lock"),
	SLICE("lock mailbox"),
	SLICE("mailbox is locked"),
	SLICE("mailbox in use"),
	SLICE("wait a few minutes"), /* InterMail */
	SLICE("temporar"),
};

const struct protocol_action pop3_failed = { .todo = DO_FAIL };

struct protocol_action
pop3_enter(struct pop3 *s, int state, enum protocol_do todo)
{
	s->state = state;
	return (struct protocol_action){ .todo = todo };
}

struct protocol_action
pop3_ask(struct pop3 *s, int next, const char *command)
{
	struct protocol_action action = pop3_enter(s, next, DO_SEND);

	action.text = slice_of(command);
	return action;
}

void
pop3_expect(struct pop3 *s, int state, uint32_t number)
{
	assert(s->n_due < POP3_WINDOW);
	s->due[(s->first_due + s->n_due) % POP3_WINDOW] =
	    (struct pop3_reply){ state, number };
	if (s->n_due++ == 0)
		s->state = state;
}

struct protocol_action
pop3_answered(struct pop3 *s, enum protocol_do todo)
{
	struct protocol_action action = { .todo = todo };

	assert(s->n_due > 0);
	action.number = s->due[s->first_due].number;
	s->first_due = (s->first_due + 1) % POP3_WINDOW;
	s->n_due--;
	s->state = s->n_due > 0 ? s->due[s->first_due].state : READY;
	return action;
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

struct protocol_action
pop3_broken(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_quotes_secret(s, line))
		line = SLICE("(a line that quotes the password)");
	error_set(err, ERROR_PROTOCOL, "unexpected reply (%s): \"%.*s\"",
	    states[s->state].name, SLICE_ARG(slice_first(line, 200)));
	return pop3_failed;
}

/* What the server's words mean, where `kind` is the usual reason. */
static enum error_kind
kind_of_refusal(enum error_kind kind, struct slice words)
{
	for (size_t i = 0; i < sizeof(response_codes) / sizeof(*response_codes);
	     i++) {
		if (slice_starts_nocase(words, response_codes[i].code))
			return response_codes[i].kind;
	}
	for (size_t i = 0; kind == ERROR_LOGIN &&
			   i < sizeof(busy_words) / sizeof(*busy_words);
	     i++) {
		if (slice_search_nocase(words, busy_words[i]) < words.len)
			return ERROR_RETRY;
	}
	return kind;
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
	kind = kind_of_refusal(kind, words);
	if (pop3_quotes_secret(s, words))
		words = SLICE("(its words quote the password)");
	error_set(err, kind, "server refused at %s: %.*s",
	    states[s->state].name, SLICE_ARG(slice_first(words, 300)));
	return pop3_failed;
}

static void
clear(void *m)
{
	pop3_end_login(m);
}

static void
init(void *m, const struct protocol_login *login)
{
	struct pop3 *s = m;

	clear(s);
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

unsigned
pop3_room(const void *m)
{
	const struct pop3 *s = m;

	if (s->state < READY || s->state >= QUIT)
		return 0;
	return (s->facts.pipelining ? POP3_WINDOW : 1) - s->n_due;
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

const struct protocol pop3_protocol = {
	.name = "POP3",
	.size = sizeof(struct pop3),
	.init = init,
	.state_name = pop3_state_name,
	.facts = facts,
	.line = line,
	.secured = pop3_secured,
	.room = pop3_room,
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
