/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_machine.h"

#include <assert.h>

struct protocol_action
imap_retrieve(void *m, uint32_t number, struct error *err)
{
	struct imap *s = m;

	(void)err;
	assert(s->phase == READY && s->calls < IMAP_WINDOW);
	s->calls++;
	/* Many servers answer in this order: it is known in time whose body
	 * comes. */
	imap_give(s, FETCH, number, "UID FETCH %u (UID BODY.PEEK[])",
	    (unsigned)number);
	return imap_send(s);
}

static struct protocol_action
about(enum protocol_do todo, uint32_t number)
{
	return (struct protocol_action){ .todo = todo, .number = number };
}

struct protocol_action
imap_begin_message(
    struct imap *s, struct slice text, uint64_t size, struct error *err)
{
	/* Without a UID so far it is the oldest: servers answer in order. */
	const struct imap_command *command = imap_find(s, FETCH, s->fetch.uid);

	if (command == NULL)
		return imap_broken(s, text, err);
	s->message = command->number;
	s->literal = size;
	s->reading = MESSAGE;
	s->cr = false;
	buf_reset(&s->response);
	return (struct protocol_action){
		.todo = DO_BODY, .number = s->message, .size = size
	};
}

/* CRLF becomes LF; anything else stays as it is. */
static size_t
unfold_line_ends(struct imap *s, struct slice in, uint8_t *out)
{
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];

		if (s->cr && c != '\n')
			out[len++] = '\r';
		s->cr = c == '\r';
		if (!s->cr)
			out[len++] = c;
	}
	if (s->literal == in.len && s->cr)
		out[len++] = '\r';
	return len;
}

/* What comes before the next line end; true when that was found. */
static bool
take_tail(struct imap *s, struct slice in, size_t *used)
{
	size_t end = slice_find(in, '\n');
	struct slice part = slice_first(in, end + 1);

	*used += part.len;
	buf_add(&s->response,
	    slice_first(part, PROTOCOL_LINE_MAX - s->response.len));
	return end < in.len;
}

bool
imap_body(void *m, struct slice in, size_t *used, uint8_t *out, size_t *out_len)
{
	struct imap *s = m;
	struct slice part = in;

	assert(s->reading != LINES);
	*used = *out_len = 0;
	if (s->reading != MESSAGE_TAIL) {
		if (part.len > s->literal)
			part = slice_first(part, (size_t)s->literal);
		if (s->reading == LITERAL)
			buf_add(&s->response, part);
		else
			*out_len = unfold_line_ends(s, part, out);
		s->literal -= part.len;
		*used = part.len;
		if (s->literal > 0)
			return false;
		if (s->reading == LITERAL)
			return true;
		s->reading = MESSAGE_TAIL;
	}
	return take_tail(s, slice_from(in, *used), used);
}

/* The response must end here, as one to what was asked. */
static bool
is_tail_valid(struct imap *s, struct slice tail)
{
	s->fetch.body = IMAP_STRING_BODY;
	return s->response.len < PROTOCOL_LINE_MAX &&
	       imap_read_fetch(&tail, &s->fetch) && s->fetch.uid == s->message;
}

struct protocol_action
imap_body_done(void *m, struct error *err)
{
	struct imap *s = m;
	enum imap_reading reading = s->reading;
	struct slice tail = slice_trim(buf_slice(&s->response));
	struct imap_command *command;

	s->reading = LINES;
	if (reading == LITERAL)
		return imap_wait;
	s->dispatched = true;
	command = imap_find(s, FETCH, s->message);
	if (command == NULL || !is_tail_valid(s, tail))
		return imap_broken(s, tail, err);
	command->answered = true;
	return imap_wait;
}

/* FETCH responses that nobody asked for tell of changed flags. */
struct protocol_action
imap_on_fetch(
    struct imap *s, uint32_t sequence, struct slice rest, struct error *err)
{
	struct slice line = rest;

	if (!imap_open_fetch(&rest, &s->fetch) ||
	    !imap_read_fetch(&rest, &s->fetch) ||
	    s->fetch.body == IMAP_BODY_NEXT)
		return imap_broken(s, line, err);
	if (s->fetch.uid == 0 || !s->fetch.sized)
		return imap_wait;
	return imap_listed(s, sequence, err);
}

/* The last reply about a message. */
static struct protocol_action
message_refused(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	s->calls--;
	if (imap_explain(
		s, imap_kind_name(command->kind), status, ERROR_REFUSED, err))
		return imap_failed;
	return about(DO_REFUSED, command->number);
}

static struct protocol_action
disposed(struct imap *s, const struct imap_command *command, bool stays)
{
	struct protocol_action action = about(DO_DISPOSED, command->number);

	s->calls--;
	action.stays = stays;
	return action;
}

struct protocol_action
imap_on_fetch_reply(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	if (!command->answered && status->condition != IMAP_OK)
		return message_refused(s, command, status, err);
	s->calls--;
	if (command->answered)
		return imap_ready;
	error_set(err, ERROR_REFUSED,
	    "server sent nothing, or an empty message, for UID %u",
	    command->number);
	return about(DO_REFUSED, command->number);
}

