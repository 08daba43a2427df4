/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The milters that see collected mail: ours, its place, and what the others
 * could do to that mail.
 */
#include "admin/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTION_MAX = 1024 };

static struct slice
action_of(const struct live *live, const struct milter_entry *entry)
{
	struct slice action = milter_option(entry, SLICE("default_action"));

	return action.len > 0
		   ? action
		   : slice_of(live_postfix(live, "milter_default_action"));
}

/* The list that counts: by SMTP, the listener's. */
struct list {
	struct live *live;
	const char *name;
	const char *setup; /* the command that puts it right */
	bool by_smtp;
};

static void
say_ours(
    const struct list *list, const struct milter_entry *entry, size_t position)
{
	struct live *live = list->live;
	struct slice action = action_of(live, entry);

	if (!slice_equal(action, SLICE("tempfail")))
		live_say(live, LIVE_ERROR, list->name,
		    "default_action of our milter is %.*s: while it is away, "
		    "mail would go to the fallback or be lost; run: %s",
		    SLICE_ARG(action), list->setup);
	else if (position > 0)
		live_say(live, LIVE_WARNING, list->name,
		    "our milter is number %zu: those before it see the ticket "
		    "with all candidates; run: %s",
		    position + 1, list->setup);
	else
		live_say(live, LIVE_OK, list->name,
		    "%.*s is first, default_action=tempfail",
		    SLICE_ARG(entry->endpoint));
}

/* sendmail(1) has exited long ago when a milter rejects, and NOTIFY=NEVER keeps
 * the bounce from the sender: only the postmaster hears of it (measured, 3.7). */
static void
say_other(const struct list *list, const struct milter_entry *entry)
{
	struct live *live = list->live;
	struct slice action = action_of(live, entry);
	bool gentle = slice_equal(action, SLICE("tempfail")) ||
		      slice_equal(action, SLICE("accept")) ||
		      slice_equal(action, SLICE("quarantine"));

	if (list->by_smtp)
		return; /* what it refuses stays at the provider */
	if (gentle)
		live_say(live, LIVE_WARNING, list->name,
		    "%.*s sees collected mail too; what it rejects is "
		    "delivered to nobody (the postmaster is told, and the "
		    "archive has it), what it discards is gone: let it mark or "
		    "quarantine instead (default_action=%.*s is fine)",
		    SLICE_ARG(entry->endpoint), SLICE_ARG(action));
	else
		live_say(live, LIVE_ERROR, list->name,
		    "%.*s has default_action=%.*s: while it is away, collected "
		    "mail is delivered to nobody; give it tempfail or accept",
		    SLICE_ARG(entry->endpoint), SLICE_ARG(action));
}

static void
check_smtp(struct live *live, const struct milter_place *place)
{
	bool named =
	    milters_name(slice_of(live_postfix(live, "smtpd_milters")), place);
	bool wanted = live->config->milter.smtp != MILTER_SMTP_OFF;

	if (wanted && !named)
		live_say(live, LIVE_WARNING, "smtpd_milters",
		    "does not name %s, so that milter.smtp has no effect; put "
		    "the same entry there as in non_smtpd_milters",
		    place->socket);
	else if (wanted)
		live_say(live, LIVE_OK, "smtpd_milters", "names our milter");
}

static void
check_list(const struct list *list, const char *text)
{
	struct live *live = list->live;
	const struct milter_place place = live_place(live);
	enum live_level level =
	    live->config->inject.require_milter ? LIVE_ERROR : LIVE_WARNING;
	struct slice rest = slice_of(text);
	struct milter_entry entry;
	bool named = false;

	for (size_t i = 0; milters_cut(&rest, &entry); i++) {
		if (!milter_is_ours(&entry, &place)) {
			say_other(list, &entry);
		} else if (!named) {
			named = true;
			say_ours(list, &entry, i);
		}
	}
	if (!named)
		live_say(live, level, list->name, "does not name %s; run: %s",
		    place.socket, list->setup);
	check_smtp(live, &place);
}

/* A socket's file is called like its service. */
static void
check_listener(struct live *live)
{
	struct list list = { live, NULL, "mailhaul setup postfix --method smtp",
		true };
	const char *path = live->config->inject.smtp.socket;
	const char *slash = path == NULL ? NULL : strrchr(path, '/');
	char option[OPTION_MAX], name[OPTION_MAX];
	char *value = NULL;
	struct error err;

	if (slash == NULL) {
		list.name = "smtpd_milters";
		list.setup = "postconf -e, see mailhaul-milter(8)";
	} else {
		snprintf(
		    option, sizeof(option), "%s/unix/smtpd_milters", slash + 1);
		snprintf(
		    name, sizeof(name), "smtpd_milters of %s/unix", slash + 1);
		list.name = name;
		if (!postconf_override(
			live->config->inject.postconf, option, &value, &err))
			live_say(live, LIVE_ERROR, "postfix", "%s", err.text);
	}
	check_list(
	    &list, value != NULL ? value : live_postfix(live, "smtpd_milters"));
	free(value);
}

void
live_check_milters(struct live *live)
{
	const struct list list = { live, "non_smtpd_milters",
		"mailhaul setup postfix", false };

	if (!live->has_postfix)
		return;
	if (live->config->inject.method == METHOD_SMTP)
		check_listener(live);
	else
		check_list(&list, live_postfix(live, "non_smtpd_milters"));
}
