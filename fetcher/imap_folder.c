/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_machine.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

bool
imap_add_folder(
    const struct imap *s, struct buf *out, const char *name, struct error *err)
{
	struct buf wire;
	bool valid;

	buf_init(&wire, 4 * IMAP_NAME_MAX);
	valid = s->utf8_names ? buf_add_string(&wire, name)
			      : imap_name_encode(slice_of(name), &wire);
	if (valid)
		buf_add_quoted(out, buf_slice(&wire));
	else
		error_set(err, ERROR_CONFIG,
		    "not the name of a folder, in UTF-8: %s", name);
	buf_clear(&wire);
	return valid;
}

struct protocol_action
imap_folders(void *m, const char *pattern, struct error *err)
{
	struct imap *s = m;
	struct buf name;
	bool valid;

	assert(s->queued == 0 && s->phase >= NO_FOLDER && s->phase <= READY);
	s->folders = 0;
	buf_init(&name, IMAP_QUOTED_MAX);
	valid = imap_add_folder(s, &name, pattern, err);
	if (valid)
		imap_give(s, LIST, 0, "LIST \"\" %s%s", buf_string(&name),
		    s->special_use && s->list_extended ? " RETURN (SPECIAL-USE)"
						       : "");
	buf_clear(&name);
	return valid ? imap_send(s) : imap_failed;
}

/* What is no folder but a place in the hierarchy (RFC 9051 7.3.1), and what has
 * a purpose (RFC 6154), or shows what lies elsewhere (RFC 8457). */
static const struct {
	struct slice name;
	bool empty;
} attributes[] = {
	{ SLICE("\\Noselect"), true },
	{ SLICE("\\NonExistent"), true },
	{ SLICE("\\All"), false },
	{ SLICE("\\Drafts"), false },
	{ SLICE("\\Flagged"), false },
	{ SLICE("\\Important"), false },
	{ SLICE("\\Junk"), false },
	{ SLICE("\\Sent"), false },
	{ SLICE("\\Trash"), false },
};

static bool
cut_attributes(struct slice *s, bool *empty, bool *special)
{
	struct imap_token token;

	if (!imap_cut_token(s, &token) || token.kind != IMAP_OPEN)
		return false;
	while (imap_cut_token(s, &token) && token.kind == IMAP_ATOM) {
		for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes);
		     i++) {
			if (slice_equal_nocase(token.text, attributes[i].name))
				*(attributes[i].empty ? empty : special) = true;
		}
	}
	return token.kind == IMAP_CLOSE;
}

/* A name that cannot be decoded is told as it is: opening it will fail, and
 * somebody will see its name. */
static void
take_name(struct imap *s, struct imap_token name)
{
	struct buf wire;

	buf_init(&wire, IMAP_LITERAL_MAX);
	buf_clear(&s->name);
	buf_init(&s->name, IMAP_LITERAL_MAX);
	imap_add_text(&wire, name);
	if (slice_equal_nocase(buf_slice(&wire), SLICE("INBOX")))
		buf_add(&s->name, SLICE("INBOX"));
	else if (s->utf8_names || !imap_name_decode(buf_slice(&wire), &s->name))
		buf_add(&s->name, buf_slice(&wire));
	buf_clear(&wire);
}

struct protocol_action
imap_on_list(
    struct imap *s, uint32_t number, struct slice rest, struct error *err)
{
	struct slice line = rest;
	struct imap_token delimiter, name;
	bool empty = false, special = false;

	(void)number;
	if (imap_find(s, LIST, 0) == NULL)
		return imap_wait;
	if (!cut_attributes(&rest, &empty, &special) ||
	    !imap_cut_token(&rest, &delimiter) ||
	    !imap_cut_token(&rest, &name) || name.kind == IMAP_OPEN ||
	    name.kind == IMAP_CLOSE)
		return imap_broken(s, line, err);
	take_name(s, name);
	if (empty || s->name.len == 0)
		return imap_wait;
	if (++s->folders > PROTOCOL_FOLDER_MAX) {
		error_set(err, ERROR_PROTOCOL, "more than %d folders match",
		    PROTOCOL_FOLDER_MAX);
		return imap_failed;
	}
	return (struct protocol_action){
		.todo = DO_FOLDER, .size = special, .text = buf_slice(&s->name)
	};
}

struct protocol_action
imap_on_list_reply(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "LIST", status, ERROR_REFUSED, err);
	return (struct protocol_action){ .todo = DO_FOLDERS };
}

/* Without UIDPLUS, and if the administrator allows it. */
static void
give_expunge(struct imap *s)
{
	if (s->marked && s->login->account->full_expunge)
		imap_give(s, EXPUNGE_MARKED, 0, "EXPUNGE");
	s->marked = false;
}

static void
begin_folder(struct imap *s)
{
	s->phase = LISTING;
	s->uids_stay = true;
	s->exists_known = s->keyword_lost = false;
	s->facts.read_only = s->facts.news = false;
	s->exists = s->last_uid = 0;
	s->uidvalidity = 0;
}

struct protocol_action
imap_open(void *m, const char *folder, struct error *err)
{
	struct imap *s = m;
	struct buf name;
	bool valid;

	assert(s->queued == 0 && s->phase >= NO_FOLDER && s->phase <= READY);
	buf_init(&name, IMAP_QUOTED_MAX);
	valid = imap_add_folder(s, &name, folder, err);
	if (valid) {
		give_expunge(s);
		begin_folder(s);
		imap_give(s, SELECT, 0, "SELECT %s", buf_string(&name));
	}
	buf_clear(&name);
	if (valid)
		return imap_send(s);
	return (struct protocol_action){ .todo = DO_REFUSED };
}

