/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can the fetcher hand mail to Postfix in the way that is configured?
 */
#include "admin/live.h"

#include "admin/as_user.h"
#include "admin/setup_files.h"
#include "postfix/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void
check_program(struct live *live)
{
	const struct as_user fetcher = { .user = FETCHER_USER };
	const char *path = live->config->inject.sendmail;
	int failed;

	if (!as_user_can(FETCHER_USER))
		return;
	failed = as_user_try(&fetcher, AS_USER_EXECUTE, path);
	if (failed == 0)
		live_say(live, LIVE_OK, "inject.sendmail", "%s", path);
	else
		live_say(live, LIVE_ERROR, "inject.sendmail",
		    "%s cannot run %s: %s", FETCHER_USER, path,
		    as_user_reason(failed));
}

static void
check_submission(struct live *live)
{
	struct slice users =
	    slice_of(live_postfix(live, "authorized_submit_users"));

	if (!live->has_postfix)
		return;
	if (words_have(users, SLICE("static:anyone")) ||
	    words_have(users, SLICE(FETCHER_USER)))
		live_say(live, LIVE_OK, "authorized_submit_users", "%.*s",
		    SLICE_ARG(users));
	else
		live_say(live, LIVE_WARNING, "authorized_submit_users",
		    "%.*s: make sure that the user %s is among them, else "
		    "Postfix takes nothing from it",
		    SLICE_ARG(users), FETCHER_USER);
}

static const char *
socket_advice(int failed)
{
	return failed == EACCES ? "add it to the group of that folder: "
				  "usermod -aG postdrop " FETCHER_USER
				: "run: mailhaul setup postfix --method smtp, "
				  "then postfix reload";
}

/* The unit gives the daemon Postfix's group; by hand the user must have it. */
static void
check_socket(struct live *live, const char *path)
{
	const struct as_user fetcher = { .user = FETCHER_USER };
	const struct as_user unit = { .user = FETCHER_USER,
		.group = live_postfix(live, "setgid_group") };
	int alone, failed;

	if (!as_user_can(FETCHER_USER))
		return;
	alone = as_user_try(&fetcher, AS_USER_CONNECT, path);
	failed =
	    alone == EACCES ? as_user_try(&unit, AS_USER_CONNECT, path) : alone;
	if (failed != 0)
		live_say(live, LIVE_ERROR, "inject.smtp",
		    "%s cannot connect to %s: %s; %s", FETCHER_USER, path,
		    as_user_reason(failed), socket_advice(failed));
	else if (alone == 0)
		live_say(live, LIVE_OK, "inject.smtp", "%s can connect to %s",
		    FETCHER_USER, path);
	else
		live_say(live, LIVE_OK, "inject.smtp",
		    "%s can connect to %s with the group %s, which the systemd "
		    "unit gives it; without that: usermod -aG %s %s",
		    FETCHER_USER, path, unit.group, unit.group, FETCHER_USER);
}

/* Is it as setup would make it today? */
static void
check_listener(struct live *live)
{
	struct setup_changes changes = { .n = 0 };
	struct setup_now now;
	struct error err;

	if (!setup_now_read(live->config->inject.postconf,
		live->config->milter.socket, &now, &err)) {
		live_say(live, LIVE_ERROR, "postfix", "%s", err.text);
		return;
	}
	setup_plan(&now.facts, true, &changes);
	for (size_t i = 0; i < changes.n; i++)
		if (changes.list[i].setting == SETUP_LISTENER)
			live_say(live, LIVE_WARNING, "mailhaul/unix",
			    "%s; see: mailhaul setup postfix --method smtp "
			    "--dry-run",
			    changes.list[i].before == NULL
				? "master.cf does not have it"
				: "not as setup would make it now: it was "
				  "changed, or smtpd_milters was");
	setup_changes_clear(&changes);
	setup_now_clear(&now);
}

static void
check_smtp(struct live *live)
{
	const struct smtp_target *smtp = &live->config->inject.smtp;

	if (smtp->socket == NULL)
		return; /* somebody's own listener */
	check_socket(live, smtp->socket);
	if (live->has_postfix)
		check_listener(live);
}

void
live_check_injection(struct live *live)
{
	if (live->config->inject.method == METHOD_SMTP) {
		check_smtp(live);
	} else {
		check_program(live);
		check_submission(live);
	}
}