/* System flags, and keywords (RFC 9051 2.3.2). */
static bool
is_keyword(struct slice word)
{
	slice_cut_prefix(&word, SLICE("\\"));
	for (size_t i = 0; i < word.len; i++) {
		if (!byte_is_graphic(word.data[i]) ||
		    slice_find(SLICE("(){%*\"\\]"), word.data[i]) < 8)
			return false;
	}
	return word.len > 0 && word.len <= 64;
}

static void
give_mark(struct imap *s, uint32_t number)
{
	imap_give(s, MARK, number, "UID STORE %u +FLAGS.SILENT (\\Deleted)",
	    (unsigned)number);
	if (s->facts.uidplus)
		imap_give(
		    s, EXPUNGE, number, "UID EXPUNGE %u", (unsigned)number);
}

/* False when the folder has no possible name. */
static bool
give_move(struct imap *s, uint32_t number, struct error *err)
{
	struct buf name;
	bool valid;

	buf_init(&name, IMAP_QUOTED_MAX);
	valid = imap_add_folder(s, &name, s->login->account->dispose.text, err);
	if (valid && s->facts.move)
		imap_give(s, MOVE, number, "UID MOVE %u %s", (unsigned)number,
		    buf_string(&name));
	else if (valid)
		imap_give(s, COPY, number, "UID COPY %u %s", (unsigned)number,
		    buf_string(&name));
	buf_clear(&name);
	return valid;
}

static bool
give_flag(struct imap *s, uint32_t number, struct error *err)
{
	const char *keyword = s->login->account->dispose.text;

	if (!is_keyword(slice_of(keyword)))
		return error_set(
		    err, ERROR_CONFIG, "not a keyword: %s", keyword);
	if (s->keyword_lost)
		return error_set(err, ERROR_CONFIG,
		    "server does not keep the keyword %s in this folder; use "
		    "dispose: {move: FOLDER}, or keep: forever",
		    keyword);
	imap_give(s, FLAG, number, "UID STORE %u +FLAGS.SILENT (%s)",
	    (unsigned)number, keyword);
	return true;
}

static bool
give_disposal(struct imap *s, uint32_t number, struct error *err)
{
	if (s->facts.read_only)
		return error_set(
		    err, ERROR_REFUSED, "server opened the folder read-only");
	switch (s->login->account->dispose.kind) {
	case DISPOSE_MOVE:
		return give_move(s, number, err);
	case DISPOSE_FLAG:
		return give_flag(s, number, err);
	case DISPOSE_DELETE:
		break;
	}
	give_mark(s, number);
	return true;
}

struct protocol_action
imap_dispose(void *m, uint32_t number, struct error *err)
{
	struct imap *s = m;

	assert(s->phase == READY && s->calls < IMAP_WINDOW);
	if (!give_disposal(s, number, err))
		return about(DO_REFUSED, number);
	s->calls++;
	return imap_send(s);
}

struct protocol_action
imap_on_mark(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	struct imap_command *expunge = imap_find(s, EXPUNGE, command->number);

	if (status->condition != IMAP_OK) {
		/* It is under way for nothing, and its reply is still due. */
		if (expunge != NULL) {
			expunge->kind = EXPUNGE_NOTHING;
			s->calls++;
		}
		return message_refused(s, command, status, err);
	}
	if (expunge != NULL)
		return imap_wait;
	s->marked = true;
	return disposed(s, command, !s->login->account->full_expunge);
}

struct protocol_action
imap_on_expunge(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	/* RFC 9051 5.5: what depends on order is answered in order. */
	if (imap_find(s, MARK, command->number) != NULL)
		return imap_broken(s, status->words, err);
	return imap_on_disposed(s, command, status, err);
}

struct protocol_action
imap_on_expunge_nothing(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	(void)status;
	(void)err;
	s->calls--;
	return imap_ready;
}

struct protocol_action
imap_on_disposed(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	if (status->condition != IMAP_OK)
		return message_refused(s, command, status, err);
	return disposed(s, command, command->kind == FLAG);
}

/* Mailutils says "NO UID COPY [TRYCREATE] failed". */
static bool
asks_to_create(const struct imap_status *status)
{
	struct slice words = status->words, before;

	while (slice_cut_until(&words, '[', &before)) {
		if (slice_cut_prefix_nocase(&words, SLICE("TRYCREATE]")))
			return true;
	}
	return false;
}

/* The folder is not there: it is created, and all is asked for once more. */
static bool
try_again(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	struct buf name;

	if (command->again || !asks_to_create(status))
		return false;
	buf_init(&name, IMAP_QUOTED_MAX);
	if (!s->created &&
	    imap_add_folder(s, &name, s->login->account->dispose.text, err))
		imap_give(s, IGNORED, 0, "CREATE %s", buf_string(&name));
	buf_clear(&name);
	s->created = true;
	if (!give_move(s, command->number, err))
		return false;
	s->queue[s->queued - 1].again = true;
	return true;
}

struct protocol_action
imap_on_move(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	if (status->condition == IMAP_OK)
		return disposed(s, command, false);
	if (try_again(s, command, status, err))
		return imap_send(s);
	return message_refused(s, command, status, err);
}

struct protocol_action
imap_on_copy(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	if (status->condition == IMAP_OK) {
		give_mark(s, command->number);
		return imap_send(s);
	}
	if (try_again(s, command, status, err))
		return imap_send(s);
	return message_refused(s, command, status, err);
}

struct protocol_action
imap_on_ignored(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)s;
	(void)command;
	(void)status;
	(void)err;
	return imap_wait;
}
