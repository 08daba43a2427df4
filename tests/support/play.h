/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play - conversations with a protocol machine, each a file of
 * tests/data/PROTOCOL and a test of its own.  A line of it is one of:
 *
 *	user NAME, password WORDS, token WORDS, starttls, keep forever,
 *	smtputf8, auth MECHANISM, dispose move|flag WORD, full_expunge
 *				the account; before the first of the following
 *	S: LINE			the server says
 *	B: LINE			the same within a message: goes to body()
 *	B. BYTES		as B:, without a line end
 *	C: LINE			the client must say; "C* " marks a secret
 *	> CALL [N | WORDS]	the driver calls this function of the table
 *	= ACTION …		what the machine must ask for; wait is not
 *				written; "= complete N": body() is at the end of
 *				a message of N bytes
 *	? room N, ? busy, ? not busy, ? state NAME, ? facts WORDS
 *				what the machine must answer
 *	? alert WORDS		what people must be told after the last line
 *
 * {N*X} in a line stands for N times the letter X, {NUL} for a NUL byte, {CRLF}
 * for a line end (between commands that are sent together).
 */
#ifndef SUPPORT_PLAY_H
#define SUPPORT_PLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fetcher/protocol.h"
#include "tests/support/each_file.h"

enum { PLAY_TEXT_MAX = 1 << 20 };

struct play {
	const char *path;
	unsigned line;
	const struct protocol *protocol;
	struct account account;
	struct buf user, secret, dispose; /* of account and login */
	struct protocol_login login;
	void *machine; /* NULL until the account is known */
	struct error err;
	struct protocol_action action; /* not yet looked at, unless DO_WAIT */
	struct buf sent_secrets;
	struct buf text; /* of the action */
	bool complete;   /* nor this */
	size_t body_len;
	struct buf alert; /* of the last line */
};

#define PLAY_FAIL(p, ...)                                                      \
	do {                                                                   \
		print_error("%s:%u: ", (p)->path, (p)->line);                  \
		fail_msg(__VA_ARGS__);                                         \
	} while (0)

static inline const char *
play_kind_name(enum error_kind kind)
{
	static const char *const names[] = {
		[ERROR_RETRY] = "RETRY",
		[ERROR_REFUSED] = "REFUSED",
		[ERROR_LOGIN] = "LOGIN",
		[ERROR_TLS] = "TLS",
		[ERROR_PROTOCOL] = "PROTOCOL",
		[ERROR_CONFIG] = "CONFIG",
		[ERROR_LOCAL] = "LOCAL",
	};

	return names[kind];
}

/* How each action looks in a file: its name, and what follows. */
static const struct {
	const char *name;
	bool number, text, size, error;
} play_actions[] = {
	[DO_WAIT] = { .name = "wait" },
	[DO_SEND] = { .name = "send" },
	[DO_START_TLS] = { .name = "start_tls" },
	[DO_LOGGED_IN] = { .name = "logged_in" },
	[DO_FOLDER] = { .name = "folder", .text = true },
	[DO_FOLDERS] = { .name = "folders" },
	[DO_LISTED] = { .name = "listed", .number = true, .text = true },
	[DO_SIZED] = { .name = "sized", .number = true, .size = true },
	[DO_READY] = { .name = "ready" },
	[DO_BODY] = { .name = "body", .number = true },
	[DO_REFUSED] = { .name = "refused", .number = true, .error = true },
	[DO_DISPOSED] = { .name = "disposed", .number = true },
	[DO_ARRIVED] = { .name = "arrived" },
	[DO_CLOSE] = { .name = "close" },
	[DO_FAIL] = { .name = "fail", .error = true },
};

/* The action as a line of a conversation. */
static inline void
play_describe(const struct play *p, struct buf *out)
{
	const struct protocol_action *a = &p->action;

	if (p->complete) {
		buf_printf(out, "= complete %zu", p->body_len);
		return;
	}
	if (a->todo == DO_SEND) {
		buf_printf(out, "C%c ", a->secret ? '*' : ':');
		buf_add(out, slice_first(a->text, a->text.len - 2));
		return;
	}
	buf_printf(out, "= %s", play_actions[a->todo].name);
	if (play_actions[a->todo].number)
		buf_printf(out, " %" PRIu32, a->number);
	if (a->stays)
		buf_add_string(out, " stays");
	if (play_actions[a->todo].text && a->text.len > 0) {
		buf_add_byte(out, ' ');
		buf_add(out, a->text);
	}
	if (play_actions[a->todo].size ||
	    (play_actions[a->todo].text && a->size > 0))
		buf_printf(out, " %" PRIu64, a->size);
	if (play_actions[a->todo].error)
		buf_printf(
		    out, " %s %s", play_kind_name(p->err.kind), p->err.text);
}

