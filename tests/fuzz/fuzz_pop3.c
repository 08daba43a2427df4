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

static struct pop3_action
next_command(struct pop3 *s, struct slice line, struct error *err)
{
	uint8_t choice = line.len > 0 ? line.data[0] : 0;

	if (choice % 4 == 0 || s->expected == 0)
		return pop3_quit(s, err);
	if (choice % 4 == 1)
		return pop3_retrieve(s, 1 + choice % s->expected, err);
	if (choice % 4 == 2)
		return pop3_delete(s, 1 + choice % s->expected, err);
	return pop3_noop(s, err);
}

static void
check_sent(struct pop3_action action)
{
	struct slice text = action.text;

	if (text.len < 3 || slice_find(text, '\n') != text.len - 1 ||
	    slice_find(text, '\r') != text.len - 2)
		abort();
}

static void
check_listed(const struct pop3 *s, struct pop3_action action)
{
	if (action.number < 1 || action.number > s->expected ||
	    action.text.len < 1 || action.text.len > POP3_UID_MAX)
		abort();
}

/* One line of the server, and what it leads to; false at the end. */
static bool
step(struct pop3 *s, struct slice line, bool *ready)
{
	struct error err;
	struct pop3_action action =
	    *ready ? next_command(s, line, &err) : pop3_line(s, line, &err);

	*ready = false;
	if (action.todo == POP3_START_TLS)
		action = pop3_secured(s, &err);
	if (action.todo == POP3_BODY)
		action = pop3_body_done(s, &err);
	switch (action.todo) {
	case POP3_SEND:
	case POP3_LOGGED_IN:
		check_sent(action);
		break;
	case POP3_LISTED:
		check_listed(s, action);
		break;
	case POP3_READY:
	case POP3_REFUSED:
	case POP3_DELETED:
		*ready = true;
		break;
	case POP3_CLOSE:
	case POP3_FAIL:
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
	const struct pop3_login login = { .user = "joe",
		.password = SLICE("hunter2"),
		.starttls = size > 0 && data[0] % 2 == 0 };
	struct pop3 s;
	bool ready = false;

	pop3_init(&s, &login);
	while (slice_cut_line(&in, &line)) {
		if (!step(&s, line, &ready))
			break;
	}
	pop3_clear(&s);
	return 0;
}
