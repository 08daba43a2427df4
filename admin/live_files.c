/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each daemon reads and writes, tried as the user that it runs as.
 */
#include "admin/live.h"

#include "admin/as_user.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WHAT_MAX = 256, PATH_ROOM = 4096 };

struct need {
	const char *user;
	enum as_user_wish wish;
	const char *what, *path;
};

static const char *const verbs[] = {
	[AS_USER_READ] = "read",
	[AS_USER_WRITE] = "write to",
	[AS_USER_EXECUTE] = "run",
	[AS_USER_CONNECT] = "connect to",
};

static void
say_need(struct live *live, const struct need *need)
{
	const struct as_user as = { .user = need->user };
	int failed;

	if (!as_user_can(need->user))
		return;
	failed = as_user_try(&as, need->wish, need->path);
	if (failed == 0)
		live_say(live, LIVE_OK, need->what, "%s can %s %s", need->user,
		    verbs[need->wish], need->path);
	else
		live_say(live, LIVE_ERROR, need->what, "%s cannot %s %s: %s%s",
		    need->user, verbs[need->wish], need->path,
		    as_user_reason(failed),
		    failed == EACCES ? "; look at the owner and mode of it "
				       "and of the folders above it"
				     : "");
}

static void
check_secret(struct live *live, const struct secret_source *secret,
    const char *user, const char *what)
{
	switch (secret->kind) {
	case SECRET_FILE:
		say_need(live,
		    &(struct need){ user, AS_USER_READ, what, secret->name });
		break;
	case SECRET_COMMAND:
		say_need(live, &(struct need){ user, AS_USER_EXECUTE, what,
				   secret->argv[0] });
		break;
	case SECRET_CREDENTIAL:
		live_say(live, LIVE_OK, what,
		    "credential %s comes from systemd (LoadCredential=)",
		    secret->name);
		break;
	case SECRET_NONE:
		break;
	}
}

/* What postmap(1) opens for a table in a file. */
static void
check_table(struct live *live, const struct postfix_source *settings)
{
	static const struct {
		const char *type, *suffix;
	} kinds[] = {
		{ "hash:", ".db" },
		{ "btree:", ".db" },
		{ "lmdb:", ".lmdb" },
		{ "cdb:", ".cdb" },
		{ "texthash:", "" },
		{ "regexp:", "" },
		{ "pcre:", "" },
	};
	char path[PATH_ROOM];

	say_need(live, &(struct need){ MILTER_USER, AS_USER_EXECUTE,
			   "directory table", settings->postmap });
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct slice name = slice_of(settings->table);

		if (!slice_cut_prefix(&name, slice_of(kinds[i].type)))
			continue;
		snprintf(path, sizeof(path), "%.*s%s", SLICE_ARG(name),
		    kinds[i].suffix);
		say_need(live, &(struct need){ MILTER_USER, AS_USER_READ,
				   "directory table", path });
	}
}

static void
check_source(struct live *live, const struct directory_source *source)
{
	char what[WHAT_MAX];

	if (source->kind == DIRECTORY_FILE) {
		say_need(live, &(struct need){ MILTER_USER, AS_USER_READ,
				   "directory file", source->file });
		return;
	}
	if (source->kind == DIRECTORY_POSTFIX)
		check_table(live, &source->postfix);
	if (source->kind != DIRECTORY_LDAP)
		return;
	snprintf(what, sizeof(what), "password of %s", source->ldap.uris[0]);
	check_secret(live, &source->ldap.password, MILTER_USER, what);
	if (source->ldap.ca_file != NULL)
		say_need(live, &(struct need){ MILTER_USER, AS_USER_READ,
				   "ca_file", source->ldap.ca_file });
}

static void
check_account(struct live *live, const struct account *account)
{
	char what[WHAT_MAX];

	if (!account->enabled)
		return;
	snprintf(what, sizeof(what), "password of account %s", account->name);
	check_secret(live, &account->password, FETCHER_USER, what);
	if (account->tls.ca_file != NULL) {
		snprintf(
		    what, sizeof(what), "ca_file of account %s", account->name);
		say_need(live, &(struct need){ FETCHER_USER, AS_USER_READ, what,
				   account->tls.ca_file });
	}
}

/* Made by whichever daemon starts first. */
static void
check_key(struct live *live)
{
	char path[PATH_ROOM];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ticket.key", live->config->state_dir);
	if (stat(path, &st) != 0) {
		live_say(live, LIVE_WARNING, "ticket key",
		    "%s is not there yet; mailhaul-fetcher makes it when it "
		    "starts",
		    path);
		return;
	}
	say_need(live,
	    &(struct need){ FETCHER_USER, AS_USER_READ, "ticket key", path });
	say_need(live,
	    &(struct need){ MILTER_USER, AS_USER_READ, "ticket key", path });
}

void
live_check_files(struct live *live)
{
	const struct config *config = live->config;
	char *path = realpath(live->config_path, NULL);
	const struct need needs[] = {
		{ FETCHER_USER, AS_USER_READ, "configuration file", path },
		{ MILTER_USER, AS_USER_READ, "configuration file", path },
		{ FETCHER_USER, AS_USER_WRITE, "state_dir", config->state_dir },
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (needs[i].path != NULL)
			say_need(live, &needs[i]);
	free(path);
	check_key(live);
	for (size_t i = 0; i < config->n_directory; i++)
		check_source(live, &config->directory[i]);
	for (size_t i = 0; i < config->n_accounts; i++)
		check_account(live, &config->accounts[i]);
}
