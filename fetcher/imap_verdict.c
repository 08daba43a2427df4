/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_machine.h"

/* What is said about trying again: response codes (RFC 5530; RFC 3501 7.1), and
 * words of servers that have no code for it.  `session`: not only this request
 * is concerned. */
static const struct {
	struct slice text;
	enum error_kind kind;
	bool session;
} codes[] = {
	{ SLICE("AUTHENTICATIONFAILED"), ERROR_LOGIN, false },
	{ SLICE("AUTHORIZATIONFAILED"), ERROR_LOGIN, false },
	{ SLICE("EXPIRED"), ERROR_LOGIN, false },
	{ SLICE("WEBALERT"), ERROR_LOGIN, false }, /* Gmail */
	{ SLICE("PRIVACYREQUIRED"), ERROR_TLS, true },
	{ SLICE("CONTACTADMIN"), ERROR_REFUSED, false },
	{ SLICE("NOPERM"), ERROR_REFUSED, false },
	{ SLICE("UNAVAILABLE"), ERROR_RETRY, true },
	{ SLICE("INUSE"), ERROR_RETRY, false },
	{ SLICE("SERVERBUG"), ERROR_RETRY, false },
	{ SLICE("EXPUNGEISSUED"), ERROR_RETRY, false },
	{ SLICE("LIMIT"), ERROR_RETRY, false },
	{ SLICE("OVERQUOTA"), ERROR_RETRY, false },
	{ SLICE("THROTTLED"), ERROR_RETRY, true }, /* Gmail */
}, phrases[] = {
	{ SLICE("Suggested Backoff Time"), ERROR_RETRY, true }, /* Microsoft */
	{ SLICE("Request is throttled"), ERROR_RETRY, true },
	{ SLICE("authenticated but not connected"), ERROR_RETRY, true },
	{ SLICE("Too many simultaneous connections"), ERROR_RETRY, true },
};

struct slice
imap_showable(const struct imap *s, struct slice line)
{
	struct slice secret = s->login->secret;
	struct slice sent = slice_from(buf_slice(&s->command), s->secret_at);

	if (!s->secret_sent)
		return line;
	sent = slice_trim(sent);
	slice_cut_prefix(&sent, SLICE("\""));
	if (sent.len > 0 && sent.data[sent.len - 1] == '"')
		sent.len--;
	if ((sent.len > 0 && slice_search_nocase(line, sent) < line.len) ||
	    (secret.len > 0 && slice_search_nocase(line, secret) < line.len))
		return SLICE("(words that quote the password)");
	return line;
}

void
imap_note_alert(struct imap *s, const struct imap_status *status, bool refused)
{
	struct slice words = imap_showable(s, status->words), code;

	if (refused || imap_needs_tls(s) ||
	    !slice_equal_nocase(status->code, SLICE("ALERT")))
		return;
	slice_cut_until(&words, ']', &code);
	s->facts.alert = slice_trim(words);
}

bool
imap_explain(struct imap *s, const char *at, const struct imap_status *status,
    enum error_kind kind, struct error *err)
{
	struct slice words = imap_showable(s, status->words);
	bool session = false;

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (slice_equal_nocase(status->code, codes[i].text)) {
			kind = codes[i].kind;
			session = codes[i].session;
		}
	}
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		if (slice_search_nocase(status->words, phrases[i].text) <
		    status->words.len) {
			kind = phrases[i].kind;
			session = phrases[i].session;
		}
	}
	error_set(err, kind, "server refused at %s: %.*s", at,
	    SLICE_ARG(slice_first(words, 300)));
	return session;
}

struct protocol_action
imap_refused(struct imap *s, const char *at, const struct imap_status *status,
    enum error_kind kind, struct error *err)
{
	imap_explain(s, at, status, kind, err);
	return imap_failed;
}
