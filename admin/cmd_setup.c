/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul setup postfix - the changes that Postfix needs, shown and made.
 *
 * A run that was stopped half-way is finished by the next one, or taken back by
 * --undo: the record of what is changed is written before the change.
 */
#include "admin/commands.h"
#include "admin/options.h"

#include "admin/setup_files.h"
#include "admin/setup_plan.h"
#include "admin/setup_record.h"
#include "base/mem.h"
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define LISTENER_PATH "/public/mailhaul"

struct setup {
	const char *config_path;
	const char *method; /* NULL: as configured */
	bool dry_run, undo;
	const char *postconf;
	enum injection configured;
	struct setup_now now;
	struct setup_changes made; /* the record */
	char *record_path;
};

static bool
refuse(const char *reason)
{
	fprintf(stderr, "mailhaul setup: %s\n", reason);
	return false;
}

static bool
read_options(int argc, char **argv, struct setup *s)
{
	const struct command_option options[] = {
		{ "config", 'c', &s->config_path, NULL },
		{ "method", 0, &s->method, NULL },
		{ "dry-run", 0, NULL, &s->dry_run },
		{ "undo", 0, NULL, &s->undo },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments = options_read(argc, argv, options);

	if (arguments == NULL)
		return false;
	if (arguments[0] == NULL || strcmp(arguments[0], "postfix") != 0 ||
	    arguments[1] != NULL)
		return refuse("sets up one thing: postfix");
	if (s->method != NULL && strcmp(s->method, "sendmail") != 0 &&
	    strcmp(s->method, "smtp") != 0)
		return refuse("--method is sendmail or smtp");
	if (s->method != NULL && s->undo)
		return refuse("--undo takes back all of it; leave out "
			      "--method");
	return true;
}

static bool
wants_listener(const struct setup *s)
{
	return s->method != NULL && strcmp(s->method, "smtp") == 0;
}

/* Each option of a service on a line of its own. */
static void
print_value(const char *lead, const char *value)
{
	struct slice rest = slice_of(value), word;

	printf("    %s", lead);
	if (value == NULL)
		printf(" (not set)");
	else if (value[0] == '\0')
		printf(" (empty)");
	while (slice_cut_word(&rest, &word)) {
		if (slice_equal(word, SLICE("-o")))
			printf("\n            ");
		printf(" %.*s", SLICE_ARG(word));
	}
	putchar('\n');
}

static void
print_changes(const struct setup_changes *changes)
{
	for (size_t i = 0; i < changes->n; i++) {
		const struct setup_change *c = &changes->list[i];

		printf("%s: %s\n", setup_file_name(c->setting),
		    setup_setting_name(c->setting));
		print_value("old:", c->before);
		print_value("new:", c->after);
	}
}

/* The listener is made at one place. */
static bool
check_listener(const struct setup *s, const struct config *config)
{
	const char *socket = config->inject.smtp.socket;
	struct slice path = slice_of(socket);

	if (!wants_listener(s) ||
	    (socket == NULL && config->inject.method != METHOD_SMTP) ||
	    (slice_cut_prefix(&path, s->now.facts.place.queue_directory) &&
		slice_equal(path, SLICE(LISTENER_PATH))))
		return true;
	fprintf(stderr,
	    "mailhaul setup: makes a listener at %.*s" LISTENER_PATH ", but "
	    "inject.smtp names another place; set it to {socket: "
	    "%.*s" LISTENER_PATH "}, or set up your own (mailhaul-milter(8))\n",
	    SLICE_ARG(s->now.facts.place.queue_directory),
	    SLICE_ARG(s->now.facts.place.queue_directory));
	return false;
}

/* Where postconf would set something that cannot work. */
static bool
check_reach(const struct setup *s)
{
	if (milter_is_reachable(&s->now.facts.place) ||
	    strcmp(s->now.cleanup_chroot, "y") != 0)
		return true;
	fprintf(stderr,
	    "mailhaul setup: milter.socket is %s, but Postfix's cleanup is "
	    "chrooted and reaches only what is below %.*s; set milter.socket: "
	    "unix:%.*s/mailhaul/milter.sock\n",
	    s->now.facts.place.socket,
	    SLICE_ARG(s->now.facts.place.queue_directory),
	    SLICE_ARG(s->now.facts.place.queue_directory));
	return false;
}

static void
plan_undo(struct setup *s, struct setup_changes *changes)
{
	changes->n = 0;
	for (size_t i = 0; i < s->made.n; i++)
		if (setup_plan_undo(&s->now.facts, &s->made.list[i],
			&changes->list[changes->n]))
			changes->n++;
}

static int
fail(const struct error *err, int status)
{
	fprintf(stderr, "mailhaul setup: %s\n", err->text);
	return status;
}

static void
print_what_is_left(const struct setup *s)
{
	struct slice queue = s->now.facts.place.queue_directory;

	puts("Now run: postfix reload");
	if (s->undo)
		return;
	if (!wants_listener(s)) {
		puts("Several times faster, and with the true client of each "
		     "mail for spam filters: --method smtp (see mailhaul(8))");
		return;
	}
	printf("The fetcher must be in the group postdrop to reach "
	       "%.*s" LISTENER_PATH " (the systemd unit sees to it): usermod "
	       "-aG postdrop mailhaul\n",
	    SLICE_ARG(queue));
	if (s->configured != METHOD_SMTP)
		printf("And configure it: inject: {method: smtp, smtp: "
		       "{socket: %.*s" LISTENER_PATH "}}\n",
		    SLICE_ARG(queue));
}

static int
make_changes(struct setup *s, const struct setup_changes *changes)
{
	struct error err;

	if (!setup_files_back_up(s->now.config_directory, changes, &err))
		return fail(&err, EX_CANTCREAT);
	if (!s->undo) {
		setup_record_add(&s->made, changes, &s->now.facts);
		if (!setup_record_write(s->record_path, &s->made, &err))
			return fail(&err, EX_CANTCREAT);
	}
	if (!setup_files_change(s->postconf, changes, &err)) {
		fail(&err, EX_OSERR);
		fputs("mailhaul setup: not all is changed; mend this and run "
		      "it again, or take it back with --undo\n",
		    stderr);
		return EX_OSERR;
	}
	if (s->undo)
		unlink(s->record_path);
	print_what_is_left(s);
	return EX_OK;
}

static int
run(struct setup *s, struct setup_changes *changes)
{
	if (s->undo)
		plan_undo(s, changes);
	else
		setup_plan(&s->now.facts, wants_listener(s), changes);
	print_changes(changes);
	if (changes->n == 0) {
		puts(s->undo ? "Nothing of mailhaul setup is left in Postfix; "
			       "nothing to do."
			     : "Postfix is set up; nothing to do.");
		return EX_OK;
	}
	if (s->dry_run) {
		puts("Nothing was changed (--dry-run).");
		return EX_OK;
	}
	if (geteuid() != 0) {
		refuse("only root changes Postfix's files; --dry-run is for "
		       "anybody");
		return EX_NOPERM;
	}
	return make_changes(s, changes);
}

static int
run_with_config(struct setup *s, const struct config *config)
{
	struct setup_changes changes = { .n = 0 };
	struct error err;
	int status;

	s->postconf = config->inject.postconf;
	s->configured = config->inject.method;
	if (s->method == NULL)
		s->method = s->configured == METHOD_SMTP ? "smtp" : "sendmail";
	if (!setup_now_read(s->postconf, config->milter.socket, &s->now, &err))
		return fail(&err, EX_OSERR);
	s->record_path = setup_path(s->now.config_directory, SETUP_RECORD_NAME);
	if (!setup_record_read(s->record_path, &s->made, &err))
		status = fail(&err, EX_CONFIG);
	else if (!s->undo && (!check_reach(s) || !check_listener(s, config)))
		status = EX_CONFIG;
	else
		status = run(s, &changes);
	setup_changes_clear(&changes);
	setup_changes_clear(&s->made);
	setup_now_clear(&s->now);
	free(s->record_path);
	return status;
}

int
cmd_setup(int argc, char **argv)
{
	struct setup s = { .config_path = CONFIG_DEFAULT_PATH };
	struct config *config;
	int status;

	if (!read_options(argc, argv, &s))
		return EX_USAGE;
	config = config_load_errors(s.config_path);
	if (config == NULL)
		return EX_CONFIG;
	status = run_with_config(&s, config);
	config_unref(config);
	return status;
}
