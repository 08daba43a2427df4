/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/session_stage.h"

static void
enter_folder(struct session *s)
{
	const char *folder = s->folders.names[s->folders.at];
	bool refresh = s->only_new && s->folders.n == 1;

	s->stage = STAGE_LISTING;
	/* Mail that comes from now on may not be in the listing. */
	s->folders.due[s->folders.at] = false;
	pass_move(
	    &s->pass, account_is_imap(s->settings.account) ? folder : NULL);
	s->pass.listing.found.partial = refresh;
	if (refresh)
		dialogue_refresh(s->dialogue);
	else
		dialogue_enter(s->dialogue, folder);
}

void
session_find_folders(struct session *s)
{
	static const char *const none[] = { "INBOX", NULL };
	struct account account = *s->settings.account;
	const char *pattern;
	struct error err;

	s->stage = STAGE_FOLDERS;
	if (!account_is_imap(s->settings.account)) {
		account.folders = none;
		account.exclude_folders = NULL;
	}
	if (!folders_find(&s->folders, &account, &pattern, &err)) {
		session_fail(s, &err);
	} else if (pattern != NULL) {
		dialogue_folders(s->dialogue, pattern);
	} else {
		folders_resume(&s->folders, *s->settings.last_folder);
		folders_next(&s->folders);
		enter_folder(s);
	}
}

void
session_on_folder(struct session *s, const struct protocol_action *action)
{
	struct error err;

	/* What the server keeps for a purpose of its own is collected only
	 * when it is named. */
	if (action->size != 0 ||
	    folders_add(&s->folders, s->settings.account, action->text, &err))
		return;
	if (err.kind == ERROR_PROTOCOL)
		pass_notice(&s->pass, &err);
	else
		session_fail(s, &err);
}

static bool
goes_on(struct session *s)
{
	if (s->pass.stopping)
		return false;
	if (folders_next(&s->folders))
		return true;
	if (session_wants_to_idle(s))
		return false;
	folders_begin(&s->folders);
	return folders_next(&s->folders);
}

/* The first refusal is the notice, and tells how long to wait. */
static void
fail_without_folder(struct session *s)
{
	bool for_a_while = s->pass.result.notice.kind == ERROR_RETRY;
	struct error err;

	error_set(&err, for_a_while ? ERROR_RETRY : ERROR_REFUSED,
	    "none of the %zu folders of the account can be opened: see "
	    "folders, and what the server allows this user",
	    s->folders.n);
	session_fail(s, &err);
}

void
session_end_folder(struct session *s)
{
	if (account_is_imap(s->settings.account))
		pass_confirmed(&s->pass);
	/* What a limit leaves here does not wait for the next look at all
	 * folders: mail in another one may begin the next pass. */
	if (s->pass.stopping && s->pass.result.end == PASS_MORE)
		s->folders.due[s->folders.at] = true;
	if (goes_on(s))
		enter_folder(s);
	else if (!s->opened && !s->stopped)
		fail_without_folder(s);
	else if (session_wants_to_idle(s))
		session_idle(s);
	else
		session_quit(s);
}

void
session_go_round(struct session *s)
{
	if (!folders_next(&s->folders)) {
		folders_begin(&s->folders);
		folders_next(&s->folders);
	}
	enter_folder(s);
}

void
session_on_folder_refused(struct session *s, const struct error *err)
{
	if (s->folders.n == 1) {
		session_fail(s, err);
		return;
	}
	pass_notice(&s->pass, err);
	session_end_folder(s);
}
