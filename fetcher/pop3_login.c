/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3_machine.h"

#include "base/digest.h"

#include <assert.h>
#include <string.h>

enum {
	AUTH_LINE_MAX = 255, /* RFC 5034 4: with CRLF, for a response in AUTH */
	CAPABILITIES_MAX = 256,
	/* User and password together: with two NULs, in base64, with CRLF. */
	SECRET_MAX = (POP3_COMMAND_MAX - 4) / 4 * 3 - 2,
};

/* False when a byte would end the command on the wire, or it is too long. */
static bool
fits_command(struct slice s)
{
	return slice_find(s, '\r') == s.len && slice_find(s, '\n') == s.len &&
	       slice_find(s, '\0') == s.len && s.len <= SECRET_MAX;
}

static struct protocol_action
send_auth_response(struct pop3 *s, const char *before, int next)
{
	char raw[SECRET_MAX + 2], blob[POP3_COMMAND_MAX];
	struct slice user = slice_of(s->login->account->user);
	struct slice password = s->login->secret;
	size_t len = 0;
	struct protocol_action action;

	raw[len++] = '\0';
	memcpy(raw + len, user.data, user.len);
	len += user.len;
	raw[len++] = '\0';
	if (password.len > 0)
		memcpy(raw + len, password.data, password.len);
	len += password.len;
	base64_write((struct slice){ (uint8_t *)raw, len }, blob, sizeof(blob));
	action = pop3_command(s, next, "%s%s", before, blob);
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

static struct protocol_action
login(struct pop3 *s, struct error *err)
{
	struct slice user = slice_of(s->login->account->user);
	struct slice password = s->login->secret;

	if (!fits_command(user) || !fits_command(password) ||
	    user.len + password.len > SECRET_MAX) {
		error_set(err, ERROR_CONFIG,
		    "user or password is too long or holds a line break: "
		    "nothing was sent");
		return pop3_failed;
	}
	if (!s->capa_plain)
		return pop3_command(
		    s, USER, "USER %s", s->login->account->user);
	if (is_auth_too_long(user.len, password.len))
		return pop3_command(s, AUTH, "AUTH PLAIN");
	return send_auth_response(s, "AUTH PLAIN ", AUTH);
}

static struct protocol_action
ask_capabilities(struct pop3 *s)
{
	s->facts = (struct protocol_facts){ 0 };
	s->capa_plain = false;
	s->listed = 0;
	return pop3_command(s, CAPA, "CAPA");
}

struct protocol_action
pop3_on_greeting(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	return ask_capabilities(s);
}

static struct protocol_action
after_capabilities(struct pop3 *s, struct error *err)
{
	if (s->secured || s->login->account->protocol != PROTOCOL_POP3 ||
	    s->login->account->tls.mode != TLS_REQUIRED)
		return login(s, err);
	if (s->facts.starttls)
		return pop3_command(s, STLS, "STLS");
	error_set(
	    err, ERROR_TLS, "server does not offer STLS; use protocol: pop3s");
	return pop3_failed;
}

struct protocol_action
pop3_on_capa(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_is_ok(line))
		return pop3_enter(s, CAPA_LIST, DO_WAIT);
	if (!pop3_is_refusal(line))
		return pop3_broken(s, line, err);
	/* It may know STLS without knowing CAPA: asking tells. */
	s->facts.starttls = true;
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

struct protocol_action
pop3_on_capa_list(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice words = line, name;

	if (pop3_is_list_end(line))
		return after_capabilities(s, err);
	if (++s->listed > CAPABILITIES_MAX) {
		error_set(err, ERROR_PROTOCOL, "CAPA list does not end");
		return pop3_failed;
	}
	if (slice_cut_word(&words, &name)) {
		if (slice_equal_nocase(name, SLICE("STLS")))
			s->facts.starttls = true;
		if (slice_equal_nocase(name, SLICE("SASL")))
			s->capa_plain = lists_word(words, SLICE("PLAIN"));
	}
	return pop3_enter(s, CAPA_LIST, DO_WAIT);
}

struct protocol_action
pop3_on_stls(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_TLS, line, err);
	return pop3_enter(s, HANDSHAKE, DO_START_TLS);
}

struct protocol_action
pop3_secured(void *m, struct error *err)
{
	struct pop3 *s = m;

	(void)err;
	assert(s->state == HANDSHAKE);
	s->secured = true;
	return ask_capabilities(s);
}

/* "+" also comes from servers that overlook the response in AUTH itself. */
struct protocol_action
pop3_on_auth(struct pop3 *s, struct slice line, struct error *err)
{
	if (slice_equal(slice_trim(line), SLICE("+")))
		return send_auth_response(s, "", AUTH_RESPONSE);
	if (pop3_is_ok(line) &&
	    is_auth_too_long(
		strlen(s->login->account->user), s->login->secret.len))
		return pop3_broken(s, line, err);
	return pop3_on_login(s, line, err);
}

struct protocol_action
pop3_on_user(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_LOGIN, line, err);
	return pop3_command(s, PASS, "PASS %.*s", SLICE_ARG(s->login->secret));
}

struct protocol_action
pop3_on_login(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_LOGIN, line, err);
	explicit_bzero(s->command, sizeof(s->command));
	return pop3_enter(s, LOGGED_IN, DO_LOGGED_IN);
}