static inline void
play_expand(struct slice in, struct buf *out)
{
	struct slice head, inside, letter;
	uint64_t times;

	buf_init(out, PLAY_TEXT_MAX);
	while (slice_cut_until(&in, '{', &head)) {
		struct slice rest = in;

		buf_add(out, head);
		if (!slice_cut_until(&rest, '}', &inside)) {
			buf_add_byte(out, '{');
		} else if (slice_equal(inside, SLICE("NUL"))) {
			buf_add_byte(out, '\0');
			in = rest;
		} else if (slice_equal(inside, SLICE("CRLF"))) {
			buf_add_string(out, "\r\n");
			in = rest;
		} else if (slice_cut_number(&inside, PLAY_TEXT_MAX, &times) &&
			   slice_cut_prefix(&inside, SLICE("*"))) {
			letter = slice_first(inside, 1);
			while (times-- > 0)
				buf_add(out, letter);
			in = rest;
		} else {
			buf_add_byte(out, '{');
		}
	}
	buf_add(out, in);
}

static inline void
play_expect(struct play *p, struct slice line)
{
	struct buf wanted, got;

	play_expand(line, &wanted);
	buf_init(&got, PLAY_TEXT_MAX);
	play_describe(p, &got);
	if (!slice_equal(buf_slice(&got), buf_slice(&wanted)))
		PLAY_FAIL(p, "wanted \"%s\", got \"%s\"", buf_string(&wanted),
		    buf_string(&got));
	if (p->action.todo == DO_SEND)
		assert_memory_equal(
		    p->action.text.data + p->action.text.len - 2, "\r\n", 2);
	p->action.todo = DO_WAIT;
	if (p->complete)
		p->body_len = 0;
	p->complete = false;
	buf_clear(&wanted);
	buf_clear(&got);
}

/* Nothing secret that was sent is left in the machine. */
static inline void
play_no_secret(struct play *p)
{
	struct slice sent = buf_slice(&p->sent_secrets), line;

	while (slice_cut_line(&sent, &line)) {
		if (line.len > 0 && memmem(p->machine, p->protocol->size,
					line.data, line.len) != NULL)
			PLAY_FAIL(p, "a secret is left in the machine");
	}
}

/* What an action borrows is kept, since the server's line is freed. */
static inline void
play_act(struct play *p, struct protocol_action action)
{
	p->action = action;
	buf_reset(&p->text);
	buf_add(&p->text, action.text);
	p->action.text = buf_slice(&p->text);
	if (action.secret)
		buf_add(&p->sent_secrets, action.text);
	if (action.todo == DO_BODY)
		p->body_len = 0;
	if (action.todo == DO_LOGGED_IN)
		play_no_secret(p);
}

/* Of just this size, so that ASan sees one byte too many. */
static inline uint8_t *
play_exact(struct slice s)
{
	uint8_t *exact = malloc(s.len == 0 ? 1 : s.len);

	assert_non_null(exact);
	if (s.len > 0)
		memcpy(exact, s.data, s.len);
	return exact;
}

static inline void
play_nothing_left(struct play *p)
{
	if (p->action.todo != DO_WAIT || p->complete)
		play_expect(p, SLICE("= wait"));
}

static inline void
play_server_says(struct play *p, struct slice text)
{
	struct buf line;
	uint8_t *exact;

	play_nothing_left(p);
	play_expand(text, &line);
	exact = play_exact(buf_slice(&line));
	play_act(p, p->protocol->line(p->machine,
			(struct slice){ exact, line.len }, &p->err));
	buf_reset(&p->alert);
	buf_add(&p->alert, p->protocol->facts(p->machine)->alert);
	free(exact);
	buf_clear(&line);
}

static inline void
play_body(struct play *p, struct slice text, const char *end)
{
	struct buf bytes;
	uint8_t *in, *out;
	size_t used, len;

	play_nothing_left(p);
	play_expand(text, &bytes);
	buf_add_string(&bytes, end);
	in = play_exact(buf_slice(&bytes));
	out = malloc(bytes.len + 4);
	assert_non_null(out);
	p->complete = p->protocol->body(
	    p->machine, (struct slice){ in, bytes.len }, &used, out, &len);
	p->body_len += len;
	if (used != bytes.len)
		PLAY_FAIL(p, "%zu of %zu bytes used", used, bytes.len);
	free(in);
	free(out);
	buf_clear(&bytes);
}

static inline struct protocol_action
play_call_numbered(struct play *p, struct slice name, uint32_t number)
{
	if (slice_equal(name, SLICE("retrieve")))
		return p->protocol->retrieve(p->machine, number, &p->err);
	return p->protocol->dispose(p->machine, number, &p->err);
}

