/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul parked - the messages that were not handed over: those that wait for
 * their next try, were given up, or are too large; and the admin's word on them.
 *
 * Looking is reading the state; a change: state_change.
 */
#include "admin/commands.h"
#include "admin/json_text.h"
#include "admin/options.h"
#include "admin/run_as.h"
#include "admin/state_change.h"
#include "base/readable.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"
#include "config/config.h"

struct parked {
	const char *config_path;
	struct config *config;
	bool json, all;
	const char *verb, *account, *message;
	struct error err;
	json_t *list;
	unsigned shown;
};

static bool
read_options(int argc, char **argv, struct parked *p)
{
	const struct command_option options[] = {
		{ "config", 'c', &p->config_path, NULL },
		{ "json", 0, NULL, &p->json },
		{ "all", 0, NULL, &p->all },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments = options_read(argc, argv, options);

	if (arguments == NULL || arguments[0] == NULL)
		return false;
	p->verb = arguments[0];
	p->account = arguments[1];
	p->message = p->account == NULL ? NULL : arguments[2];
	return p->message == NULL || arguments[3] == NULL;
}

static const char *
account_name(const char *key)
{
	const char *colon = strchr(key, ':');

	return colon == NULL ? key : colon + 1;
}

static void
add_json(struct parked *p, const struct seen_entry *e)
{
	json_array_append_new(p->list,
	    json_pack("{s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:I, s:o}",
		"account", json_text(account_name(e->mailbox)), "uid",
		json_text_of(e->uid), "id", json_text(e->id), "status",
		seen_status_name(e->row.status), "since_ms",
		(json_int_t)e->since_ms, "tries", (json_int_t)e->row.tries,
		"next_ms", (json_int_t)e->row.not_before_ms, "size",
		(json_int_t)e->row.size, "reason", json_text(e->reason)));
}

static void
print_text(const struct seen_entry *e)
{
	char since[READABLE_SIZE], next[READABLE_SIZE], size[READABLE_SIZE];
	char uid[4 * SEEN_UID_MAX + 4];

	printf("%s  %-8s  account %s  id %s  uid %s\n",
	    readable_time(e->since_ms, since), seen_status_name(e->row.status),
	    account_name(e->mailbox), e->id,
	    log_safe(uid, sizeof(uid), e->uid));
	printf("    %s", e->reason);
	if (e->row.status == SEEN_RETRY)
		printf("; tried %u time%s, again %s", e->row.tries,
		    readable_plural(e->row.tries),
		    e->row.not_before_ms == 0
			? "with the next poll"
			: readable_time(e->row.not_before_ms, next));
	if (e->row.status == SEEN_OVERSIZE)
		printf(" (%s)", readable_size(e->row.size, size));
	putchar('\n');
}

static void
on_row(void *arg, const struct seen_entry *e)
{
	struct parked *p = arg;

	if (e->row.status == SEEN_DROPPED && !p->all)
		return;
	p->shown++;
	if (p->json)
		add_json(p, e);
	else
		print_text(e);
}

static int
list(struct parked *p)
{
	struct seen *seen = seen_open_readonly(p->config->state_dir, &p->err);
	bool ok;

	if (seen == NULL)
		return EX_UNAVAILABLE;
	p->list = json_array();
	ok = seen_visit_parked(seen, on_row, p, &p->err);
	seen_close(seen);
	if (ok && p->json)
		json_print(
		    json_pack("{s:i, s:O}", "version", 1, "messages", p->list));
	else if (ok && p->shown == 0)
		puts("nothing is parked");
	json_decref(p->list);
	return ok ? EX_OK : EX_UNAVAILABLE;
}

static int
change(struct parked *p, enum seen_action action)
{
	const char *const messages[] = { p->message, NULL };
	struct state_changed changed;

	if (p->account == NULL || (p->message == NULL) != p->all)
		return EX_USAGE;
	if (!state_revise(p->config,
		&(struct state_change){ p->account, messages, action },
		&changed, &p->err))
		return EX_TEMPFAIL;
	if (changed.missing != NULL) {
		error_set(&p->err, ERROR_REFUSED,
		    "account %s has no message %s that waits (mailhaul parked "
		    "list)",
		    p->account, p->message);
		return EX_NOINPUT;
	}
	printf("%llu messages %s\n", (unsigned long long)changed.rows,
	    action == REVISE_RETRY ? "are tried again"
				   : "are given up for good");
	return EX_OK;
}

static int
run(struct parked *p)
{
	if (strcmp(p->verb, "list") == 0)
		return p->account != NULL ? EX_USAGE : list(p);
	if (strcmp(p->verb, "retry") == 0)
		return change(p, REVISE_RETRY);
	if (strcmp(p->verb, "drop") == 0)
		return change(p, REVISE_DROP);
	return EX_USAGE;
}

int
cmd_parked(int argc, char **argv)
{
	struct parked p = { .config_path = CONFIG_DEFAULT_PATH };
	int status;

	if (!read_options(argc, argv, &p))
		return EX_USAGE;
	p.config = config_load_errors(p.config_path);
	if (p.config == NULL)
		return EX_CONFIG;
	status = run_as_owner(p.config->state_dir, &p.err) ? run(&p)
							   : EX_UNAVAILABLE;
	if (status != EX_OK && status != EX_USAGE)
		fprintf(stderr, "mailhaul parked: %s\n", p.err.text);
	config_unref(p.config);
	return status;
}