struct protocol_action
imap_on_expunge_marked(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "EXPUNGE", status, ERROR_REFUSED, err);
	return imap_wait;
}

static bool
is_usable(const struct imap *s, struct error *err)
{
	if (!s->exists_known)
		return error_set(err, ERROR_PROTOCOL,
		    "server did not say how many messages there are (EXISTS)");
	if (s->uidvalidity == 0 || !s->uids_stay)
		return error_set(err, ERROR_CONFIG,
		    "folder cannot be used: the server gives its messages no "
		    "lasting UIDs (UIDVALIDITY)");
	return true;
}

struct protocol_action
imap_on_select(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	bool session = false;

	(void)command;
	if (status->condition != IMAP_OK)
		session = imap_explain(s, "SELECT", status, ERROR_REFUSED, err);
	if (session)
		return imap_failed;
	if (status->condition != IMAP_OK || !is_usable(s, err)) {
		s->phase = NO_FOLDER;
		return (struct protocol_action){ .todo = DO_REFUSED };
	}
	s->facts.read_only =
	    slice_equal_nocase(status->code, SLICE("READ-ONLY"));
	s->facts.news = false;
	if (s->exists == 0) {
		s->phase = READY;
		return imap_ready;
	}
	s->next = 1;
	s->due = s->exists;
	imap_give(s, FETCH_ALL, 0, "UID FETCH 1:* (UID RFC822.SIZE)");
	return imap_send(s);
}

/* False when it is not the next one, or there cannot be that many. */
static bool
is_in_sequence(struct imap *s, uint32_t sequence, struct error *err)
{
	if (sequence > s->exists)
		return error_set(err, ERROR_PROTOCOL,
		    "listing: message %u, but EXISTS said %u", sequence,
		    s->exists);
	if (imap_find(s, FETCH_ALL, 0) == NULL)
		return true;
	if (sequence != s->next || s->fetch.uid <= s->last_uid)
		return error_set(err, ERROR_PROTOCOL,
		    "listing: message %u with UID %u does not follow message "
		    "%u with UID %u",
		    sequence, s->fetch.uid, s->next - 1, s->last_uid);
	s->next++;
	return true;
}

struct protocol_action
imap_listed(struct imap *s, uint32_t sequence, struct error *err)
{
	int len;

	if (imap_find(s, FETCH_ALL, 0) == NULL &&
	    imap_find(s, FETCH_NEW, 0) == NULL)
		return imap_wait;
	if (!is_in_sequence(s, sequence, err))
		return imap_failed;
	/* "UID FETCH 9:*" names the last message, even if that is 5. */
	if (s->fetch.uid <= s->last_uid)
		return imap_wait;
	s->last_uid = s->fetch.uid;
	len = snprintf(s->uid, sizeof(s->uid), "%" PRIu64 ".%" PRIu32,
	    s->uidvalidity, s->fetch.uid);
	return (struct protocol_action){ .todo = DO_LISTED,
		.number = s->fetch.uid,
		.size = s->fetch.size,
		.text = { (const uint8_t *)s->uid, (size_t)len } };
}

static struct protocol_action
enter_ready(struct imap *s)
{
	s->phase = READY;
	return imap_ready;
}

struct protocol_action
imap_on_fetch_all(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "listing", status, ERROR_RETRY, err);
	if (s->next - 1 < s->due) {
		error_set(err, ERROR_PROTOCOL,
		    "listing incomplete: %u entries, but EXISTS said %u",
		    s->next - 1, s->due);
		return imap_failed;
	}
	return enter_ready(s);
}

static struct protocol_action
fetch_new(struct imap *s)
{
	s->facts.news = false;
	if (s->exists == 0 || s->last_uid == UINT32_MAX)
		return enter_ready(s);
	imap_give(s, FETCH_NEW, 0, "UID FETCH %u:* (UID RFC822.SIZE)",
	    (unsigned)s->last_uid + 1);
	return imap_send(s);
}

struct protocol_action
imap_refresh(void *m, struct error *err)
{
	struct imap *s = m;

	(void)err;
	assert(s->queued == 0 && s->phase == READY);
	s->phase = LISTING;
	if (s->facts.news)
		return fetch_new(s);
	imap_give(s, NEWS, 0, "NOOP");
	return imap_send(s);
}

struct protocol_action
imap_on_news(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "NOOP", status, ERROR_RETRY, err);
	return fetch_new(s);
}

struct protocol_action
imap_on_fetch_new(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "listing", status, ERROR_RETRY, err);
	return enter_ready(s);
}

struct protocol_action
imap_noop(void *m, struct error *err)
{
	struct imap *s = m;

	(void)err;
	assert(s->phase == READY && s->calls < IMAP_WINDOW);
	s->calls++;
	imap_give(s, NOOP, 0, "NOOP");
	return imap_send(s);
}

struct protocol_action
imap_on_noop(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)command;
	s->calls--;
	if (status->condition != IMAP_OK)
		return imap_refused(s, "NOOP", status, ERROR_RETRY, err);
	return imap_ready;
}

struct protocol_action
imap_quit(void *m, struct error *err)
{
	struct imap *s = m;

	(void)err;
	assert(s->queued == 0 && s->phase >= NO_FOLDER && s->phase <= READY);
	give_expunge(s);
	s->phase = LEAVING;
	imap_give(s, LOGOUT, 0, "LOGOUT");
	return imap_send(s);
}

/* All that was disposed of has been answered for: nothing depends on it. */
struct protocol_action
imap_on_logout(struct imap *s, const struct imap_command *command,
    const struct imap_status *status, struct error *err)
{
	(void)s;
	(void)command;
	(void)status;
	(void)err;
	return (struct protocol_action){ .todo = DO_CLOSE };
}
