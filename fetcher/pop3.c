/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3.h"

#include "base/digest.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	AUTH_LINE_MAX = 255, /* RFC 5034 4: with CRLF, for a response in AUTH */
	CAPABILITIES_MAX = 256,
	SECRET_MAX = POP3_COMMAND_MAX * 3 / 4 - 3, /* what base64 lets fit */
};

/* Each state is named after the reply it waits for. */
enum {
	GREETING,
	CAPA,
	CAPA_LIST,
	STLS,
	HANDSHAKE,
	AUTH,
	AUTH_RESPONSE,
	USER,
	PASS,
	STAT,
	UIDL,
	UIDL_LIST,
	LIST,
	LIST_LIST,
	READY,
	RETR,
	BODY,
	DELE,
	NOOP,
	QUIT,
};

typedef struct pop3_action
line_handler(struct pop3 *, struct slice line, struct error *);

static line_handler on_greeting, on_capa, on_capa_list, on_stls, on_auth,
    on_login, on_user, on_stat, on_uidl, on_uidl_list, on_list, on_list_list,
    on_retr, on_dele, on_noop, on_quit;

static const struct {
	const char *name;
	line_handler *on_line; /* NULL: the server has nothing to say now */
} states[] = {
	[GREETING] = { "greeting", on_greeting },
	[CAPA] = { "CAPA", on_capa },
	[CAPA_LIST] = { "CAPA list", on_capa_list },
	[STLS] = { "STLS", on_stls },
	[HANDSHAKE] = { "TLS handshake", NULL },
	[AUTH] = { "AUTH PLAIN", on_auth },
	[AUTH_RESPONSE] = { "AUTH PLAIN", on_login },
	[USER] = { "USER", on_user },
	[PASS] = { "PASS", on_login },
	[STAT] = { "STAT", on_stat },
	[UIDL] = { "UIDL", on_uidl },
	[UIDL_LIST] = { "UIDL list", on_uidl_list },
	[LIST] = { "LIST", on_list },
	[LIST_LIST] = { "LIST list", on_list_list },
	[READY] = { "ready", NULL },
	[RETR] = { "RETR", on_retr },
	[BODY] = { "message", NULL },
	[DELE] = { "DELE", on_dele },
	[NOOP] = { "NOOP", on_noop },
	[QUIT] = { "QUIT", on_quit },
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

static const struct pop3_action failed = { .todo = POP3_FAIL };

static struct pop3_action
enter(struct pop3 *s, int state, enum pop3_do todo)
{
	s->state = state;
	return (struct pop3_action){ .todo = todo, .number = s->number };
}

/* Sends a command of our own making and awaits its reply. */
static struct pop3_action __attribute__((format(printf, 3, 4)))
command(struct pop3 *s, int next, const char *fmt, ...)
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
	return (struct pop3_action){
		.todo = POP3_SEND,
		.number = s->number,
		.text = slice_of(s->command),
		.secret = next == PASS || next == AUTH || next == AUTH_RESPONSE,
	};
}

static bool
is_ok(struct slice line)
{
	return slice_cut_prefix_nocase(&line, SLICE("+OK"));
}

static bool
is_refusal(struct slice line)
{
	return slice_cut_prefix_nocase(&line, SLICE("-ERR"));
}

static bool
is_list_end(struct slice line)
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
	       (s->login->password.len > 0 &&
		   slice_search_nocase(line, s->login->password) < line.len);
}

/* The reply is not what the protocol allows here. */
static struct pop3_action
broken(struct pop3 *s, struct slice line, struct error *err)
{
	if (quotes_secret(s, line))
		line = SLICE("(a line that quotes the password)");
	error_set(err, ERROR_PROTOCOL, "unexpected reply (%s): \"%.*s\"",
	    states[s->state].name, SLICE_ARG(slice_first(line, 200)));
	return failed;
}

/* The server said no, in its own words; `kind` unless a code knows better. */
static struct pop3_action
refused(
    struct pop3 *s, enum error_kind kind, struct slice line, struct error *err)
{
	struct slice words = line;

	if (!is_refusal(line))
		return broken(s, line, err);
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
	return failed;
}

/* False when a byte would end the command on the wire, or it is too long. */
static bool
fits_command(struct slice s)
{
	return slice_find(s, '\r') == s.len && slice_find(s, '\n') == s.len &&
	       slice_find(s, '\0') == s.len && s.len <= SECRET_MAX;
}

static struct pop3_action
send_auth_response(struct pop3 *s, const char *before, int next)
{
	char raw[SECRET_MAX + 2], blob[POP3_COMMAND_MAX];
	struct slice user = slice_of(s->login->user);
	struct slice password = s->login->password;
	size_t len = 0;
	struct pop3_action action;

	raw[len++] = '\0';
	memcpy(raw + len, user.data, user.len);
	len += user.len;
	raw[len++] = '\0';
	if (password.len > 0)
		memcpy(raw + len, password.data, password.len);
	len += password.len;
	base64_write((struct slice){ (uint8_t *)raw, len }, blob, sizeof(blob));
	action = command(s, next, "%s%s", before, blob);
	explicit_bzero(raw, sizeof(raw));
	explicit_bzero(blob, sizeof(blob));
	return action;
}

