/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/live.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/readable.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { TEXT_MAX = 2048 };

static const char *const level_names[N_LIVE_LEVELS] = {
	[LIVE_OK] = "ok",
	[LIVE_WARNING] = "warning",
	[LIVE_ERROR] = "error",
};

void
live_say(struct live *live, enum live_level level, const char *what,
    const char *fmt, ...)
{
	char text[TEXT_MAX], safe[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* Servers' words are among it. */
	log_safe(safe, sizeof(safe), slice_of(text));
	live->count[level]++;
	if (live->findings == NULL) {
		printf("%s: %s: %s\n", level_names[level], what, safe);
		fflush(stdout); /* what follows may take its time */
	} else
		json_array_append_new(live->findings,
		    json_pack("{s:s, s:s, s:s}", "level", level_names[level],
			"what", what, "text", safe));
}

const char *
live_postfix(const struct live *live, const char *name)
{
	return postconf_text(live->postfix, live->n_postfix, name);
}

struct milter_place
live_place(const struct live *live)
{
	return (struct milter_place){ live->config->milter.socket,
		slice_of(live_postfix(live, "queue_directory")) };
}

/* "FILE:LINE:COL: error: text" becomes "error: configuration: FILE:…: text". */
static void
say_finding(struct live *live, struct slice line)
{
	static const struct {
		const char *mark;
		enum live_level level;
	} levels[] = { { ": error: ", LIVE_ERROR },
		{ ": warning: ", LIVE_WARNING } };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct slice mark = slice_of(levels[i].mark);
		size_t at = slice_search_nocase(line, mark);

		if (at < line.len) {
			live_say(live, levels[i].level, "configuration",
			    "%.*s: %.*s", SLICE_ARG(slice_first(line, at)),
			    SLICE_ARG(slice_from(line, at + mark.len)));
			return;
		}
	}
}

static bool
load(struct live *live)
{
	char *text = NULL;
	size_t len = 0;
	FILE *findings = open_memstream(&text, &len);
	struct slice rest, line;
	const struct config *c;

	live->config = config_load(live->config_path, findings);
	if (findings == NULL || fclose(findings) != 0)
		return live->config != NULL;
	rest = (struct slice){ (uint8_t *)text, len };
	while (slice_cut_line(&rest, &line))
		say_finding(live, line);
	free(text);
	c = live->config;
	if (c != NULL)
		live_say(live, LIVE_OK, "configuration",
		    "%s: %zu account%s, %zu domain%s, %zu directory source%s",
		    live->config_path, c->n_accounts,
		    readable_plural(c->n_accounts), c->n_domains,
		    readable_plural(c->n_domains), c->n_directory,
		    readable_plural(c->n_directory));
	return c != NULL;
}

static void
ask_postfix(struct live *live)
{
	struct error err;

	live->has_postfix = postconf_read(live->config->inject.postconf,
	    POSTCONF_EXPANDED, live->postfix, live->n_postfix, &err);
	if (!live->has_postfix)
		live_say(live, LIVE_ERROR, "postfix",
		    "%s; is Postfix installed, and inject.postconf right?",
		    err.text);
}

static void
run_checks(struct live *live)
{
	static void (*const checks[])(struct live *) = {
		live_check_files,
		live_check_milter,
		live_check_milters,
		live_check_main_cf,
		live_check_domains,
		live_check_copies,
		live_check_injection,
		live_check_addresses,
		live_check_servers,
		live_check_fetcher,
		live_check_accounts,
	};

	if (geteuid() != 0)
		live_say(live, LIVE_WARNING, "rights",
		    "only root can try what the users of the daemons and of "
		    "Postfix may do; what others than you may is left out");
	ask_postfix(live);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](live);
}

static void
print_json(struct live *live)
{
	json_t *all = json_pack("{s:i, s:i, s:i, s:O}", "version", 1, "errors",
	    (int)live->count[LIVE_ERROR], "warnings",
	    (int)live->count[LIVE_WARNING], "findings", live->findings);

	json_dumpf(all, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(all);
}

int
live_run(const char *config_path, bool json)
{
	struct postconf_value postfix[] = {
		{ .name = "allow_percent_hack" },
		{ .name = "always_bcc" },
		{ .name = "authorized_submit_users" },
		{ .name = "command_directory" },
		{ .name = "hopcount_limit" },
		{ .name = "mail_owner" },
		{ .name = "mailbox_size_limit" },
		{ .name = "maximal_queue_lifetime" },
		{ .name = "message_size_limit" },
		{ .name = "milter_default_action" },
		{ .name = "non_smtpd_milters" },
		{ .name = "notify_classes" },
		{ .name = "queue_directory" },
		{ .name = "recipient_bcc_maps" },
		{ .name = "resolve_dequoted_address" },
		{ .name = "smtputf8_autodetect_classes" },
		{ .name = "smtputf8_enable" },
		{ .name = "swap_bangpath" },
		{ .name = "mydestination" },
		{ .name = "relay_domains" },
		{ .name = "virtual_alias_domains" },
		{ .name = "virtual_mailbox_domains" },
		{ .name = "setgid_group" },
		{ .name = "smtpd_milters" },
		{ .name = "virtual_mailbox_limit" },
	};
	struct live live = { .config_path = config_path,
		.postfix = postfix,
		.n_postfix = sizeof(postfix) / sizeof(postfix[0]) };
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");
	int status;

	if (credentials != NULL)
		live.credentials = mem_string(credentials);

	if (json)
		live.findings = json_array();
	if (load(&live))
		run_checks(&live);
	if (json)
		print_json(&live);
	status = live.count[LIVE_ERROR] > 0 ? EX_CONFIG : EX_OK;
	json_decref(live.findings);
	postconf_values_clear(postfix, live.n_postfix);
	config_unref(live.config);
	free(live.credentials);
	return status;
}
