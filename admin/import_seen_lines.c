/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_seen_lines.h"

#include "state/seen.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

static void
put_escaped(FILE *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (byte_is_graphic(s.data[i]) && s.data[i] != '%')
			putc(s.data[i], out);
		else
			fprintf(out, "%%%02X", s.data[i]);
}

static void
skip_line(struct seen *seen)
{
	if (seen->strange++ == 0)
		seen->strange_line = seen->line;
}

/* One message; `folder` is NULL with POP3, `time_s` 0 when it is unknown. */
static void
put(struct seen *seen, struct import_account *account, const char *folder,
    struct slice uid, uint64_t time_s)
{
	time_t when = (time_t)time_s;
	char text[32] = "-";
	struct tm tm;

	if (account->refused)
		return;
	if (uid.len == 0 || uid.len > SEEN_UID_MAX) {
		skip_line(seen);
		return;
	}
	if (time_s > 0 && time_s < INT64_C(253402300800) &&
	    gmtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_escaped(seen->out, slice_of(account->name));
	if (folder != NULL) {
		putc('/', seen->out);
		put_escaped(seen->out, slice_of(folder));
	}
	putc('\t', seen->out);
	put_escaped(seen->out, uid);
	fprintf(seen->out, "\tinjected\t%s\n", text);
	account->n_seen++;
}

void
seen_tell_strange(struct seen *seen)
{
	if (seen->strange > 0)
		import_say_in(seen->import,
		    (struct import_place){ seen->path, seen->strange_line },
		    IMPORT_DROPPED,
		    "this line, and %zu more like it, belong to no account",
		    seen->strange - 1);
	seen->strange = 0;
}

/* "USER@SERVER " begins each line; either may hold blanks and @. */
static bool
is_line_of(const struct import_account *a, struct slice line, struct slice *uid)
{
	if (a->state_user == NULL || a->state_host == NULL ||
	    !slice_cut_prefix(&line, slice_of(a->state_user)) ||
	    !slice_cut_prefix(&line, SLICE("@")) ||
	    !slice_cut_prefix(&line, slice_of(a->state_host)) ||
	    !slice_cut_prefix(&line, SLICE(" ")))
		return false;
	*uid = slice_trim(line);
	return true;
}

/* The account that a line belongs to.  Lines of one account stand together, so
 * the last one is asked first. */
static struct import_account *
find_of_line(struct import *import, struct import_account *last,
    struct slice line, struct slice *uid)
{
	if (last != NULL && is_line_of(last, line, uid))
		return last;
	for (size_t i = 0; i < import->n_accounts; i++)
		if (is_line_of(import->accounts[i], line, uid))
			return import->accounts[i];
	return NULL;
}

/* fetchmail: one file for all accounts. */
void
seen_take_fetchids(struct seen *seen, struct slice text)
{
	struct import_account *a = NULL;
	struct slice line, uid;

	for (seen->line = 1; slice_cut_line(&text, &line); seen->line++) {
		a = find_of_line(seen->import, a, line, &uid);
		if (a == NULL)
			skip_line(seen);
		else
			put(seen, a, NULL, uid, 0);
	}
}

static struct import_account *
find_mailbox(struct import *import, struct slice host, struct slice user)
{
	for (size_t i = 0; i < import->n_accounts; i++) {
		struct import_account *a = import->accounts[i];

		if (a->state_user != NULL && a->state_host != NULL &&
		    slice_equal(user, slice_of(a->state_user)) &&
		    slice_equal(host, slice_of(a->state_host)))
			return a;
	}
	return NULL;
}

/* mpop: " COUNT HOST USER", and so many lines "UID [TIME]"; again and again. */
void
seen_take_uidls(struct seen *seen, struct slice text)
{
	struct import_account *a = NULL;
	struct slice line, uid = { NULL, 0 }, host;
	uint64_t left = 0, time_s;

	for (seen->line = 1; slice_cut_line(&text, &line); seen->line++) {
		if (left > 0) {
			left--;
			time_s = 0;
			slice_cut_word(&line, &uid);
			line = slice_trim(line);
			slice_cut_number(&line, INT64_MAX, &time_s);
			if (a == NULL)
				skip_line(seen);
			else
				put(seen, a, NULL, uid, time_s);
			continue;
		}
		line = slice_trim(line);
		if (line.len == 0)
			continue;
		a = NULL;
		if (slice_cut_number(&line, INT64_MAX, &left) &&
		    slice_cut_word(&line, &host))
			a = find_mailbox(seen->import, host, slice_trim(line));
		else
			skip_line(seen);
	}
}

/* getmail: "UID NUL TIME", where each / of a UID became -.  Whether one was
 * there nobody knows, so both are written: what the server never lists does no
 * harm. */
static void
take_oldmail_pop3(struct seen *seen, struct import_account *a, struct slice uid,
    uint64_t time_s)
{
	char *slashes;

	put(seen, a, NULL, uid, time_s);
	if (slice_find(uid, '-') == uid.len || uid.len > SEEN_UID_MAX ||
	    a->refused)
		return;
	slashes = arena_string(&seen->import->arena, uid);
	for (char *c = slashes; *c != '\0'; c++)
		if (*c == '-')
			*c = '/';
	put(seen, a, NULL, slice_of(slashes), time_s);
	a->n_seen--; /* the same message */
}

/* "UIDVALIDITY/UID", once "UIDVALIDITY/FOLDER/UID". */
static void
take_oldmail_imap(struct seen *seen, struct import_account *a,
    const char *folder, struct slice id, uint64_t time_s)
{
	struct slice number = slice_from(id, slice_find_last(id, '/') + 1);
	struct slice validity;

	if (!slice_cut_until(&id, '/', &validity) || validity.len == 0 ||
	    number.len == 0 || !slice_all(validity, byte_is_digit) ||
	    !slice_all(number, byte_is_digit)) {
		skip_line(seen);
		return;
	}
	put(seen, a, folder,
	    slice_of(arena_printf(&seen->import->arena, "%.*s.%.*s",
		SLICE_ARG(validity), SLICE_ARG(number))),
	    time_s);
}

void
seen_take_oldmail(struct seen *seen, struct import_account *a,
    const char *folder, struct slice text)
{
	struct slice line, id;
	uint64_t time_s;

	for (seen->line = 1; slice_cut_line(&text, &line); seen->line++) {
		if (!slice_cut_until(&line, '\0', &id)) {
			skip_line(seen);
			continue;
		}
		time_s = 0;
		slice_cut_number(&line, INT64_MAX, &time_s);
		if (folder == NULL)
			take_oldmail_pop3(seen, a, id, time_s);
		else
			take_oldmail_imap(seen, a, folder, id, time_s);
	}
}
