/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_machine.h"

#include <string.h>

static const struct {
	const char *name;
	imap_reply *on_reply;
	imap_continuation *on_continuation; /* NULL: "+" is not expected */
} kinds[] = {
	[CAPABILITY] = { "CAPABILITY", imap_on_capability_reply, NULL },
	[STARTTLS] = { "STARTTLS", imap_on_starttls, NULL },
	[LOGIN] = { "LOGIN", imap_on_login, imap_on_login_literal },
	[AUTHENTICATE] = { "AUTHENTICATE", imap_on_authenticate,
	    imap_on_challenge },
	[ID] = { "ID", imap_on_id, NULL },
	[LIST] = { "LIST", imap_on_list_reply, NULL },
	[SELECT] = { "SELECT", imap_on_select, NULL },
	[FETCH_ALL] = { "listing", imap_on_fetch_all, NULL },
	[NEWS] = { "NOOP", imap_on_news, NULL },
	[FETCH_NEW] = { "listing", imap_on_fetch_new, NULL },
	[NOOP] = { "NOOP", imap_on_noop, NULL },
	[IDLE] = { "IDLE", imap_on_idle, imap_on_idle_taken },
	[FETCH] = { "FETCH", imap_on_fetch_reply, NULL },
	[MARK] = { "STORE", imap_on_mark, NULL },
	[EXPUNGE] = { "UID EXPUNGE", imap_on_expunge, NULL },
	[EXPUNGE_NOTHING] = { "UID EXPUNGE", imap_on_expunge_nothing, NULL },
	[FLAG] = { "STORE", imap_on_disposed, NULL },
	[COPY] = { "COPY", imap_on_copy, NULL },
	[MOVE] = { "MOVE", imap_on_move, NULL },
	[EXPUNGE_MARKED] = { "EXPUNGE", imap_on_expunge_marked, NULL },
	[IGNORED] = { "CREATE", imap_on_ignored, NULL },
	[LOGOUT] = { "LOGOUT", imap_on_logout, NULL },
};

/* While no command is under way. */
static const char *const phase_names[] = {
	[GREETING] = "greeting",
	[HANDSHAKE] = "TLS handshake",
	[LOGGING_IN] = "login",
	[NO_FOLDER] = "logged in",
	[LISTING] = "listing",
	[READY] = "ready",
	[IDLING] = "IDLE",
	[LEAVING] = "LOGOUT",
};

static const struct {
	struct slice name;
	bool numbered;
	imap_data *on_data;
} data_names[] = {
	{ SLICE("LIST"), false, imap_on_list },
	{ SLICE("CAPABILITY"), false, imap_on_capability },
	{ SLICE("EXISTS"), true, imap_on_exists },
	{ SLICE("RECENT"), true, imap_on_recent },
	{ SLICE("EXPUNGE"), true, imap_on_expunged },
	{ SLICE("FETCH"), true, imap_on_fetch },
};

const struct protocol_action imap_failed = { .todo = DO_FAIL };
const struct protocol_action imap_wait = { .todo = DO_WAIT };
const struct protocol_action imap_ready = { .todo = DO_READY };

const char *
imap_kind_name(enum imap_kind kind)
{
	return kinds[kind].name;
}

const char *
imap_state_name(const void *m)
{
	const struct imap *s = m;

	return s->queued > 0 ? kinds[s->queue[0].kind].name
			     : phase_names[s->phase];
}

struct protocol_action
imap_broken(struct imap *s, struct slice line, struct error *err)
{
	if (s->phase == GREETING && slice_starts(line, SLICE("+OK"))) {
		error_set(err, ERROR_PROTOCOL,
		    "a POP3 server answers here; use protocol: pop3 or pop3s, "
		    "or another port");
		return imap_failed;
	}
	line = imap_showable(s, line);
	error_set(err, ERROR_PROTOCOL, "unexpected reply (%s): \"%.*s\"",
	    imap_state_name(s), SLICE_ARG(slice_first(line, 200)));
	return imap_failed;
}

/* Whether `word` or "\*" (any keyword) is among the flags. */
static bool
lists_flag(struct slice flags, struct slice word)
{
	struct imap_token token;

	while (imap_cut_token(&flags, &token)) {
		if (slice_equal_nocase(token.text, word) ||
		    slice_equal(token.text, SLICE("\\*")))
			return true;
	}
	return false;
}

/* A folder that was made anew while it was open: the UIDs name other
 * messages. */
