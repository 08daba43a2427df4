/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/run_as.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/proc.h"

static bool
find_owner(
    const char *folder, struct stat *st, bool *is_other, struct error *err)
{
	if (stat(folder, st) != 0)
		return error_errno(err, ERROR_CONFIG, errno, "%s", folder);
	if (access(folder, R_OK | X_OK) != 0)
		return error_set(err, ERROR_CONFIG,
		    "%s: Permission denied; run it as root", folder);
	*is_other = geteuid() == 0 && st->st_uid != 0;
	return true;
}

static bool
cannot_become(const struct stat *st, struct error *err)
{
	return error_errno(
	    err, ERROR_LOCAL, errno, "cannot become user %u", st->st_uid);
}

bool
run_as_owner(const char *folder, struct error *err)
{
	struct stat st;
	bool is_other;

	if (!find_owner(folder, &st, &is_other, err))
		return false;
	/* The folder's group is the one that the daemons share. */
	return !is_other || proc_become(st.st_uid, st.st_gid, err);
}

bool
run_as_words(const char *folder, struct run_as_words *words, struct error *err)
{
	struct stat st;
	bool is_other;

	if (!find_owner(folder, &st, &is_other, err))
		return false;
	*words = (struct run_as_words){ .list = { NULL } };
	if (!is_other)
		return true;
	snprintf(words->user, sizeof(words->user), "--reuid=%u", st.st_uid);
	snprintf(words->group, sizeof(words->group), "--regid=%u", st.st_gid);
	words->list[0] = "/usr/bin/setpriv";
	words->list[1] = words->user;
	words->list[2] = words->group;
	words->list[3] = "--clear-groups";
	return true;
}

bool
run_as_owner_meanwhile(
    const char *folder, struct run_as *before, struct error *err)
{
	struct stat st;
	bool is_other;

	*before = (struct run_as){ .changed = false };
	if (!find_owner(folder, &st, &is_other, err))
		return false;
	if (!is_other)
		return true;
	before->group = getegid();
	before->n_groups = getgroups(RUN_AS_GROUPS_MAX, before->groups);
	if (before->n_groups < 0 || setgroups(0, NULL) != 0)
		return cannot_become(&st, err);
	before->changed = true;
	if (setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0) {
		cannot_become(&st, err);
		run_as_before(before);
		return false;
	}
	return true;
}

void
run_as_before(const struct run_as *before)
{
	if (before->changed &&
	    (seteuid(0) != 0 || setegid(before->group) != 0 ||
		setgroups((size_t)before->n_groups, before->groups) != 0))
		abort();
}