/* Whether "AUTH PLAIN " and the response make too long a line. */
static bool
is_auth_too_long(size_t user_len, size_t password_len)
{
	size_t base64_len = (user_len + password_len + 2 + 2) / 3 * 4;

	return sizeof("AUTH PLAIN ") - 1 + base64_len + 2 > AUTH_LINE_MAX;
}

static struct pop3_action
login(struct pop3 *s, struct error *err)
{
	struct slice user = slice_of(s->login->user);
	struct slice password = s->login->password;

	if (!fits_command(user) || !fits_command(password) ||
	    user.len + password.len > SECRET_MAX) {
		error_set(err, ERROR_CONFIG,
		    "user or password is too long or holds a line break: "
		    "nothing was sent");
		return failed;
	}
	if (!s->capa_plain)
		return command(s, USER, "USER %s", s->login->user);
	if (is_auth_too_long(user.len, password.len))
		return command(s, AUTH, "AUTH PLAIN");
	return send_auth_response(s, "AUTH PLAIN ", AUTH);
}

static struct pop3_action
ask_capabilities(struct pop3 *s)
{
	s->capa_stls = false;
	s->capa_plain = false;
	s->listed = 0;
	return command(s, CAPA, "CAPA");
}

static struct pop3_action
on_greeting(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return refused(s, ERROR_RETRY, line, err);
	return ask_capabilities(s);
}

static struct pop3_action
after_capabilities(struct pop3 *s, struct error *err)
{
	if (!s->login->starttls || s->secured)
		return login(s, err);
	if (s->capa_stls)
		return command(s, STLS, "STLS");
	error_set(
	    err, ERROR_TLS, "server does not offer STLS; use protocol: pop3s");
	return failed;
}

static struct pop3_action
on_capa(struct pop3 *s, struct slice line, struct error *err)
{
	if (is_ok(line))
		return enter(s, CAPA_LIST, POP3_WAIT);
	if (!is_refusal(line))
		return broken(s, line, err);
	/* It may know STLS without knowing CAPA: asking tells. */
	s->capa_stls = true;
	return after_capabilities(s, err);
}

static bool
lists_word(struct slice words, struct slice wanted)
{
	struct slice word;

	while (slice_cut_word(&words, &word)) {
		if (slice_equal_nocase(word, wanted))
			return true;
	}
	return false;
}

static struct pop3_action
on_capa_list(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice words = line, name;

	if (is_list_end(line))
		return after_capabilities(s, err);
	if (++s->listed > CAPABILITIES_MAX) {
		error_set(err, ERROR_PROTOCOL, "CAPA list does not end");
		return failed;
	}
	if (slice_cut_word(&words, &name)) {
		if (slice_equal_nocase(name, SLICE("STLS")))
			s->capa_stls = true;
		if (slice_equal_nocase(name, SLICE("SASL")))
			s->capa_plain = lists_word(words, SLICE("PLAIN"));
	}
	return enter(s, CAPA_LIST, POP3_WAIT);
}

static struct pop3_action
on_stls(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return refused(s, ERROR_TLS, line, err);
	return enter(s, HANDSHAKE, POP3_START_TLS);
}

struct pop3_action
pop3_secured(struct pop3 *s, struct error *err)
{
	(void)err;
	assert(s->state == HANDSHAKE);
	s->secured = true;
	return ask_capabilities(s);
}

/* "+" also comes from servers that overlook the response in AUTH itself. */
static struct pop3_action
on_auth(struct pop3 *s, struct slice line, struct error *err)
{
	if (slice_equal(slice_trim(line), SLICE("+")))
		return send_auth_response(s, "", AUTH_RESPONSE);
	if (is_ok(line) &&
	    is_auth_too_long(strlen(s->login->user), s->login->password.len))
		return broken(s, line, err);
	return on_login(s, line, err);
}

static struct pop3_action
on_user(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return refused(s, ERROR_LOGIN, line, err);
	return command(s, PASS, "PASS %.*s", SLICE_ARG(s->login->password));
}

static struct pop3_action
on_login(struct pop3 *s, struct slice line, struct error *err)
{
	struct pop3_action action;

	if (!is_ok(line))
		return refused(s, ERROR_LOGIN, line, err);
	explicit_bzero(s->command, sizeof(s->command));
	action = command(s, STAT, "STAT");
	action.todo = POP3_LOGGED_IN;
	return action;
}

static struct pop3_action
on_stat(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice rest = line;
	uint64_t count;

	if (!is_ok(line))
		return refused(s, ERROR_RETRY, line, err);
	rest = slice_trim(slice_from(rest, sizeof("+OK") - 1));
	if (!slice_cut_number(&rest, POP3_MESSAGES_MAX, &count) ||
	    (rest.len > 0 && !byte_is_space(rest.data[0])))
		return broken(s, line, err);
	s->expected = (uint32_t)count;
	if (count == 0)
		return enter(s, READY, POP3_READY);
	return command(s, UIDL, "UIDL");
}