static bool
note_uidvalidity(struct imap *s, struct slice digits, struct error *err)
{
	uint64_t value = 0;

	slice_cut_number(&digits, INT64_MAX, &value);
	if (s->uidvalidity == value || imap_find(s, SELECT, 0) != NULL) {
		s->uidvalidity = value;
		return true;
	}
	return error_set(
	    err, ERROR_RETRY, "UIDVALIDITY changed while the folder was open");
}

/* Response codes that say something about a folder, or what is offered. */
static bool
note_code(struct imap *s, const struct imap_status *status, struct error *err)
{
	if (slice_equal_nocase(status->code, SLICE("CAPABILITY")))
		imap_note_capabilities(s, status->arguments);
	if (slice_equal_nocase(status->code, SLICE("UIDNOTSTICKY")))
		s->uids_stay = false;
	if (slice_equal_nocase(status->code, SLICE("PERMANENTFLAGS")))
		s->keyword_lost = !lists_flag(status->arguments,
		    slice_of(s->login->account->dispose.text));
	if (slice_equal_nocase(status->code, SLICE("UIDVALIDITY")))
		return note_uidvalidity(s, status->arguments, err);
	return true;
}

static struct protocol_action
on_status(struct imap *s, const struct imap_status *status, struct slice line,
    struct error *err)
{
	bool greeting = s->phase == GREETING;

	if (!note_code(s, status, err))
		return imap_failed;
	imap_note_alert(
	    s, status, status->condition == IMAP_BYE && s->phase != LEAVING);
	if (status->condition == IMAP_BYE && s->phase == LEAVING)
		return (struct protocol_action){ .todo = DO_CLOSE };
	if (status->condition == IMAP_BYE)
		return imap_refused(
		    s, imap_state_name(s), status, ERROR_RETRY, err);
	if (greeting &&
	    (status->condition == IMAP_OK || status->condition == IMAP_PREAUTH))
		return imap_on_greeting(s, status, err);
	if (greeting || status->condition == IMAP_PREAUTH)
		return imap_broken(s, line, err);
	return imap_wait;
}

/* What we did not ask for is not for us. */
static struct protocol_action
on_data(struct imap *s, struct slice rest, struct error *err)
{
	struct slice line = rest, name;
	uint64_t number = 0;
	bool numbered = slice_cut_number(&rest, UINT32_MAX, &number);

	if (!slice_cut_word(&rest, &name))
		return imap_broken(s, line, err);
	for (size_t i = 0; i < sizeof(data_names) / sizeof(*data_names); i++) {
		if (data_names[i].numbered == numbered &&
		    slice_equal_nocase(name, data_names[i].name))
			return data_names[i].on_data(
			    s, (uint32_t)number, rest, err);
	}
	return imap_wait;
}

static struct protocol_action
on_untagged(struct imap *s, struct slice rest, struct error *err)
{
	struct imap_status status;

	if (++s->untagged > IMAP_UNTAGGED_MAX) {
		error_set(err, ERROR_PROTOCOL,
		    "server talks without end (%s): \"%.*s\"",
		    imap_state_name(s), SLICE_ARG(slice_first(rest, 200)));
		return imap_failed;
	}
	if (imap_read_status(rest, &status))
		return on_status(s, &status, rest, err);
	if (s->phase == GREETING)
		return imap_broken(s, rest, err);
	return on_data(s, rest, err);
}

static struct protocol_action
on_tagged(struct imap *s, struct slice line, struct error *err)
{
	struct slice rest = line;
	struct imap_status status;
	struct imap_command command;
	uint64_t tag;

	if (!slice_cut_prefix(&rest, SLICE("A")) ||
	    !slice_cut_number(&rest, UINT32_MAX, &tag) ||
	    !slice_cut_prefix(&rest, SLICE(" ")) ||
	    !imap_read_status(rest, &status) || status.condition > IMAP_BAD)
		return imap_broken(s, line, err);
	if (!note_code(s, &status, err))
		return imap_failed;
	imap_note_alert(s, &status, status.condition != IMAP_OK);
	if (!imap_take(s, (uint32_t)tag, &command))
		return imap_broken(s, line, err);
	s->untagged = 0;
	/* An action borrows nothing from them. */
	/* cppcheck-suppress returnDanglingLifetime */
	return kinds[command.kind].on_reply(s, &command, &status, err);
}

static struct protocol_action
dispatch(struct imap *s, struct slice text, struct error *err)
{
	struct slice rest = text;

	if (slice_cut_prefix(&rest, SLICE("* ")))
		return on_untagged(s, rest, err);
	if (!slice_cut_prefix(&rest, SLICE("+")))
		return on_tagged(s, text, err);
	if (s->queued == 0 || kinds[s->queue[0].kind].on_continuation == NULL)
		return imap_broken(s, text, err);
	return kinds[s->queue[0].kind].on_continuation(
	    s, slice_trim(rest), err);
}

