/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/smtp.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Each state is named after the reply it waits for. */
enum smtp_state {
	GREETING,
	EHLO,
	READY,
	XCLIENT,
	MAIL,
	RCPT,
	DATA,
	BODY,
	END_OF_MESSAGE,
};

typedef struct smtp_action smtp_handler(struct smtp *, struct error *);

static smtp_handler on_greeting, on_ehlo, on_unasked, on_xclient, on_mail,
    on_rcpt, on_data, on_early, on_end_of_message;

static const struct {
	const char *name;
	smtp_handler *on_reply; /* to a reply that is complete */
} states[] = {
	[GREETING] = { "greeting", on_greeting },
	[EHLO] = { "EHLO", on_ehlo },
	[READY] = { "ready", on_unasked },
	[XCLIENT] = { "XCLIENT", on_xclient },
	[MAIL] = { "MAIL FROM", on_mail },
	[RCPT] = { "RCPT TO", on_rcpt },
	[DATA] = { "DATA", on_data },
	[BODY] = { "message", on_early },
	[END_OF_MESSAGE] = { "end of message", on_end_of_message },
};

static const struct smtp_action waiting = { .todo = SMTP_WAIT };

static bool
is_positive(const struct smtp *s)
{
	return s->code >= 200 && s->code < 300;
}

static struct slice
words_of(const struct smtp *s)
{
	return (struct slice){ (const uint8_t *)s->words, s->words_len };
}

/* "end of message: 451 4.3.0 try again later" */
static void
quote_reply(const struct smtp *s, struct error *err)
{
	error_set(err, ERROR_LOCAL, "%s: %u %.*s", states[s->state].name,
	    s->code, SLICE_ARG(words_of(s)));
}

static struct smtp_action
refused_session(struct smtp *s, struct error *err)
{
	quote_reply(s, err);
	return (struct smtp_action){ .todo = SMTP_FAIL };
}

static struct smtp_action
broken(struct smtp *s, struct slice line, struct error *err)
{
	error_set(err, ERROR_LOCAL, "unexpected reply (%s): \"%.*s\"",
	    states[s->state].name, SLICE_ARG(slice_first(line, 200)));
	return (struct smtp_action){ .todo = SMTP_FAIL };
}

static void add_command(struct smtp *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* Addresses, origin and helo are bounded: the commands always fit. */
static void
add_command(struct smtp *s, const char *fmt, ...)
{
	size_t used = strlen(s->commands), room = sizeof(s->commands) - used;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(s->commands + used, room, fmt, ap);
	va_end(ap);
	assert(len >= 0 && (size_t)len + 2 < room);
	memcpy(s->commands + used + len, "\r\n", 3);
}

static struct smtp_action
send_commands(struct smtp *s, enum smtp_state next)
{
	s->state = next;
	return (struct smtp_action){ .todo = SMTP_SEND,
		.text = slice_of(s->commands) };
}

static struct smtp_action
say_hello(struct smtp *s)
{
	const char *helo = s->settings->helo;

	if (s->pretending && s->origin.helo[0] != '\0')
		helo = s->origin.helo;
	s->pipelining = s->size = s->eightbit = s->dsn = s->utf8 = s->xclient =
	    false;
	s->commands[0] = '\0';
	add_command(s, "EHLO %s", helo);
	return send_commands(s, EHLO);
}

static struct smtp_action
on_greeting(struct smtp *s, struct error *err)
{
	return s->code == 220 ? say_hello(s) : refused_session(s, err);
}

/* "XCLIENT NAME ADDR PORT …": of use with both. */
static bool
names_client(struct slice attributes)
{
	bool name = false, address = false;
	struct slice word;

	while (slice_cut_word(&attributes, &word)) {
		name = name || slice_equal_nocase(word, SLICE("NAME"));
		address = address || slice_equal_nocase(word, SLICE("ADDR"));
	}
	return name && address;
}

static void
note_capability(struct smtp *s, struct slice line)
{
	const struct {
		struct slice keyword;
		bool *offered;
	} known[] = {
		{ SLICE("PIPELINING"), &s->pipelining },
		{ SLICE("SIZE"), &s->size },
		{ SLICE("8BITMIME"), &s->eightbit },
		{ SLICE("DSN"), &s->dsn },
		{ SLICE("SMTPUTF8"), &s->utf8 },
	};
	struct slice word;

	if (!slice_cut_word(&line, &word))
		return;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_equal_nocase(word, known[i].keyword))
			*known[i].offered = true;
	if (slice_equal_nocase(word, SLICE("XCLIENT")))
		s->xclient = s->settings->xclient && names_client(line);
}

static bool
is_ascii(const struct address *a)
{
	for (const char *c = a->local; *c != '\0'; c++)
		if ((uint8_t)*c >= 0x80)
			return false;
	return true;
}