static struct pop3_action
start_list(struct pop3 *s, int list)
{
	s->listed = 0;
	return enter(s, list, POP3_WAIT);
}

static struct pop3_action
on_uidl(struct pop3 *s, struct slice line, struct error *err)
{
	if (is_ok(line))
		return start_list(s, UIDL_LIST);
	refused(s, ERROR_CONFIG, line, err);
	if (err->kind == ERROR_CONFIG)
		error_prefix(err, "mailbox cannot be used without UIDL");
	return failed;
}

/* The number in front of a list entry, which must be the next one. */
static bool
cut_entry_number(struct pop3 *s, struct slice *entry)
{
	uint64_t number;

	if (!slice_cut_number(entry, s->expected, &number) ||
	    number != s->listed + 1 || !slice_cut_prefix(entry, SLICE(" ")))
		return false;
	s->listed = (uint32_t)number;
	*entry = slice_trim(*entry);
	return true;
}

static bool
is_complete(const struct pop3 *s, struct error *err)
{
	if (s->listed == s->expected)
		return true;
	return error_set(err, ERROR_PROTOCOL,
	    "%s incomplete: %u entries, but STAT said %u",
	    states[s->state].name, s->listed, s->expected);
}

static struct pop3_action
on_uidl_list(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice uid = line;

	if (is_list_end(line)) {
		if (!is_complete(s, err))
			return failed;
		return command(s, LIST, "LIST");
	}
	if (!cut_entry_number(s, &uid) || uid.len == 0 ||
	    uid.len > POP3_UID_MAX || !slice_all(uid, byte_is_graphic))
		return broken(s, line, err);
	return (struct pop3_action){
		.todo = POP3_LISTED, .number = s->listed, .text = uid
	};
}

static struct pop3_action
on_list(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return refused(s, ERROR_RETRY, line, err);
	return start_list(s, LIST_LIST);
}

static struct pop3_action
on_list_list(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice rest = line;
	struct pop3_action action = { .todo = POP3_SIZED };

	if (is_list_end(line)) {
		if (!is_complete(s, err))
			return failed;
		return enter(s, READY, POP3_READY);
	}
	/* RFC 1939 lets a server say more after the size. */
	if (!cut_entry_number(s, &rest) ||
	    !slice_cut_number(&rest, INT64_MAX, &action.size) ||
	    (rest.len > 0 && !byte_is_space(rest.data[0])))
		return broken(s, line, err);
	action.number = s->listed;
	return action;
}

static struct pop3_action
message_command(struct pop3 *s, int next, uint32_t number)
{
	assert(s->state == READY && number >= 1 && number <= s->expected);
	s->number = number;
	return command(s, next, "%s %u", states[next].name, number);
}

struct pop3_action
pop3_retrieve(struct pop3 *s, uint32_t number, struct error *err)
{
	(void)err;
	return message_command(s, RETR, number);
}

struct pop3_action
pop3_delete(struct pop3 *s, uint32_t number, struct error *err)
{
	(void)err;
	return message_command(s, DELE, number);
}

/* A message may have gone; that is no reason to leave the others. */
static struct pop3_action
message_refused(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_refusal(line))
		return broken(s, line, err);
	refused(s, ERROR_REFUSED, line, err);
	return enter(s, READY, POP3_REFUSED);
}

static struct pop3_action
on_retr(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return message_refused(s, line, err);
	return enter(s, BODY, POP3_BODY);
}

struct pop3_action
pop3_body_done(struct pop3 *s, struct error *err)
{
	(void)err;
	assert(s->state == BODY);
	return enter(s, READY, POP3_READY);
}

static struct pop3_action
on_dele(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return message_refused(s, line, err);
	return enter(s, READY, POP3_DELETED);
}

struct pop3_action
pop3_noop(struct pop3 *s, struct error *err)
{
	(void)err;
	assert(s->state == READY);
	return command(s, NOOP, "NOOP");
}

static struct pop3_action
on_noop(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return refused(s, ERROR_RETRY, line, err);
	return enter(s, READY, POP3_READY);
}

struct pop3_action
pop3_quit(struct pop3 *s, struct error *err)
{
	(void)err;
	assert(s->state == READY);
	return command(s, QUIT, "QUIT");
}

/* -ERR: "some deleted messages not removed" (RFC 1939 6). */
static struct pop3_action
on_quit(struct pop3 *s, struct slice line, struct error *err)
{
	if (!is_ok(line))
		return refused(s, ERROR_RETRY, line, err);
	return enter(s, QUIT, POP3_CLOSE);
}

void
pop3_init(struct pop3 *s, const struct pop3_login *login_data)
{
	*s = (struct pop3){ .login = login_data, .state = GREETING };
}

const char *
pop3_state_name(const struct pop3 *s)
{
	return states[s->state].name;
}

struct pop3_action
pop3_line(struct pop3 *s, struct slice line, struct error *err)
{
	if (states[s->state].on_line == NULL)
		return broken(s, line, err);
	return states[s->state].on_line(s, line, err);
}

void
pop3_clear(struct pop3 *s)
{
	explicit_bzero(s->command, sizeof(s->command));
}
