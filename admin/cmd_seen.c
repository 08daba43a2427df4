/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul seen - what the state remembers of the messages at the providers, and
 * the admin's word on whole mailboxes.
 *
 * Looking is reading the state; a change: state_change.
 */
#include "admin/commands.h"
#include "admin/json_text.h"
#include "admin/options.h"
#include "admin/run_as.h"
#include "admin/state_change.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/control_socket.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/readable.h"
#include "recipients/candidates.h"
#include "state/seen_text.h"

#define JSON_HEAD "{\"version\": 1, \"messages\": ["

struct seen_command {
	const char *config_path;
	struct config *config;
	bool json, all;
	char **arguments; /* NULL at the end */
	struct error err;
	uint64_t shown;
};

static bool
read_options(int argc, char **argv, struct seen_command *c)
{
	const struct command_option options[] = {
		{ "config", 'c', &c->config_path, NULL },
		{ "json", 0, NULL, &c->json },
		{ "all", 0, NULL, &c->all },
		{ NULL, 0, NULL, NULL },
	};

	c->arguments = options_read(argc, argv, options);
	return c->arguments != NULL && c->arguments[0] != NULL;
}

static const char *
mailbox_name(const char *key)
{
	const char *colon = strchr(key, ':');

	return colon == NULL ? key : colon + 1;
}

static json_t *
row_json(const struct seen_entry *e)
{
	char content[DIGEST_HEX_SIZE] = "";

	if (e->content != NULL)
		hex_write(
		    (struct slice){ e->content, SEEN_CONTENT_SIZE }, content);
	return json_pack("{s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:o, s:s}",
	    "mailbox", json_text(mailbox_name(e->mailbox)), "uid",
	    json_text_of(e->uid), "id", json_text(e->id), "status",
	    seen_status_name(e->row.status), "since_ms",
	    (json_int_t)e->since_ms, "injected_ms",
	    (json_int_t)e->row.injected_ms, "tries", (json_int_t)e->row.tries,
	    "size", (json_int_t)e->row.size, "reason", json_text(e->reason),
	    "content", content);
}

/* One by one: there may be a million. */
static void
print_json(struct seen_command *c, const struct seen_entry *e)
{
	json_t *row = row_json(e);

	fputs(c->shown == 0 ? JSON_HEAD "\n" : ",\n", stdout);
	json_dumpf(row, stdout, JSON_SORT_KEYS);
	json_decref(row);
}

static void
print_text(const struct seen_entry *e)
{
	char time[READABLE_SIZE], uid[4 * SEEN_UID_MAX + 4];
	char mailbox[2 * SEEN_MAILBOX_MAX];
	int64_t when =
	    e->row.injected_ms != 0 ? e->row.injected_ms : e->since_ms;

	bool copy = e->row.status == SEEN_DUPLICATE;

	printf("%s  %-9s  %s  uid %s%s%s%s%s\n", readable_time(when, time),
	    seen_status_name(e->row.status),
	    log_safe(
		mailbox, sizeof(mailbox), slice_of(mailbox_name(e->mailbox))),
	    log_safe(uid, sizeof(uid), e->uid), e->id[0] == '\0' ? "" : "  id ",
	    e->id, copy ? "  copy of " : "", copy ? e->reason : "");
}

static void
on_listed(void *arg, const struct seen_entry *e)
{
	struct seen_command *c = arg;

	if (c->json)
		print_json(c, e);
	else
		print_text(e);
	c->shown++;
}

static void
on_exported(void *arg, const struct seen_entry *e)
{
	struct seen_command *c = arg;
	struct buf line;

	buf_init(&line, SEEN_LINE_MAX);
	seen_text_write(e, &line);
	fputs(buf_string(&line), stdout);
	buf_clear(&line);
	c->shown++;
}

/* What is remembered of accounts that are gone can be looked at, too: so only
 * where nothing is. */