static void
add_mail(struct smtp *s)
{
	const struct smtp_mail *m = s->mail;
	bool utf8 = s->utf8 && !(is_ascii(m->sender) && is_ascii(m->recipient));
	char sender[ADDRESS_TEXT_SIZE], size[40] = "";

	if (s->size)
		snprintf(size, sizeof(size), " SIZE=%llu",
		    (unsigned long long)m->size);
	add_command(s, "MAIL FROM:<%s>%s%s%s", address_write(m->sender, sender),
	    size, s->eightbit ? " BODY=8BITMIME" : "", utf8 ? " SMTPUTF8" : "");
}

static void
add_rcpt(struct smtp *s)
{
	char recipient[ADDRESS_TEXT_SIZE];

	add_command(s, "RCPT TO:<%s>%s",
	    address_write(s->mail->recipient, recipient),
	    s->dsn ? " NOTIFY=NEVER" : "");
}

static struct smtp_action
begin_transaction(struct smtp *s)
{
	s->decided = false;
	s->commands[0] = '\0';
	add_mail(s);
	if (s->pipelining) {
		add_rcpt(s);
		add_command(s, "DATA");
	}
	return send_commands(s, MAIL);
}

static struct smtp_action
on_ehlo(struct smtp *s, struct error *err)
{
	if (!is_positive(s))
		return refused_session(s, err);
	if (s->mail != NULL)
		return begin_transaction(s);
	s->state = READY;
	return (struct smtp_action){ .todo = SMTP_READY };
}

static bool
same_origin(const struct origin *a, const struct origin *b)
{
	return strcmp(a->ip, b->ip) == 0 && strcmp(a->name, b->name) == 0 &&
	       strcmp(a->helo, b->helo) == 0;
}

static bool
must_pretend(const struct smtp *s, const struct origin *origin)
{
	return s->settings->xclient && (s->xclient || s->pretending) &&
	       !(s->pretending && same_origin(&s->origin, origin));
}

bool
smtp_takes(const struct smtp *s, const struct origin *origin)
{
	return s->xclient || !must_pretend(s, origin);
}

/* Of an origin only letters, digits and ".-_:" are kept (candidates.h), so that
 * nothing is left for xtext to encode. */
static struct smtp_action
pretend(struct smtp *s)
{
	const char *name = s->origin.name, *ip = s->origin.ip;

	s->commands[0] = '\0';
	add_command(s, "XCLIENT NAME=%s ADDR=%s%s",
	    name[0] == '\0' ? "[UNAVAILABLE]" : name,
	    strchr(ip, ':') == NULL ? "" : "IPV6:",
	    ip[0] == '\0' ? "[UNAVAILABLE]" : ip);
	return send_commands(s, XCLIENT);
}

static struct smtp_action
on_xclient(struct smtp *s, struct error *err)
{
	if (s->code == 220) {
		s->pretending = true;
		return say_hello(s);
	}
	if (s->code / 100 == 5 && !s->origin_refused &&
	    s->origin.ip[0] != '\0') {
		s->origin_refused = true;
		s->origin = (struct origin){ .ip = "" };
		return pretend(s);
	}
	return refused_session(s, err);
}

struct smtp_action
smtp_mail(struct smtp *s, const struct smtp_mail *mail)
{
	assert(s->state == READY && smtp_takes(s, mail->origin));
	s->mail = mail;
	s->queue_id[0] = '\0';
	s->origin_refused = false;
	if (!must_pretend(s, mail->origin))
		return begin_transaction(s);
	s->origin = *mail->origin;
	return pretend(s);
}

static struct smtp_action
finish(struct smtp *s, struct error *err)
{
	s->mail = NULL;
	s->state = READY;
	if (s->verdict != SMTP_ACCEPTED)
		*err = s->why;
	return (struct smtp_action){ .todo = SMTP_DONE, .verdict = s->verdict };
}

/* The first refusal decides; what the server says to the commands that went out
 * with the refused one says nothing new. */
static void
decide(struct smtp *s, int stage)
{
	struct smtp_refusal refusal = {
		.stage = stage, .code = s->code, .words = words_of(s)
	};

	if (s->decided)
		return;
	s->decided = true;
	s->verdict = smtp_judge(&refusal);
	quote_reply(s, &s->why);
	s->why.kind = ERROR_REFUSED;
	if (stage == SMTP_AT_RCPT && s->verdict == SMTP_UNAVAILABLE)
		error_prefix(&s->why, "for the account's fallback address");
}

static struct smtp_action
on_mail(struct smtp *s, struct error *err)
{
	if (!is_positive(s))
		decide(s, SMTP_AT_MAIL);
	s->state = RCPT;
	if (s->pipelining)
		return waiting;
	if (s->decided)
		return finish(s, err);
	s->commands[0] = '\0';
	add_rcpt(s);
	return send_commands(s, RCPT);
}

