/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that says anything: one line of the input after the other goes to
 * the machine, or, within a message, to its body.  A line that begins with ">"
 * is a command of the driver's, given if there is room for it; "#" in the first
 * line chooses the account.  Whatever is sent must be lines; what is answered
 * must be what was asked for first, of all that is under way.
 */
#include "base/slice.h"
#include "fetcher/pop3.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct protocol *const p = &pop3_protocol;

/* What was asked for: 'r' and 'd' of a message, 'n' of none. */
struct asked {
	uint8_t kind;
	uint32_t number;
};

struct driver {
	struct pop3 machine;
	struct asked asked[POP3_WINDOW];
	unsigned n;
	bool in_body, opened, ended;
	struct error err;
};

static void
check(bool right)
{
	if (!right)
		abort();
}

static void
check_sent(struct slice text)
{
	check(text.len >= 2 && text.data[text.len - 1] == '\n' &&
	      text.data[text.len - 2] == '\r');
	while (text.len > 0) {
		struct slice line;

		check(slice_cut_until(&text, '\n', &line));
		check(slice_find(line, '\r') == line.len - 1);
		check(slice_find(line, '\0') == line.len);
	}
}

static void
check_answer(struct driver *d, struct protocol_action action, uint8_t kind)
{
	check(d->n > 0);
	check(kind == 0 || d->asked[0].kind == kind);
	check(d->asked[0].number == action.number);
}

static void
take_answer(struct driver *d)
{
	check(d->n > 0);
	d->n--;
	memmove(d->asked, d->asked + 1, d->n * sizeof(d->asked[0]));
}

static void
check_listed(const struct driver *d, struct protocol_action action)
{
	check(action.number >= 1 && action.number <= d->machine.expected);
	check(action.text.len <= PROTOCOL_UID_MAX);
	check((action.text.len > 0) == p->facts(&d->machine)->uidl);
}

static void
on_ready(struct driver *d)
{
	if (d->opened)
		take_answer(d);
	d->opened = true;
}

static void act(struct driver *, struct protocol_action);

static void
call(struct driver *d, struct protocol_action (*f)(void *, struct error *))
{
	struct error err;

	act(d, f(&d->machine, &err));
}

static void
act(struct driver *d, struct protocol_action action)
{
	struct error err;

	switch (action.todo) {
	case DO_SEND:
		check_sent(action.text);
		break;
	case DO_START_TLS:
		call(d, p->secured);
		break;
	case DO_LOGGED_IN:
		check(d->machine.exchange == NULL);
		act(d, p->open(&d->machine, "INBOX", &err));
		break;
	case DO_LISTED:
		check_listed(d, action);
		break;
	case DO_READY:
		on_ready(d);
		break;
	case DO_BODY:
		check_answer(d, action, 'r');
		d->in_body = true;
		break;
	case DO_REFUSED:
		check_answer(d, action, 0);
		take_answer(d);
		break;
	case DO_DISPOSED:
		check_answer(d, action, 'd');
		take_answer(d);
		break;
	case DO_CLOSE:
	case DO_FAIL:
		d->ended = true;
		break;
	default:
		break;
	}
}

static struct protocol_action
give(struct driver *d, struct asked asked)
{
	d->asked[d->n++] = asked;
	switch (asked.kind) {
	case 'r':
		return p->retrieve(&d->machine, asked.number, &d->err);
	case 'd':
		return p->dispose(&d->machine, asked.number, &d->err);
	default:
		return p->noop(&d->machine, &d->err);
	}
}

/* ">rNUMBER", ">dNUMBER", ">n", ">q" */
static void
command(struct driver *d, struct slice words)
{
	struct asked asked = { .kind = 'n' };
	uint64_t number;

	if (p->room(&d->machine) == 0 || words.len == 0)
		return;
	if (words.data[0] == 'q') {
		if (!p->busy(&d->machine))
			call(d, p->quit);
		return;
	}
	if ((words.data[0] == 'r' || words.data[0] == 'd') &&
	    d->machine.expected > 0) {
		asked.kind = words.data[0];
		words = slice_from(words, 1);
		if (!slice_cut_number(&words, UINT32_MAX, &number))
			number = 0;
		asked.number = 1 + (uint32_t)number % d->machine.expected;
	}
	act(d, give(d, asked));
}

/* The line and its end, in a copy that it can overrun. */
static void
feed_body(struct driver *d, struct slice line)
{
	size_t used, len;
	uint8_t *in = malloc(line.len + 2), *out = malloc(line.len + 6);

	check(in != NULL && out != NULL);
	if (line.len > 0)
		memcpy(in, line.data, line.len);
	memcpy(in + line.len, "\r\n", 2);
	if (p->body(&d->machine, (struct slice){ in, line.len + 2 }, &used, out,
		&len)) {
		d->in_body = false;
		call(d, p->body_done);
	}
	check(used <= line.len + 2 && len <= line.len + 6);
	free(in);
	free(out);
}

static void
step(struct driver *d, struct slice line)
{
	struct error err;

	if (slice_cut_prefix(&line, SLICE(">")))
		command(d, line);
	else if (d->in_body)
		feed_body(d, line);
	else
		act(d, p->line(&d->machine, line, &err));
	if (d->opened && !d->ended)
		check(d->n == d->machine.n_due);
}

static bool
has(struct slice options, uint8_t letter)
{
	return slice_find(options, letter) < options.len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { data, size }, line, options = SLICE("");
	struct driver d = { .n = 0 };
	struct account account = { .user = "joe",
		.host = "mail.example.com",
		.protocol = PROTOCOL_POP3,
		.tls.mode = TLS_NEVER };
	struct protocol_login login = { .account = &account,
		.secret = SLICE("hunter2") };

	if (slice_starts(in, SLICE("#")))
		slice_cut_line(&in, &options);
	if (has(options, 's'))
		account.tls.mode = TLS_REQUIRED;
	if (has(options, 'k'))
		account.keep = KEEP_FOREVER;
	login.token = has(options, 't');
	login.smtputf8 = has(options, 'u');
	p->init(&d.machine, &login);
	while (!d.ended && slice_cut_line(&in, &line))
		step(&d, line);
	p->clear(&d.machine);
	return 0;
}
