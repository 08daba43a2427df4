/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_machine.h"

#include <assert.h>

/* Once until rouse(). */
static struct protocol_action
changed(struct imap *s)
{
	if (s->phase != IDLING || !s->idle_taken || s->roused || s->arrived)
		return imap_wait;
	s->arrived = true;
	return (struct protocol_action){ .todo = DO_ARRIVED };
}

struct protocol_action
imap_on_exists(
    struct imap *s, uint32_t number, struct slice rest, struct error *err)
{
	bool same = s->exists_known && number == s->exists;

	(void)rest;
	if (number > PROTOCOL_MESSAGES_MAX) {
		error_set(err, ERROR_PROTOCOL,
		    "%u messages in one folder are too many", number);
		return imap_failed;
	}
	s->facts.news |= number > s->exists;
	s->exists = number;
	s->exists_known = true;
	/* Courier and others repeat themselves. */
	return same ? imap_wait : changed(s);
}

struct protocol_action
imap_on_recent(
    struct imap *s, uint32_t number, struct slice rest, struct error *err)
{
	(void)rest;
	(void)err;
	return number > 0 ? changed(s) : imap_wait;
}

struct protocol_action
imap_on_expunged(
    struct imap *s, uint32_t number, struct slice rest, struct error *err)
{
	(void)rest;
	(void)err;
	/* Dovecot says no EXISTS after it. */
	if (s->exists > 0)
		s->exists--;
	if (number <= s->due && s->due > 0)
		s->due--;
	if (number < s->next && s->next > 1)
		s->next--;
	return changed(s);
}

struct protocol_action
imap_idle(void *m, struct error *err)
{
	struct imap *s = m;

	(void)err;
	assert(s->queued == 0 && s->phase == READY);
	s->phase = IDLING;
	s->idle_taken = s->roused = s->arrived = false;
	imap_give(s, IDLE, 0, "IDLE");
	return imap_send(s);
}

/* What came between listing and IDLE was not heard of yet. */
struct protocol_action
imap_on_idle_taken(struct imap *s, struct slice words, struct error *err)
{
	if (s->idle_taken)
		return imap_broken(s, words, err);
	s->idle_taken = true;
	if (s->roused)
		return imap_say(s, SLICE("DONE"));
	return s->facts.news ? changed(s) : imap_wait;
}

struct protocol_action
imap_rouse(void *m, struct error *err)
{
	struct imap *s = m;

	(void)err;
	/* The server may have ended it. */
	if (s->phase != IDLING)
		return imap_ready;
	if (s->roused)
		return imap_wait;
	s->roused = true;
	return s->idle_taken ? imap_say(s, SLICE("DONE")) : imap_wait;
}

struct protocol_action
imap_on_idle(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	s->phase = READY;
	if (status->condition == IMAP_OK && s->idle_taken)
		return imap_ready;
	if (imap_explain(s, "IDLE", status, ERROR_REFUSED, err))
		return imap_failed;
	return (struct protocol_action){ .todo = DO_REFUSED };
}