static int
known_account(const struct seen_command *c, const char *name)
{
	if (config_account(c->config, name) != NULL)
		return EX_OK;
	fprintf(stderr, "mailhaul seen: there is no account %s\n", name);
	return EX_USAGE;
}

static int
visit(struct seen_command *c, seen_visitor *visitor)
{
	const char *name = c->arguments[1];
	char key[ACCOUNT_KEY_SIZE] = "";
	struct seen *seen;
	bool ok;

	if (name != NULL && c->arguments[2] != NULL)
		return EX_USAGE;
	if (name != NULL)
		account_key(
		    &(struct account){ .name = name }, key, sizeof(key));
	seen = seen_open_readonly(c->config->state_dir, &c->err);
	if (seen == NULL)
		return EX_UNAVAILABLE;
	ok = seen_visit(seen, key, visitor, c, &c->err);
	seen_close(seen);
	if (ok && name != NULL && c->shown == 0)
		return known_account(c, name);
	return ok ? EX_OK : EX_UNAVAILABLE;
}

static int
list(struct seen_command *c)
{
	int status = visit(c, on_listed);

	if (c->json && status == EX_OK)
		puts(c->shown == 0 ? JSON_HEAD "]}" : "\n]}");
	else if (status == EX_OK && c->shown == 0)
		puts("nothing is remembered");
	return status;
}

static int export(struct seen_command *c)
{
	puts("# MAILBOX\tUID\tSTATUS\tTIME\tCONTENT (see mailhaul(8))");
	return visit(c, on_exported);
}

static bool
revise(struct seen_command *c, char **messages, enum seen_action action,
    struct state_changed *changed)
{
	return state_revise(c->config,
	    &(struct state_change){
		c->arguments[1], (const char *const *)messages, action },
	    changed, &c->err);
}

static int
forget(struct seen_command *c)
{
	struct state_changed changed;

	if (c->arguments[1] == NULL || (c->arguments[2] != NULL) == c->all)
		return EX_USAGE;
	if (!revise(c, c->arguments + 2, REVISE_FORGET, &changed))
		return EX_TEMPFAIL;
	if (changed.rows == 0 && known_account(c, c->arguments[1]) != EX_OK)
		return EX_USAGE;
	printf("%llu messages are forgotten: those that are still there are "
	       "fetched again\n",
	    (unsigned long long)changed.rows);
	if (changed.missing == NULL)
		return EX_OK;
	error_set(&c->err, ERROR_REFUSED,
	    "account %s has no message %s (mailhaul seen list)",
	    c->arguments[1], changed.missing);
	return EX_NOINPUT;
}

/* Of the whole mailbox, when it is listed next. */
static int
wish(struct seen_command *c, enum seen_action action, const char *what)
{
	const char *name = c->arguments[1];
	struct state_changed changed;

	if (name == NULL || c->arguments[2] != NULL)
		return EX_USAGE;
	if (known_account(c, name) != EX_OK)
		return EX_USAGE;
	if (!revise(c, c->arguments + 2, action, &changed))
		return EX_TEMPFAIL;
	printf("%s: with its next listing %s\n", name, what);
	return EX_OK;
}

static int
baseline(struct seen_command *c)
{
	return wish(c, REVISE_BASELINE,
	    "all that is there and not known counts as collected");
}

static int
adopt(struct seen_command *c)
{
	return wish(c, REVISE_ADOPT,
	    "what is known counts, and everything else is collected");
}

static void
on_bad_line(void *arg, uint64_t line, const struct error *err)
{
	fprintf(stderr, "%s:%llu: error: %s\n", (const char *)arg,
	    (unsigned long long)line, err->text);
}

