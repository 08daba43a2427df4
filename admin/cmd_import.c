/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul import - the configuration of another program as ours: YAML on
 * standard output, what became of each statement on standard error.
 */
#include "admin/commands.h"

#include "admin/import_output.h"
#include "admin/options.h"
#include "base/file.h"
#include "mail/domain.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

struct source {
	const char *name;
	import_reader *read;
	enum import_state state; /* how it remembers what it collected */
};
static const struct source sources[] = {
	{ "fetchmailrc", import_fetchmailrc, IMPORT_STATE_FETCHIDS },
	{ "getmailrc", import_getmailrc, IMPORT_STATE_OLDMAIL },
	{ "mpoprc", import_mpoprc, IMPORT_STATE_UIDLS },
	{ "csv", import_csv, IMPORT_STATE_NONE },
};

struct arguments {
	const struct source *source;
	const char *file, *domain, *secrets, *state, *seen;
	char normalised[DOMAIN_SIZE];
	char secrets_path[PATH_MAX];
};

static bool
refuse(const char *reason)
{
	fprintf(stderr, "mailhaul import: %s\n", reason);
	return false;
}

static bool
read_arguments(int argc, char **argv, struct arguments *a)
{
	const struct command_option options[] = {
		{ "domain", 0, &a->domain, NULL },
		{ "secrets", 0, &a->secrets, NULL },
		{ "state", 0, &a->state, NULL },
		{ "seen", 0, &a->seen, NULL },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments = options_read(argc, argv, options);

	if (arguments == NULL)
		return false;
	if (arguments[0] == NULL || arguments[1] == NULL ||
	    arguments[2] != NULL)
		return refuse("needs the kind of file, and the file");
	a->file = arguments[1];
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strcmp(arguments[0], sources[i].name) == 0)
			a->source = &sources[i];
	if (a->source == NULL)
		return refuse("knows fetchmailrc, getmailrc, mpoprc and csv");
	if ((a->state == NULL) != (a->seen == NULL))
		return refuse("--state and --seen belong together");
	if (a->state != NULL && a->source->state == IMPORT_STATE_NONE)
		return refuse("a csv file has no state");
	if (a->domain == NULL)
		return true;
	if (!domain_normalise(slice_of(a->domain), a->normalised))
		return refuse("--domain is no domain");
	a->domain = a->normalised;
	return true;
}

/* The configuration may lie anywhere: its paths are absolute. */
static bool
find_secrets_folder(struct arguments *a)
{
	struct stat st;

	if (a->secrets == NULL)
		return true;
	if (realpath(a->secrets, a->secrets_path) == NULL ||
	    stat(a->secrets_path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		fprintf(
		    stderr, "mailhaul import: %s is no folder\n", a->secrets);
		return false;
	}
	a->secrets = a->secrets_path;
	return true;
}

/* Whoever owns the file runs the program, and gets its mail. */
static void
find_owner(struct import *import, const char *path)
{
	struct passwd entry, *found = NULL;
	char room[4096];
	struct stat st;

	if (stat(path, &st) != 0 ||
	    getpwuid_r(st.st_uid, &entry, room, sizeof(room), &found) != 0 ||
	    found == NULL)
		return;
	import->owner = arena_string(&import->arena, slice_of(found->pw_name));
	import->home = arena_string(&import->arena, slice_of(found->pw_dir));
}

static void
find_folder(struct import *import, const char *path)
{
	char whole[PATH_MAX];
	struct slice folder;

	if (realpath(path, whole) == NULL)
		return;
	folder = slice_of(whole);
	folder.len = slice_find_last(folder, '/');
	import->folder = arena_string(&import->arena, folder);
}

static bool
write_seen(struct import *import, const struct arguments *a)
{
	struct error err;
	char *text = NULL;
	size_t len = 0;
	FILE *out;
	bool ok;

	if (a->seen == NULL)
		return true;
	out = open_memstream(&text, &len);
	if (out == NULL)
		abort();
	import_seen(import, a->source->state, a->state, out);
	fclose(out);
	ok = file_replace(
	    a->seen, (struct slice){ (const uint8_t *)text, len }, 0600, &err);
	if (!ok)
		fprintf(stderr, "mailhaul import: %s\n", err.text);
	free(text);
	return ok;
}

static int
run(const struct arguments *a, struct import *import, struct slice source)
{
	import->domain = a->domain;
	find_owner(import, a->file);
	find_folder(import, a->file);
	import_read(import, a->source->read, source);
	import_secrets(import, a->secrets);
	import_write_yaml(import, stdout);
	if (!write_seen(import, a)) {
		import_report(import, a->file, stderr);
		return EX_CANTCREAT;
	}
	return import_report(import, a->file, stderr);
}

int
cmd_import(int argc, char **argv)
{
	struct arguments a = { .file = NULL };
	struct import import;
	struct buf source;
	struct error err;
	int status;

	if (!read_arguments(argc, argv, &a))
		return EX_USAGE;
	if (!find_secrets_folder(&a))
		return EX_CANTCREAT;
	buf_init(&source, IMPORT_SOURCE_MAX);
	import_init(&import);
	if (file_read(a.file, &source, &err)) {
		status = run(&a, &import, buf_slice(&source));
	} else {
		fprintf(stderr, "mailhaul import: %s\n", err.text);
		status = EX_NOINPUT;
	}
	import_clear(&import);
	buf_wipe(&source);
	return status;
}
