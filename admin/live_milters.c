/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The milters that see collected mail: ours, its place, and what the others
 * could do to that mail.
 */
#include "admin/live.h"

static const char list_name[] = "non_smtpd_milters";

static struct slice
action_of(const struct live *live, const struct milter_entry *entry)
{
	struct slice action = milter_option(entry, SLICE("default_action"));

	return action.len > 0
		   ? action
		   : slice_of(live_postfix(live, "milter_default_action"));
}

static void
say_ours(struct live *live, const struct milter_entry *entry, size_t position)
{
	struct slice action = action_of(live, entry);

	if (!slice_equal(action, SLICE("tempfail")))
		live_say(live, LIVE_ERROR, list_name,
		    "default_action of our milter is %.*s: while it is away, "
		    "mail would go to the fallback or be lost; run: mailhaul "
		    "setup postfix",
		    SLICE_ARG(action));
	else if (position > 0)
		live_say(live, LIVE_WARNING, list_name,
		    "our milter is number %zu: those before it see the ticket "
		    "with all candidates; run: mailhaul setup postfix",
		    position + 1);
	else
		live_say(live, LIVE_OK, list_name,
		    "%.*s is first, default_action=tempfail",
		    SLICE_ARG(entry->endpoint));
}

/* sendmail(1) has exited long ago when a milter rejects: Postfix bounces the
 * mail, and -N never does not hold for that. */
static void
say_other(struct live *live, const struct milter_entry *entry)
{
	struct slice action = action_of(live, entry);
	bool gentle = slice_equal(action, SLICE("tempfail")) ||
		      slice_equal(action, SLICE("accept")) ||
		      slice_equal(action, SLICE("quarantine"));

	if (gentle)
		live_say(live, LIVE_WARNING, list_name,
		    "%.*s sees collected mail too; what it rejects is bounced "
		    "to the sender, what it discards is gone: let it mark or "
		    "quarantine instead (default_action=%.*s is fine)",
		    SLICE_ARG(entry->endpoint), SLICE_ARG(action));
	else
		live_say(live, LIVE_ERROR, list_name,
		    "%.*s has default_action=%.*s: while it is away, collected "
		    "mail is bounced; give it tempfail or accept",
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

void
live_check_milters(struct live *live)
{
	const struct milter_place place = live_place(live);
	struct slice list = slice_of(live_postfix(live, "non_smtpd_milters"));
	enum live_level level =
	    live->config->inject.require_milter ? LIVE_ERROR : LIVE_WARNING;
	struct milter_entry entry;
	bool named = false;

	if (!live->has_postfix)
		return;
	for (size_t i = 0; milters_cut(&list, &entry); i++) {
		if (!milter_is_ours(&entry, &place)) {
			say_other(live, &entry);
		} else if (!named) {
			named = true;
			say_ours(live, &entry, i);
		}
	}
	if (!named)
		live_say(live, level, list_name,
		    "does not name %s; run: mailhaul setup postfix",
		    place.socket);
	check_smtp(live, &place);
}