static struct smtp_action
on_rcpt(struct smtp *s, struct error *err)
{
	if (!is_positive(s))
		decide(s, SMTP_AT_RCPT);
	s->state = DATA;
	if (s->pipelining)
		return waiting;
	if (s->decided)
		return finish(s, err);
	s->commands[0] = '\0';
	add_command(s, "DATA");
	return send_commands(s, DATA);
}

static struct smtp_action
on_data(struct smtp *s, struct error *err)
{
	/* With `decided` it wants a message that nobody is to get; there is
	 * no way to say no but to go. */
	if (s->code == 354 && !s->decided) {
		s->state = BODY;
		return (struct smtp_action){ .todo = SMTP_BODY };
	}
	decide(s, SMTP_AT_DATA);
	return finish(s, err);
}

/* The whole message was not sent: an acceptance would be one of a part. */
static struct smtp_action
on_early(struct smtp *s, struct error *err)
{
	if (s->code < 400)
		return refused_session(s, err);
	decide(s, SMTP_AT_DATA);
	return finish(s, err);
}

/* "2.0.0 Ok: queued as ID" (Postfix), "2.0.0 ID Message accepted for delivery"
 * (Sendmail). */
static void
note_queue_id(struct smtp *s)
{
	struct slice words = words_of(s), id = { NULL, 0 };
	size_t at = slice_search_nocase(words, SLICE("queued as "));

	if (at < words.len) {
		words = slice_from(words, at + strlen("queued as "));
		slice_cut_word(&words, &id);
	} else if (slice_search_nocase(words, SLICE(" Message accepted")) <
		   words.len) {
		slice_cut_word(&words, &id);
		slice_cut_word(&words, &id);
	}
	if (id.len >= sizeof(s->queue_id) || !slice_all(id, byte_is_alnum))
		id.len = 0;
	snprintf(s->queue_id, sizeof(s->queue_id), "%.*s", SLICE_ARG(id));
}

static struct smtp_action
on_end_of_message(struct smtp *s, struct error *err)
{
	if (is_positive(s)) {
		s->verdict = SMTP_ACCEPTED;
		note_queue_id(s);
	} else {
		decide(s, SMTP_AT_DATA);
	}
	return finish(s, err);
}

static struct smtp_action
on_unasked(struct smtp *s, struct error *err)
{
	return refused_session(s, err);
}

static void
add_words(struct smtp *s, struct slice text)
{
	size_t room = sizeof(s->words) - s->words_len;
	const char *between = s->words_len == 0 ? "" : "; ";
	int len = snprintf(s->words + s->words_len, room, "%s%.*s", between,
	    (int)slice_first(text, room).len, (const char *)text.data);

	if (len > 0)
		s->words_len += (size_t)len < room ? (size_t)len : room - 1;
}

/* "250-words", "250 words" or "250"; takes off the code. */
static bool
read_code(struct slice *line, unsigned *code, bool *last)
{
	struct slice digits = slice_first(*line, 3);
	uint64_t number;

	if (digits.len < 3 || !slice_cut_number(&digits, 599, &number) ||
	    digits.len > 0 || number < 200)
		return false;
	*line = slice_from(*line, 3);
	*code = (unsigned)number;
	*last = !slice_cut_prefix(line, SLICE("-"));
	return !*last || line->len == 0 || slice_cut_prefix(line, SLICE(" "));
}

struct smtp_action
smtp_line(struct smtp *s, struct slice line, struct error *err)
{
	struct slice text = line;
	unsigned code;
	bool last;

	if (!read_code(&text, &code, &last) ||
	    (s->lines > 0 && code != s->code) ||
	    s->lines == SMTP_REPLY_LINES_MAX)
		return broken(s, line, err);
	if (s->lines++ == 0)
		s->words_len = 0;
	else if (s->state == EHLO)
		note_capability(s, text);
	s->code = code;
	add_words(s, slice_trim(text));
	if (!last)
		return waiting;
	s->lines = 0;
	/* Whatever it answers: the server is about to go. */
	if (s->code == 421 && !s->decided)
		return refused_session(s, err);
	return states[s->state].on_reply(s, err);
}

void
smtp_init(struct smtp *s, const struct smtp_settings *settings)
{
	*s = (struct smtp){ .settings = settings, .state = GREETING };
}

bool
smtp_was_refused(
    const struct smtp *s, enum smtp_verdict *verdict, struct error *why)
{
	if (s->mail == NULL || !s->decided)
		return false;
	*verdict = s->verdict;
	*why = s->why;
	return true;
}

void
smtp_body_done(struct smtp *s)
{
	s->state = END_OF_MESSAGE;
}

bool
smtp_body_begun(const struct smtp *s)
{
	return s->state == BODY || s->state == END_OF_MESSAGE;
}

const char *
smtp_state_name(const struct smtp *s)
{
	return states[s->state].name;
}
