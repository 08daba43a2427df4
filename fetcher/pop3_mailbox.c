/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3_machine.h"

#include <assert.h>
#include <stdio.h>

/* Commands after the login go through here: their replies are due in order. */
static struct protocol_action
command(struct pop3 *s, int next, const char *verb, uint32_t number)
{
	struct protocol_action action = { .todo = DO_SEND, .number = number };

	if (number > 0)
		snprintf(s->command, sizeof(s->command), "%s %u\r\n", verb,
		    (unsigned)number);
	else
		snprintf(s->command, sizeof(s->command), "%s\r\n", verb);
	action.text = slice_of(s->command);
	pop3_expect(s, next, number);
	return action;
}

struct protocol_action
pop3_open(void *m, const char *folder, struct error *err)
{
	struct pop3 *s = m;
	struct protocol_action action;

	(void)folder;
	(void)err;
	assert(s->state == LOGGED_IN || s->state == READY);
	if (!s->facts.pipelining)
		return command(s, STAT, "STAT", 0);
	action = command(s, STAT, "STAT\r\nUIDL\r\nLIST", 0);
	pop3_expect(s, UIDL, 0);
	pop3_expect(s, LIST, 0);
	return action;
}

/* The reply that opening waits for was the last, or the next command goes
 * out, unless it is under way already. */
static struct protocol_action
next_listing(struct pop3 *s, int next, const char *verb)
{
	struct protocol_action action = pop3_answered(s, DO_WAIT);

	if (s->facts.pipelining)
		return action;
	return command(s, next, verb, 0);
}

struct protocol_action
pop3_on_stat(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice rest = line;
	uint64_t count;

	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	rest = slice_trim(slice_from(rest, sizeof("+OK") - 1));
	if (!slice_cut_number(&rest, PROTOCOL_MESSAGES_MAX, &count) ||
	    (rest.len > 0 && !byte_is_space(rest.data[0])))
		return pop3_broken(s, line, err);
	s->expected = (uint32_t)count;
	if (count == 0 && !s->facts.pipelining)
		return pop3_answered(s, DO_READY);
	return next_listing(s, UIDL, "UIDL");
}

static struct protocol_action
start_list(struct pop3 *s, int list)
{
	s->listed = 0;
	return pop3_enter(s, list, DO_WAIT);
}

/* A mailbox in which nothing is kept needs no names for what is there. */
static struct protocol_action
uidl_refused(struct pop3 *s, struct slice line, struct error *err)
{
	bool known = s->facts.uidl; /* CAPA says so */

	pop3_refused(s, known ? ERROR_RETRY : ERROR_CONFIG, line, err);
	if (err->kind != ERROR_CONFIG)
		return pop3_failed;
	if (s->login->account->keep == KEEP_NONE || s->expected == 0)
		return next_listing(s, LIST, "LIST");
	error_prefix(err, "the server cannot tell old messages from new ones "
			  "(no UIDL): set keep: none, or use IMAP");
	return pop3_failed;
}

struct protocol_action
pop3_on_uidl(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return uidl_refused(s, line, err);
	s->facts.uidl = true;
	return start_list(s, UIDL_LIST);
}

/* The number in front of a list entry, which must be the next one. */
static bool
cut_entry_number(struct pop3 *s, struct slice *entry)
{
	uint64_t number;

	if (!slice_cut_number(entry, s->expected, &number) ||
	    number != s->listed + 1 || !slice_cut_prefix(entry, SLICE(" ")))
		return false;
	s->listed = (uint32_t)number;
	*entry = slice_trim(*entry);
	return true;
}

static bool
is_complete(const struct pop3 *s, struct error *err)
{
	if (s->listed == s->expected)
		return true;
	return error_set(err, ERROR_PROTOCOL,
	    "%s incomplete: %u entries, but STAT said %u", pop3_state_name(s),
	    s->listed, s->expected);
}

struct protocol_action
pop3_on_uidl_list(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice uid = line;

	if (pop3_is_list_end(line)) {
		if (!is_complete(s, err))
			return pop3_failed;
		return next_listing(s, LIST, "LIST");
	}
	if (!cut_entry_number(s, &uid) || uid.len == 0 ||
	    uid.len > PROTOCOL_UID_MAX || !slice_all(uid, byte_is_graphic))
		return pop3_broken(s, line, err);
	return (struct protocol_action){
		.todo = DO_LISTED, .number = s->listed, .text = uid
	};
}

struct protocol_action
pop3_on_list(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_is_refusal(line) && s->expected == 0)
		return pop3_answered(s, DO_READY);
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	return start_list(s, LIST_LIST);
}

struct protocol_action
pop3_on_list_list(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice rest = line;
	/* Without UIDL this is where the messages are named. */
	struct protocol_action action = { .todo = s->facts.uidl ? DO_SIZED
								: DO_LISTED };

	if (pop3_is_list_end(line)) {
		if (!is_complete(s, err))
			return pop3_failed;
		return pop3_answered(s, DO_READY);
	}
	/* RFC 1939 lets a server say more after the size. */
	if (!cut_entry_number(s, &rest) ||
	    !slice_cut_number(&rest, INT64_MAX, &action.size) ||
	    (rest.len > 0 && !byte_is_space(rest.data[0])))
		return pop3_broken(s, line, err);
	action.number = s->listed;
	return action;
}

static struct protocol_action
message_command(struct pop3 *s, int next, const char *verb, uint32_t number)
{
	assert(pop3_room(s) > 0 && number >= 1 && number <= s->expected);
	return command(s, next, verb, number);
}

struct protocol_action
pop3_retrieve(void *m, uint32_t number, struct error *err)
{
	(void)err;
	return message_command(m, RETR, "RETR", number);
}

struct protocol_action
pop3_dispose(void *m, uint32_t number, struct error *err)
{
	(void)err;
	return message_command(m, DELE, "DELE", number);
}

/* A message may have gone; that is no reason to leave the others. */
static struct protocol_action
message_refused(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_refusal(line))
		return pop3_broken(s, line, err);
	pop3_refused(s, ERROR_REFUSED, line, err);
	return pop3_answered(s, DO_REFUSED);
}

struct protocol_action
pop3_on_retr(struct pop3 *s, struct slice line, struct error *err)
{
	struct protocol_action action;

	if (!pop3_is_ok(line))
		return message_refused(s, line, err);
	pop3_body_init(&s->body);
	action = pop3_enter(s, BODY, DO_BODY);
	action.number = s->due[s->first_due].number;
	return action;
}

struct protocol_action
pop3_body_done(void *m, struct error *err)
{
	struct pop3 *s = m;

	(void)err;
	assert(s->state == BODY);
	return pop3_answered(s, DO_READY);
}

struct protocol_action
pop3_on_dele(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return message_refused(s, line, err);
	return pop3_answered(s, DO_DISPOSED);
}

struct protocol_action
pop3_noop(void *m, struct error *err)
{
	(void)err;
	assert(pop3_room(m) > 0);
	return command(m, NOOP, "NOOP", 0);
}

struct protocol_action
pop3_on_noop(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	return pop3_answered(s, DO_READY);
}

struct protocol_action
pop3_quit(void *m, struct error *err)
{
	struct pop3 *s = m;

	(void)err;
	assert(s->state == LOGGED_IN || s->state == READY);
	return pop3_ask(s, QUIT, "QUIT\r\n");
}

/* -ERR: "some deleted messages not removed" (RFC 1939 6). */
struct protocol_action
pop3_on_quit(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	return pop3_enter(s, CLOSED, DO_CLOSE);
}
