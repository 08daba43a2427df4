/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_machine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What was sent is kept until the next command: imap_showable() needs it. */
static void
forget_sent(struct imap *s)
{
	if (s->sent == s->command.len) {
		buf_reset(&s->command);
		s->sent = 0;
	}
}

struct buf *
imap_begin(struct imap *s, enum imap_kind kind, uint32_t number)
{
	assert(s->queued < IMAP_QUEUE);
	forget_sent(s);
	s->queue[s->queued++] = (struct imap_command){
		.tag = ++s->tag, .number = number, .kind = kind
	};
	buf_printf(&s->command, "A%u ", (unsigned)s->tag);
	return &s->command;
}

void
imap_give(
    struct imap *s, enum imap_kind kind, uint32_t number, const char *fmt, ...)
{
	struct buf *out = imap_begin(s, kind, number);
	char words[IMAP_QUOTED_MAX + 64];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(words, sizeof(words), fmt, ap);
	va_end(ap);
	/* Arguments are numbers, and names that were measured. */
	assert(len >= 0 && (size_t)len < sizeof(words));
	buf_add_string(out, words);
	buf_add(out, SLICE("\r\n"));
}

struct protocol_action
imap_send(struct imap *s)
{
	struct slice text = slice_from(buf_slice(&s->command), s->sent);

	if (s->n_stops > 0) {
		text = slice_first(text, s->stops[0] - s->sent);
		s->stops[0] = s->stops[1];
		s->n_stops--;
	}
	s->sent += text.len;
	return (struct protocol_action){ .todo = DO_SEND,
		.text = text,
		.secret = imap_find(s, LOGIN, 0) != NULL ||
			  imap_find(s, AUTHENTICATE, 0) != NULL };
}

struct protocol_action
imap_say(struct imap *s, struct slice words)
{
	forget_sent(s);
	buf_add(&s->command, words);
	buf_add(&s->command, SLICE("\r\n"));
	return imap_send(s);
}

struct imap_command *
imap_find(struct imap *s, enum imap_kind kind, uint32_t number)
{
	for (unsigned i = 0; i < s->queued; i++) {
		struct imap_command *c = &s->queue[i];

		if (c->kind == kind && !c->answered &&
		    (number == 0 || c->number == number))
			return c;
	}
	return NULL;
}

bool
imap_take(struct imap *s, uint32_t tag, struct imap_command *taken)
{
	for (unsigned i = 0; i < s->queued; i++) {
		if (s->queue[i].tag != tag)
			continue;
		*taken = s->queue[i];
		s->queued--;
		memmove(s->queue + i, s->queue + i + 1,
		    (s->queued - i) * sizeof(*s->queue));
		return true;
	}
	return false;
}
