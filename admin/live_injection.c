/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Can the fetcher hand mail to Postfix in the way that is configured?
 */
#include "admin/live.h"

#include "admin/as_user.h"
#include "postfix/words.h"

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
		    strerrordesc_np(failed));
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

void
live_check_injection(struct live *live)
{
	check_program(live);
	check_submission(live);
}
