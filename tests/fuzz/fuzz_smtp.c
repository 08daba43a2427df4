/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that says anything: one line of the input after the other goes to
 * the machine; whenever it is ready it gets a message, whenever it wants the
 * message it is told that all is sent.  The first line's first byte chooses the settings.
 * What is sent must be whole lines.
 */
#include "fetcher/smtp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_sent(struct slice text)
{
	struct slice line;

	if (text.len < 3)
		abort();
	while (slice_cut_until(&text, '\n', &line))
		if (line.len < 2 || slice_find(line, '\r') != line.len - 1)
			abort();
	if (text.len > 0)
		abort();
}

/* False at the end. */
static bool
obey(struct smtp *s, struct smtp_action action, const struct smtp_mail *mail)
{
	if (action.todo == SMTP_READY && smtp_takes(s, mail->origin))
		action = smtp_mail(s, mail);
	switch (action.todo) {
	case SMTP_SEND:
		check_sent(action.text);
		return true;
	case SMTP_BODY:
		smtp_body_done(s);
		return true;
	case SMTP_DONE:
		if (!slice_all(slice_of(s->queue_id), byte_is_alnum))
			abort();
		return false;
	case SMTP_FAIL:
		return false;
	default:
		return true;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct smtp_settings settings = { .helo = "mx.example.org",
		.xclient = size > 0 && data[0] % 2 == 0 };
	const struct address sender = { "anna", "outside.example" },
			     recipient = { "office", "example.org" };
	const struct origin origin = { "2001:db8::1", "mail.sender.example",
		"helo" };
	const struct smtp_mail mail = { &sender, &recipient, &origin, 4711 };
	struct slice in = { data, size }, line;
	struct error err;
	struct smtp s;

	smtp_init(&s, &settings);
	slice_cut_line(&in, &line);
	while (slice_cut_line(&in, &line))
		if (!obey(&s, smtp_line(&s, line, &err), &mail))
			break;
	return 0;
}
