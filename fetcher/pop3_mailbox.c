/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3_machine.h"

#include <assert.h>

struct protocol_action
pop3_open(void *m, const char *folder, struct error *err)
{
	struct pop3 *s = m;

	(void)folder;
	(void)err;
	assert(s->state == LOGGED_IN || s->state == READY);
	return pop3_command(s, STAT, "STAT");
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
	if (count == 0)
		return pop3_enter(s, READY, DO_READY);
	return pop3_command(s, UIDL, "UIDL");
}

static struct protocol_action
start_list(struct pop3 *s, int list)
{
	s->listed = 0;
	return pop3_enter(s, list, DO_WAIT);
}

struct protocol_action
pop3_on_uidl(struct pop3 *s, struct slice line, struct error *err)
{
	if (pop3_is_ok(line))
		return start_list(s, UIDL_LIST);
	pop3_refused(s, ERROR_CONFIG, line, err);
	if (err->kind == ERROR_CONFIG)
		error_prefix(err, "mailbox cannot be used without UIDL");
	return pop3_failed;
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
		return pop3_command(s, LIST, "LIST");
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
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	return start_list(s, LIST_LIST);
}

struct protocol_action
pop3_on_list_list(struct pop3 *s, struct slice line, struct error *err)
{
	struct slice rest = line;
	struct protocol_action action = { .todo = DO_SIZED };

	if (pop3_is_list_end(line)) {
		if (!is_complete(s, err))
			return pop3_failed;
		return pop3_enter(s, READY, DO_READY);
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
	assert(s->state == READY && number >= 1 && number <= s->expected);
	s->number = number;
	return pop3_command(s, next, "%s %u", verb, number);
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
	return pop3_enter(s, READY, DO_REFUSED);
}

struct protocol_action
pop3_on_retr(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return message_refused(s, line, err);
	pop3_body_init(&s->body);
	return pop3_enter(s, BODY, DO_BODY);
}

struct protocol_action
pop3_body_done(void *m, struct error *err)
{
	struct pop3 *s = m;

	(void)err;
	assert(s->state == BODY);
	return pop3_enter(s, READY, DO_READY);
}

struct protocol_action
pop3_on_dele(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return message_refused(s, line, err);
	return pop3_enter(s, READY, DO_DISPOSED);
}

struct protocol_action
pop3_noop(void *m, struct error *err)
{
	struct pop3 *s = m;

	(void)err;
	assert(s->state == READY);
	return pop3_command(s, NOOP, "NOOP");
}

struct protocol_action
pop3_on_noop(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	return pop3_enter(s, READY, DO_READY);
}

struct protocol_action
pop3_quit(void *m, struct error *err)
{
	struct pop3 *s = m;

	(void)err;
	assert(s->state == LOGGED_IN || s->state == READY);
	return pop3_command(s, QUIT, "QUIT");
}

/* -ERR: "some deleted messages not removed" (RFC 1939 6). */
struct protocol_action
pop3_on_quit(struct pop3 *s, struct slice line, struct error *err)
{
	if (!pop3_is_ok(line))
		return pop3_refused(s, ERROR_RETRY, line, err);
	return pop3_enter(s, QUIT, DO_CLOSE);
}
