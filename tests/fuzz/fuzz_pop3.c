/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that says anything: one line of the input after the other goes to
 * the machine; when it is ready, the line's first byte chooses the next
 * command.  Whatever is sent must be one line.
 */
#include "base/slice.h"
#include "fetcher/pop3.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct protocol *const p = &pop3_protocol;

static struct protocol_action
next_command(struct pop3 *s, struct slice line, struct error *err)
{
	uint8_t choice = line.len > 0 ? line.data[0] : 0;

	if (choice % 4 == 0 || s->expected == 0)
		return p->quit(s, err);
	if (choice % 4 == 1)
		return p->retrieve(s, 1 + choice % s->expected, err);
	if (choice % 4 == 2)
		return p->dispose(s, 1 + choice % s->expected, err);
	return p->noop(s, err);
}

static void
check_sent(struct protocol_action action)
{
	struct slice text = action.text;

	if (text.len < 3 || slice_find(text, '\n') != text.len - 1 ||
	    slice_find(text, '\r') != text.len - 2)
		abort();
}

static void
check_listed(const struct pop3 *s, struct protocol_action action)
{
	if (action.number < 1 || action.number > s->expected ||
	    action.text.len < 1 || action.text.len > PROTOCOL_UID_MAX)
		abort();
}

/* One line of the server, and what it leads to; false at the end. */
static bool
step(struct pop3 *s, struct slice line, bool *ready)
{
	struct error err;
	struct protocol_action action =
	    *ready ? next_command(s, line, &err) : p->line(s, line, &err);

	*ready = false;
	if (action.todo == DO_START_TLS)
		action = p->secured(s, &err);
	if (action.todo == DO_LOGGED_IN)
		action = p->open(s, "INBOX", &err);
	if (action.todo == DO_BODY)
		action = p->body_done(s, &err);
	switch (action.todo) {
	case DO_SEND:
		check_sent(action);
		break;
	case DO_LISTED:
		check_listed(s, action);
		break;
	case DO_READY:
	case DO_REFUSED:
	case DO_DISPOSED:
		*ready = true;
		break;
	case DO_CLOSE:
	case DO_FAIL:
		return false;
	default:
		break;
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { data, size }, line;
	const struct account account = { .user = "joe",
		.protocol = PROTOCOL_POP3,
		.tls.mode =
		    size > 0 && data[0] % 2 == 0 ? TLS_REQUIRED : TLS_NEVER };
	const struct protocol_login login = { .account = &account,
		.secret = SLICE("hunter2") };
	struct pop3 s;
	bool ready = false;

	p->init(&s, &login);
	while (slice_cut_line(&in, &line)) {
		if (!step(&s, line, &ready))
			break;
	}
	p->clear(&s);
	return 0;
}
