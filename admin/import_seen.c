/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_seen - which messages the other program has collected.
 *
 * Only the lines of accounts that were read are taken; the files are cut at
 * STATE_MAX bytes.
 */
#include "admin/import_output.h"

#include "admin/import_seen_lines.h"
#include "base/file.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATE_MAX = 64 * 1024 * 1024 };

static bool
is_pop3(const struct import_account *a)
{
	return a->protocol == IMPORT_POP3 || a->protocol == IMPORT_POP3S;
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
	seen_take_oldmail(seen, a, folder, buf_slice(&text));
	buf_clear(&text);
	seen_tell_strange(seen);
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
	seen_tell_strange(seen);
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
			take_file(seen, path, seen_take_uidls);
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
			    "account %s: %zu message%s not collected again",
			    a->name, a->n_seen,
			    a->n_seen == 1 ? " is" : "s are");
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
		take_file(&seen, path, seen_take_fetchids);
	else if (state == IMPORT_STATE_OLDMAIL)
		take_oldmail_path(&seen, path);
	else if (is_folder(path))
		take_uidls_folder(&seen, path);
	else
		take_file(&seen, path, seen_take_uidls);
	tell_counts(import, path);
}
