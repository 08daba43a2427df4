/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_seen - which messages the other program has collected.
 *
 * Only the lines of accounts that were read are taken; the files are cut at
 * STATE_MAX bytes.
 */
#include "admin/import_output.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STATE_MAX = 64 * 1024 * 1024, UID_MAX = 1024 };

struct seen {
	struct import *import;
	FILE *out;
	const char *path; /* of the file at hand */
	size_t line;
	size_t strange; /* lines that are no line of such a file */
	size_t strange_line;
};

static void
put_escaped(FILE *out, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (byte_is_graphic(s.data[i]) && s.data[i] != '%')
			putc(s.data[i], out);
		else
			fprintf(out, "%%%02X", s.data[i]);
}

/* One message; `folder` is NULL with POP3, `time_s` 0 when it is unknown. */
static void
put(struct seen *seen, struct import_account *account, const char *folder,
    struct slice uid, uint64_t time_s)
{
	time_t when = (time_t)time_s;
	char text[32] = "-";
	struct tm tm;

	if (uid.len == 0 || uid.len > UID_MAX || account->refused)
		return;
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

static void
skip_line(struct seen *seen)
{
	if (seen->strange++ == 0)
		seen->strange_line = seen->line;
}

static void
tell_strange(struct seen *seen)
{
	if (seen->strange > 0)
		import_say_in(seen->import,
		    (struct import_place){ seen->path, seen->strange_line },
		    IMPORT_DROPPED,
		    "this line, and %zu more like it, belong to no account",
		    seen->strange - 1);
	seen->strange = 0;
}

static bool
is_pop3(const struct import_account *a)
{
	return a->protocol == IMPORT_POP3 || a->protocol == IMPORT_POP3S;
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
static void
take_fetchids(struct seen *seen, struct slice text)
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
static void
take_uidls(struct seen *seen, struct slice text)
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
	if (slice_find(uid, '-') == uid.len)
		return;
	slashes = arena_string(&seen->import->arena, uid);
	for (char *c = slashes; *c != '\0'; c++)
		if (*c == '-')
			*c = '/';
	put(seen, a, NULL, slice_of(slashes), time_s);
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

static void
take_oldmail(struct seen *seen, struct import_account *a, const char *folder,
    struct slice text)
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

/* False when it cannot be read; that is told unless it may be missing. */
static bool
read_state(struct seen *seen, const char *path, struct buf *text)
{
	struct error err;

	seen->path = arena_string(&seen->import->arena, slice_of(path));
	buf_init(text, STATE_MAX);
	if (file_read(path, text, &err))
		return true;
	import_say_in(seen->import, (struct import_place){ seen->path, 0 },
	    IMPORT_REFUSED, "%s", err.text);
	buf_clear(text);
	return false;
}

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* As getmail does: each run of these becomes one byte. */
static char *
stripped(struct arena *arena, const char *name, char replacement)
{
	char *copy = arena_string(arena, slice_of(name)), *end = copy;
	bool run = false;

	for (const char *c = copy; *c != '\0'; c++) {
		bool strange = slice_find(SLICE("/\\:;<>|"), (uint8_t)*c) < 7;

		if (!strange || !run)
			*end++ = strange ? replacement : *c;
		run = strange;
	}
	*end = '\0';
	return copy;
}

static const char *
oldmail_name(struct import *import, const struct import_account *a)
{
	return stripped(&import->arena,
	    arena_printf(&import->arena, "oldmail-%s-%u-%s",
		a->state_host == NULL ? "" : a->state_host, a->state_port,
		a->state_user == NULL ? "" : a->state_user),
	    '-');
}

/* One file of one account; which folder it is about, its name says. */
static void
take_oldmail_file(struct seen *seen, struct import_account *a, const char *path,
    const char *folder)
{
	struct buf text;

	if (!read_state(seen, path, &text))
		return;
	take_oldmail(seen, a, folder, buf_slice(&text));
	buf_clear(&text);
	tell_strange(seen);
}

/* The folder that the rest of a file's name stands for. */
static const char *
folder_of(
    struct import *import, const struct import_account *a, const char *rest)
{
	const struct import_list *folders = &a->folders;

	/* In either case the same folder (RFC 3501, 5.1). */
	if (slice_equal_nocase(slice_of(rest), SLICE("INBOX")))
		return "INBOX";
	for (size_t i = 0; i < folders->n; i++)
		if (strcmp(stripped(&import->arena, folders->items[i], '.'),
			rest) == 0)
			return folders->items[i];
	return arena_string(&import->arena, slice_of(rest));
}

/* What a file is to an account: not its own, its only one, or that of a
 * folder. */
static bool
is_oldmail_of(struct seen *seen, const struct import_account *a,
    const char *file, const char **folder)
{
	struct slice rest = slice_of(file);

	*folder = NULL;
	if (!slice_cut_prefix(&rest, slice_of(oldmail_name(seen->import, a))))
		return false;
	if (is_pop3(a))
		return rest.len == 0;
	if (!slice_cut_prefix(&rest, SLICE("-")))
		return false;
	*folder = folder_of(seen->import, a, (const char *)rest.data);
	return true;
}

static void
take_oldmail_named(struct seen *seen, const char *path, const char *name)
{
	struct import *import = seen->import;
	const char *folder;
	bool any = false;

	for (size_t i = 0; i < import->n_accounts; i++)
		if (is_oldmail_of(seen, import->accounts[i], name, &folder)) {
			take_oldmail_file(
			    seen, import->accounts[i], path, folder);
			any = true;
		}
	if (!any)
		import_say_in(import, (struct import_place){ path, 0 },
		    IMPORT_DROPPED,
		    "of no account in this file; it should be called %s...",
		    import->n_accounts == 0
			? "oldmail-"
			: oldmail_name(import, import->accounts[0]));
}

static void
take_oldmail_path(struct seen *seen, const char *path)
{
	struct import *import = seen->import;
	const char *slash = strrchr(path, '/');
	struct dirent *entry;
	DIR *folder;

	if (!is_folder(path)) {
		take_oldmail_named(
		    seen, path, slash == NULL ? path : slash + 1);
		return;
	}
	folder = opendir(path);
	while (folder != NULL && (entry = readdir(folder)) != NULL) {
		const char *unused;

		for (size_t i = 0; i < import->n_accounts; i++)
			if (is_oldmail_of(seen, import->accounts[i],
				entry->d_name, &unused)) {
				take_oldmail_named(seen,
				    arena_printf(&import->arena, "%s/%s", path,
					entry->d_name),
				    entry->d_name);
				break;
			}
	}
	if (folder != NULL)
		closedir(folder);
}

static void
take_file(struct seen *seen, const char *path,
    void (*take)(struct seen *, struct slice))
{
	struct buf text;

	if (!read_state(seen, path, &text))
		return;
	take(seen, buf_slice(&text));
	buf_clear(&text);
	tell_strange(seen);
}

/* mpop has a file for each account, or one for several; an account that was never
 * polled has none. */
static void
take_uidls_folder(struct seen *seen, const char *folder)
{
	struct import *import = seen->import;
	struct import_list done = { .n = 0 };

	for (size_t i = 0; i < import->n_accounts; i++) {
		const char *name = import->accounts[i]->state_file, *path;
		const char *slash = name == NULL ? NULL : strrchr(name, '/');
		size_t before = done.n;

		if (name == NULL)
			continue;
		path = arena_printf(&import->arena, "%s/%s", folder,
		    slash == NULL ? name : slash + 1);
		import_add_once(import, &done, path);
		if (done.n > before && access(path, F_OK) == 0)
			take_file(seen, path, take_uidls);
	}
}

static void
tell_counts(struct import *import, const char *path)
{
	for (size_t i = 0; i < import->n_accounts; i++) {
		const struct import_account *a = import->accounts[i];

		if (a->refused)
			continue;
		if (a->n_seen > 0)
			import_say_in(import, (struct import_place){ path, 0 },
			    IMPORT_TAKEN,
			    "account %s: %zu messages are not collected again",
			    a->name, a->n_seen);
		else
			import_say_in(import, (struct import_place){ path, 0 },
			    IMPORT_CHANGED,
			    "account %s: nothing is known here; all that is "
			    "in the mailbox is collected, unless you run "
			    "mailhaul seen baseline %s",
			    a->name, a->name);
	}
}

void
import_seen(
    struct import *import, enum import_state state, const char *path, FILE *out)
{
	struct seen seen = { .import = import, .out = out };

	fputs("# ACCOUNT[/FOLDER], UID, state, time\n", out);
	if (state == IMPORT_STATE_FETCHIDS)
		take_file(&seen, path, take_fetchids);
	else if (state == IMPORT_STATE_OLDMAIL)
		take_oldmail_path(&seen, path);
	else if (is_folder(path))
		take_uidls_folder(&seen, path);
	else
		take_file(&seen, path, take_uidls);
	tell_counts(import, path);
}