/* The fetcher may not read the admin's file. */
static bool
copy_into_state(struct seen_command *c, FILE *in, char **path)
{
	char piece[16 * 1024];
	size_t n;
	int fd;
	FILE *out;

	if (asprintf(path, "%s/" IMPORT_PREFIX "XXXXXX", c->config->state_dir) <
	    0)
		abort();
	fd = mkostemp(*path, O_CLOEXEC);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (out == NULL)
		return error_errno(&c->err, ERROR_LOCAL, errno, "%s", *path);
	while ((n = fread(piece, 1, sizeof(piece), in)) > 0)
		fwrite(piece, 1, n, out);
	if (ferror(in) || ferror(out) || fclose(out) != 0)
		return error_set(&c->err, ERROR_LOCAL,
		    "%s: cannot be written, or its source not read", *path);
	return true;
}

/* A name that was changed since the export is easily overlooked, and then all is
 * collected once more.  One warning, of the first. */
static void
warn_of_strangers(const struct seen_command *c, FILE *file)
{
	char line[SEEN_LINE_MAX], shown[2 * SEEN_MAILBOX_MAX];
	struct slice text, name;

	rewind(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		text = slice_of(line);
		if (line[0] == '#' || !slice_cut_until(&text, '\t', &name))
			continue;
		line[name.len] = '\0';
		line[strcspn(line, "/")] = '\0';
		if (config_account(c->config, line) != NULL)
			continue;
		fprintf(stderr,
		    "mailhaul seen: warning: there is no account %s in %s: "
		    "what is imported for it counts when there is one\n",
		    log_safe(shown, sizeof(shown), slice_of(line)),
		    c->config->path);
		return;
	}
}

static int
import_open(struct seen_command *c, FILE *file)
{
	struct seen_import import = { .added = 0 };
	char *path = NULL;
	bool ok;

	if (!seen_import_check(file, on_bad_line, c->arguments[1]))
		return EX_DATAERR;
	warn_of_strangers(c, file);
	rewind(file);
	ok = run_as_owner(c->config->state_dir, &c->err) &&
	     copy_into_state(c, file, &path);
	import.path = path;
	ok = ok && state_import(c->config, &import, &c->err);
	if (path != NULL)
		unlink(path);
	free(path);
	if (ok)
		printf("%llu messages are added, %llu were known\n",
		    (unsigned long long)import.added,
		    (unsigned long long)import.known);
	return ok ? EX_OK : EX_TEMPFAIL;
}

/* The file is opened before root becomes somebody else. */
static int
import(struct seen_command *c)
{
	const char *name = c->arguments[1];
	FILE *file;
	int status;

	if (name == NULL || c->arguments[2] != NULL)
		return EX_USAGE;
	file = fopen(name, "re");
	if (file == NULL) {
		error_errno(&c->err, ERROR_CONFIG, errno, "%s", name);
		return EX_NOINPUT;
	}
	status = import_open(c, file);
	fclose(file);
	return status;
}

static const struct {
	const char *name;
	bool as_owner;
	int (*run)(struct seen_command *);
} verbs[] = {
	{ "list", true, list },
	{ "forget", true, forget },
	{ "baseline", true, baseline },
	{ "adopt", true, adopt },
	{ "export", true, export },
	{ "import", false, import },
};

static int
run(struct seen_command *c)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(c->arguments[0], verbs[i].name) != 0)
			continue;
		if (verbs[i].as_owner &&
		    !run_as_owner(c->config->state_dir, &c->err))
			return EX_UNAVAILABLE;
		return verbs[i].run(c);
	}
	return EX_USAGE;
}

int
cmd_seen(int argc, char **argv)
{
	struct seen_command c = { .config_path = CONFIG_DEFAULT_PATH };
	int status;

	if (!read_options(argc, argv, &c))
		return EX_USAGE;
	c.config = config_load_errors(c.config_path);
	if (c.config == NULL)
		return EX_CONFIG;
	status = run(&c);
	if (status != EX_OK && status != EX_USAGE && status != EX_DATAERR)
		fprintf(stderr, "mailhaul seen: %s\n", c.err.text);
	config_unref(c.config);
	return status;
}