/* Words for people may end in what looks like the size of a literal. */
static bool
may_have_literals(struct slice text)
{
	struct imap_status status;

	return slice_cut_prefix(&text, SLICE("* ")) &&
	       !imap_read_status(text, &status);
}

/* Whether the text ends where the literal of a message begins. */
static bool
awaits_message(struct imap *s, struct slice text)
{
	struct slice name;
	uint64_t sequence;

	return slice_cut_prefix(&text, SLICE("* ")) &&
	       slice_cut_number(&text, UINT32_MAX, &sequence) &&
	       slice_cut_word(&text, &name) &&
	       slice_equal_nocase(name, SLICE("FETCH")) &&
	       imap_open_fetch(&text, &s->fetch) &&
	       imap_read_fetch(&text, &s->fetch) &&
	       s->fetch.body == IMAP_BODY_NEXT;
}

/* The bytes of other literals are kept with their response. */
static struct protocol_action
begin_literal(
    struct imap *s, struct slice line, uint64_t size, struct error *err)
{
	if (size > IMAP_LITERAL_MAX) {
		error_set(err, ERROR_PROTOCOL,
		    "literal too large (%s): \"%.*s\"", imap_state_name(s),
		    SLICE_ARG(slice_first(line, 200)));
		return imap_failed;
	}
	if (s->response.len == 0)
		buf_add(&s->response, line);
	buf_add(&s->response, SLICE("\r\n"));
	s->dispatched = false;
	s->literal = size;
	if (size == 0)
		return imap_wait;
	s->reading = LITERAL;
	return (struct protocol_action){ .todo = DO_BODY, .size = size };
}

static struct protocol_action
on_line(void *m, struct slice line, struct error *err)
{
	struct imap *s = m;
	struct slice text = line, before;
	uint64_t size;

	s->facts.alert = SLICE("");
	if (s->phase == HANDSHAKE)
		return imap_broken(s, line, err);
	if (s->dispatched)
		buf_clear(&s->response);
	s->dispatched = true;
	if (s->response.len > 0) {
		buf_add(&s->response, line);
		text = buf_slice(&s->response);
	}
	if (buf_overflowed(&s->response))
		return imap_broken(s, slice_first(text, 100), err);
	before = text;
	if (!may_have_literals(text))
		return dispatch(s, text, err);
	switch (imap_cut_literal(&before, &size)) {
	case IMAP_NO_LITERAL:
		return dispatch(s, text, err);
	case IMAP_BAD_LITERAL:
		return imap_broken(s, text, err);
	case IMAP_LITERAL:
		break;
	}
	if (size > 0 && awaits_message(s, before))
		return imap_begin_message(s, text, size, err);
	return begin_literal(s, text, size, err);
}

static const struct protocol_facts *
facts(const void *m)
{
	const struct imap *s = m;

	return &s->facts;
}

static unsigned
room(const void *m)
{
	const struct imap *s = m;

	return s->phase == READY ? IMAP_WINDOW - s->calls : 0;
}

static bool
busy(const void *m)
{
	const struct imap *s = m;

	return s->queued > 0 || s->phase == GREETING || s->phase == HANDSHAKE;
}

static void
clear(void *m)
{
	struct imap *s = m;

	buf_wipe(&s->command);
	buf_clear(&s->response);
	buf_clear(&s->name);
	sasl_clear(&s->sasl);
}

static void
init(void *m, const struct protocol_login *login)
{
	struct imap *s = m;

	clear(s);
	*s = (struct imap){ .login = login, .phase = GREETING };
	buf_init(&s->command, IMAP_COMMAND_MAX);
	buf_init(&s->response, IMAP_RESPONSE_MAX);
	buf_init(&s->name, IMAP_LITERAL_MAX);
}

const struct protocol imap_protocol = {
	.name = "IMAP",
	.size = sizeof(struct imap),
	.init = init,
	.state_name = imap_state_name,
	.facts = facts,
	.line = on_line,
	.secured = imap_secured,
	.room = room,
	.busy = busy,
	.folders = imap_folders,
	.open = imap_open,
	.refresh = imap_refresh,
	.retrieve = imap_retrieve,
	.dispose = imap_dispose,
	.noop = imap_noop,
	.idle = imap_idle,
	.rouse = imap_rouse,
	.quit = imap_quit,
	.body = imap_body,
	.body_done = imap_body_done,
	.clear = clear,
};