static inline void
play_call(struct play *p, struct slice words)
{
	const struct protocol *protocol = p->protocol;
	const struct {
		const char *name;
		struct protocol_action (*call)(void *, struct error *);
	} plain[] = {
		{ "secured", protocol->secured },
		{ "refresh", protocol->refresh },
		{ "noop", protocol->noop },
		{ "idle", protocol->idle },
		{ "rouse", protocol->rouse },
		{ "quit", protocol->quit },
		{ "body_done", protocol->body_done },
	};
	struct slice name;
	struct buf word;
	uint64_t number;

	play_nothing_left(p);
	assert_true(slice_cut_word(&words, &name));
	words = slice_trim(words);
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		if (slice_equal(name, slice_of(plain[i].name))) {
			play_act(p, plain[i].call(p->machine, &p->err));
			return;
		}
	}
	play_expand(words, &word);
	if (slice_equal(name, SLICE("open")))
		play_act(
		    p, protocol->open(p->machine, buf_string(&word), &p->err));
	else if (slice_equal(name, SLICE("folders")))
		play_act(p,
		    protocol->folders(p->machine, buf_string(&word), &p->err));
	else if (slice_cut_number(&words, UINT32_MAX, &number))
		play_act(p, play_call_numbered(p, name, (uint32_t)number));
	else
		PLAY_FAIL(p, "no such call");
	buf_clear(&word);
}

static inline void
play_describe_facts(const struct protocol_facts *f, struct buf *out)
{
	const struct {
		const char *name;
		bool is;
	} all[] = {
		{ "starttls", f->starttls },
		{ "pipelining", f->pipelining },
		{ "utf8", f->utf8 },
		{ "capa", f->capa },
		{ "top", f->top },
		{ "uidl", f->uidl },
		{ "resp_codes", f->resp_codes },
		{ "user", f->user },
		{ "idle", f->idle },
		{ "uidplus", f->uidplus },
		{ "move", f->move },
		{ "literal_plus", f->literal_plus },
		{ "sasl_ir", f->sasl_ir },
		{ "id", f->id },
		{ "login_disabled", f->login_disabled },
		{ "read_only", f->read_only },
		{ "news", f->news },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (all[i].is)
			buf_printf(out, " %s", all[i].name);
	}
	if (f->login_delay_s > 0)
		buf_printf(out, " login_delay=%" PRIu32, f->login_delay_s);
	if (f->expire_days > 0)
		buf_printf(out, " expire=%" PRIu32, f->expire_days);
}

static inline void
play_question(struct play *p, struct slice wanted)
{
	struct buf got;

	/* This is told before the driver acts. */
	if (!slice_starts(wanted, SLICE("alert")))
		play_nothing_left(p);
	buf_init(&got, PLAY_TEXT_MAX);
	if (slice_starts(wanted, SLICE("room"))) {
		buf_printf(&got, "room %u", p->protocol->room(p->machine));
	} else if (slice_starts(wanted, SLICE("state"))) {
		buf_printf(
		    &got, "state %s", p->protocol->state_name(p->machine));
	} else if (slice_starts(wanted, SLICE("alert"))) {
		buf_printf(&got, "alert%s%s", p->alert.len > 0 ? " " : "",
		    buf_string(&p->alert));
	} else if (slice_starts(wanted, SLICE("facts"))) {
		buf_add_string(&got, "facts");
		play_describe_facts(p->protocol->facts(p->machine), &got);
	} else {
		buf_add_string(
		    &got, p->protocol->busy(p->machine) ? "busy" : "not busy");
	}
	if (!slice_equal(buf_slice(&got), wanted))
		PLAY_FAIL(p, "it is \"%s\"", buf_string(&got));
	buf_clear(&got);
}

static inline void
play_take_secret(struct play *p, struct slice words, bool token)
{
	buf_clear(&p->secret);
	play_expand(words, &p->secret);
	p->login.secret = buf_slice(&p->secret);
	p->login.token = token;
}

static inline void
play_dispose(struct play *p, struct slice words)
{
	struct slice how;

	assert_true(slice_cut_word(&words, &how));
	p->account.dispose.kind =
	    slice_equal(how, SLICE("move")) ? DISPOSE_MOVE : DISPOSE_FLAG;
	buf_clear(&p->dispose);
	play_expand(slice_trim(words), &p->dispose);
	p->account.dispose.text = buf_string(&p->dispose);
}

