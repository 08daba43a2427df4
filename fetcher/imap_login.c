/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_machine.h"

#include <assert.h>
#include <string.h>

enum { SHORT_LITERAL_MAX = 4096 }; /* RFC 7888 5: LITERAL- */

static struct protocol_action proceed(struct imap *, struct error *);

/* What is offered for the login is not said again after it. */
static void
forget_capabilities(struct imap *s)
{
	struct protocol_facts none = { .pipelining = true,
		.read_only = s->facts.read_only,
		.news = s->facts.news };

	/* It may come before the OK of the login. */
	if (s->logged_in || s->secret_sent) {
		none.starttls = s->facts.starttls;
		none.mechanisms = s->facts.mechanisms;
		none.login_disabled = s->facts.login_disabled;
	}
	s->facts = none;
	s->literal_minus = s->special_use = s->list_extended = false;
	s->capabilities = false;
}

static void
note_capability(struct imap *s, struct slice word)
{
	struct protocol_facts *f = &s->facts;
	const struct {
		struct slice name;
		bool *known;
	} names[] = {
		{ SLICE("IDLE"), &f->idle },
		{ SLICE("UIDPLUS"), &f->uidplus },
		{ SLICE("MOVE"), &f->move },
		{ SLICE("LITERAL+"), &f->literal_plus },
		{ SLICE("LITERAL-"), &s->literal_minus },
		{ SLICE("SASL-IR"), &f->sasl_ir },
		{ SLICE("ID"), &f->id },
		{ SLICE("UTF8=ACCEPT"), &f->utf8 },
		{ SLICE("SPECIAL-USE"), &s->special_use },
		{ SLICE("LIST-EXTENDED"), &s->list_extended },
		{ SLICE("STARTTLS"), &f->starttls },
		{ SLICE("LOGINDISABLED"), &f->login_disabled },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (slice_equal_nocase(word, names[i].name))
			*names[i].known = true;
	}
	if (slice_cut_prefix_nocase(&word, SLICE("AUTH=")))
		f->mechanisms |= sasl_offer(word);
}

void
imap_note_capabilities(struct imap *s, struct slice words)
{
	struct slice word;
	bool rev1 = false, rev2 = false;

	forget_capabilities(s);
	s->capabilities = true;
	while (slice_cut_word(&words, &word)) {
		note_capability(s, word);
		rev1 |= slice_equal_nocase(word, SLICE("IMAP4rev1"));
		rev2 |= slice_equal_nocase(word, SLICE("IMAP4rev2"));
	}
	/* RFC 9051 E: what goes without saying. */
	s->utf8_names = rev2 && !rev1;
	if (s->utf8_names) {
		s->facts.idle = s->facts.uidplus = s->facts.move = true;
		s->facts.sasl_ir = s->literal_minus = true;
	}
}

struct protocol_action
imap_on_capability(
    struct imap *s, uint32_t number, struct slice rest, struct error *err)
{
	(void)number;
	(void)err;
	imap_note_capabilities(s, rest);
	return imap_wait;
}

bool
imap_needs_tls(const struct imap *s)
{
	return s->login->account->protocol == PROTOCOL_IMAP &&
	       s->login->account->tls.mode == TLS_REQUIRED && !s->secured;
}

struct protocol_action
imap_on_greeting(
    struct imap *s, const struct imap_status *status, struct error *err)
{
	s->phase = LOGGING_IN;
	s->logged_in = status->condition == IMAP_PREAUTH;
	if (!s->logged_in || !imap_needs_tls(s))
		return proceed(s, err);
	/* STARTTLS is no longer possible (RFC 9051 7.1.4); and this is what
	 * somebody in between would say. */
	error_set(err, ERROR_TLS,
	    "server wants no login and no STARTTLS (PREAUTH); use protocol: "
	    "imaps");
	return imap_failed;
}

/* Whether quotes can hold it (RFC 9051 4.3); else it goes as a literal. */
static bool
is_quotable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] >= 0x80 || text.data[i] < 0x20)
			return false;
	}
	return text.len < 1024;
}

static void
add_login_word(struct imap *s, struct slice word)
{
	bool at_once = s->facts.literal_plus ||
		       (s->literal_minus && word.len <= SHORT_LITERAL_MAX);

	buf_add_byte(&s->command, ' ');
	if (is_quotable(word)) {
		buf_add_quoted(&s->command, word);
		return;
	}
	buf_printf(&s->command, "{%zu%s}\r\n", word.len, at_once ? "+" : "");
	if (!at_once)
		s->stops[s->n_stops++] = s->command.len;
	buf_add(&s->command, word);
}

static bool
is_one_line(struct slice s)
{
	return slice_find(s, '\r') == s.len && slice_find(s, '\n') == s.len &&
	       slice_find(s, '\0') == s.len;
}

static struct protocol_action
send_login(struct imap *s, struct error *err)
{
	struct slice user = slice_of(s->login->account->user);

	if (is_one_line(user) && is_one_line(s->login->secret)) {
		buf_add(imap_begin(s, LOGIN, 0), SLICE("LOGIN"));
		add_login_word(s, user);
		s->secret_at = s->command.len + 1;
		add_login_word(s, s->login->secret);
		buf_add(&s->command, SLICE("\r\n"));
		s->secret_sent = true;
		if (!buf_overflowed(&s->command))
			return imap_send(s);
	}
	error_set(err, ERROR_CONFIG,
	    "user or password is too long or holds a line break: nothing was "
	    "sent");
	return imap_failed;
}