static inline enum auth
play_auth(struct play *p, struct slice word)
{
	static const char *const names[] = {
		[AUTH_AUTO] = "auto",
		[AUTH_PLAIN] = "plain",
		[AUTH_LOGIN] = "login",
		[AUTH_USER] = "user",
		[AUTH_SCRAM_SHA_256] = "scram_sha_256",
		[AUTH_XOAUTH2] = "xoauth2",
		[AUTH_OAUTHBEARER] = "oauthbearer",
		[AUTH_EXTERNAL] = "external",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (slice_equal(word, slice_of(names[i])))
			return (enum auth)i;
	}
	PLAY_FAIL(p, "no such mechanism");
	return AUTH_AUTO;
}

/* A line about the account; false if it is none. */
static inline bool
play_setting(struct play *p, struct slice line)
{
	if (slice_equal(line, SLICE("starttls"))) {
		p->account.tls.mode = TLS_REQUIRED;
	} else if (slice_equal(line, SLICE("keep forever"))) {
		p->account.keep = KEEP_FOREVER;
	} else if (slice_equal(line, SLICE("smtputf8"))) {
		p->login.smtputf8 = true;
	} else if (slice_equal(line, SLICE("full_expunge"))) {
		p->account.full_expunge = true;
	} else if (slice_cut_prefix(&line, SLICE("auth "))) {
		p->account.auth = play_auth(p, line);
	} else if (slice_cut_prefix(&line, SLICE("dispose "))) {
		play_dispose(p, line);
	} else if (slice_cut_prefix(&line, SLICE("user "))) {
		buf_clear(&p->user);
		play_expand(line, &p->user);
		p->account.user = buf_string(&p->user);
	} else if (slice_cut_prefix(&line, SLICE("password "))) {
		play_take_secret(p, line, false);
	} else if (slice_cut_prefix(&line, SLICE("token "))) {
		play_take_secret(p, line, true);
	} else {
		return false;
	}
	assert_null(p->machine);
	return true;
}

static inline void
play_line(struct play *p, struct slice line)
{
	if (line.len == 0 || line.data[0] == '#' || play_setting(p, line))
		return;
	if (p->machine == NULL) {
		p->machine = mem_new(p->protocol->size);
		p->protocol->init(p->machine, &p->login);
	}
	if (slice_equal(line, SLICE("S:")))
		play_server_says(p, SLICE(""));
	else if (slice_cut_prefix(&line, SLICE("S: ")))
		play_server_says(p, line);
	else if (slice_equal(line, SLICE("B:")))
		play_body(p, SLICE(""), "\r\n");
	else if (slice_cut_prefix(&line, SLICE("B: ")))
		play_body(p, line, "\r\n");
	else if (slice_cut_prefix(&line, SLICE("B. ")))
		play_body(p, line, "");
	else if (slice_cut_prefix(&line, SLICE("> ")))
		play_call(p, line);
	else if (slice_cut_prefix(&line, SLICE("? ")))
		play_question(p, line);
	else
		play_expect(p, line);
}

/* Clear text, unless the file says otherwise. */
static inline void
play_begin(struct play *p)
{
	p->account = (struct account){
		.name = "play",
		.host = "mail.example.com",
		.user = "joe",
		.tls.mode = TLS_NEVER,
		/* Of both protocols the one without implicit TLS. */
		.protocol = strcmp(p->protocol->name, "POP3") == 0
				? PROTOCOL_POP3
				: PROTOCOL_IMAP,
		.keep = KEEP_NONE,
	};
	p->account.port = p->account.protocol == PROTOCOL_POP3 ? 110 : 143;
	p->login = (struct protocol_login){ .account = &p->account,
		.secret = SLICE("hunter2") };
	buf_init(&p->text, PLAY_TEXT_MAX);
	buf_init(&p->sent_secrets, PLAY_TEXT_MAX);
	buf_init(&p->alert, PLAY_TEXT_MAX);
}

static inline void
play_end(struct play *p)
{
	play_nothing_left(p);
	p->protocol->clear(p->machine);
	play_no_secret(p);
	free(p->machine);
	buf_clear(&p->sent_secrets);
	buf_clear(&p->user);
	buf_clear(&p->secret);
	buf_clear(&p->dispose);
	buf_clear(&p->text);
	buf_clear(&p->alert);
}

static inline void
play_file(const struct protocol *protocol, const char *path)
{
	struct play p = { .path = path, .protocol = protocol };
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	assert_non_null(f);
	play_begin(&p);
	while ((len = getline(&line, &room, f)) > 0) {
		p.line++;
		len -= line[len - 1] == '\n';
		play_line(&p, (struct slice){ (uint8_t *)line, (size_t)len });
	}
	play_end(&p);
	free(line);
	fclose(f);
}

#endif