static struct protocol_action
send_authenticate(
    struct imap *s, enum sasl_mechanism mechanism, struct error *err)
{
	const struct account *account = s->login->account;

	s->credentials = (struct sasl_credentials){ .user = account->user,
		.secret = s->login->secret,
		.host = account->host,
		.port = account->port };
	sasl_start(&s->sasl, mechanism, &s->credentials);
	buf_add(imap_begin(s, AUTHENTICATE, 0), SLICE("AUTHENTICATE "));
	s->secret_at = s->command.len + strlen(sasl_name(mechanism)) + 1;
	s->secret_sent = true;
	if (!sasl_command(
		&s->sasl, s->facts.sasl_ir ? SIZE_MAX : 0, &s->command, err))
		return imap_failed;
	buf_add(&s->command, SLICE("\r\n"));
	return imap_send(s);
}

static struct protocol_action
log_in(struct imap *s, struct error *err)
{
	unsigned offered = s->facts.mechanisms;
	enum sasl_mechanism mechanism;

	if (s->login->look) {
		s->phase = NO_FOLDER;
		return (struct protocol_action){ .todo = DO_LOGGED_IN };
	}
	if (!s->facts.login_disabled)
		offered |= SASL_OFFER_USER;
	if (!sasl_choose(s->login->account->auth, s->login->token, offered,
		&mechanism, err))
		return imap_failed;
	/* Only what is said after the login counts after it. */
	s->capabilities = false;
	if (mechanism == SASL_USER)
		return send_login(s, err);
	return send_authenticate(s, mechanism, err);
}

/* The next step of getting in, whatever came before. */
static struct protocol_action
proceed(struct imap *s, struct error *err)
{
	if (!s->capabilities) {
		imap_give(s, CAPABILITY, 0, "CAPABILITY");
		return imap_send(s);
	}
	if (imap_needs_tls(s) && s->facts.starttls) {
		imap_give(s, STARTTLS, 0, "STARTTLS");
		return imap_send(s);
	}
	if (imap_needs_tls(s)) {
		error_set(err, ERROR_TLS,
		    "server does not offer STARTTLS; use protocol: imaps");
		return imap_failed;
	}
	if (!s->logged_in)
		return log_in(s, err);
	/* 163.com opens no folder for clients without a name. */
	if (s->facts.id && !s->identified) {
		s->identified = true;
		imap_give(s, ID, 0, "ID (\"name\" \"Mailhaul\")");
		return imap_send(s);
	}
	s->phase = NO_FOLDER;
	return (struct protocol_action){ .todo = DO_LOGGED_IN };
}

struct protocol_action
imap_on_capability_reply(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "CAPABILITY", status, ERROR_RETRY, err);
	/* OK without a list: what is not offered is not used. */
	s->capabilities = true;
	return proceed(s, err);
}

struct protocol_action
imap_on_starttls(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "STARTTLS", status, ERROR_TLS, err);
	s->phase = HANDSHAKE;
	return (struct protocol_action){ .todo = DO_START_TLS };
}

struct protocol_action
imap_secured(void *m, struct error *err)
{
	struct imap *s = m;

	assert(s->phase == HANDSHAKE);
	s->phase = LOGGING_IN;
	s->secured = true;
	forget_capabilities(s);
	return proceed(s, err);
}

static struct protocol_action
logged_in(struct imap *s, struct error *err)
{
	buf_wipe(&s->command);
	s->sent = 0;
	s->secret_sent = false;
	sasl_clear(&s->sasl);
	s->logged_in = true;
	return proceed(s, err);
}

struct protocol_action
imap_on_login_literal(struct imap *s, struct slice words, struct error *err)
{
	if (s->sent == s->command.len)
		return imap_broken(s, words, err);
	return imap_send(s);
}

struct protocol_action
imap_on_login(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "LOGIN", status, ERROR_LOGIN, err);
	return logged_in(s, err);
}

struct protocol_action
imap_on_challenge(struct imap *s, struct slice words, struct error *err)
{
	buf_reset(&s->command);
	s->sent = s->secret_at = 0;
	if (!sasl_respond(&s->sasl, words, &s->command, err))
		return imap_failed;
	return imap_say(s, SLICE(""));
}

/* Names the mechanism, and adds what the server said of the token. */
static struct protocol_action
auth_refused(
    struct imap *s, const struct imap_status *status, struct error *err)
{
	struct slice reason = imap_showable(s, slice_of(sasl_reason(&s->sasl)));
	struct error why;

	imap_refused(s, "AUTHENTICATE", status, ERROR_LOGIN, &why);
	if (reason.len == 0)
		error_set(err, why.kind, "%s: %s", sasl_name(s->sasl.mechanism),
		    why.text);
	else
		error_set(err, why.kind, "%s: %s (%.*s)",
		    sasl_name(s->sasl.mechanism), why.text, SLICE_ARG(reason));
	return imap_failed;
}

struct protocol_action
imap_on_authenticate(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition == IMAP_OK) {
		if (!sasl_accept(&s->sasl, err))
			return imap_failed;
		return logged_in(s, err);
	}
	return auth_refused(s, status, err);
}

/* A courtesy: nothing depends on what the server thinks of it. */
struct protocol_action
imap_on_id(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	(void)status;
	return proceed(s, err);
}
