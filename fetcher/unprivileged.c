/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/unprivileged.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/proc.h"

enum { ENTRY_ROOM = 64 * 1024 };

static bool
find_user(const char *name, uid_t *uid, gid_t *gid)
{
	char *room = mem_new(ENTRY_ROOM);
	struct passwd entry, *found = NULL;

	getpwnam_r(name, &entry, room, ENTRY_ROOM, &found);
	if (found != NULL) {
		*uid = entry.pw_uid;
		*gid = entry.pw_gid;
	}
	free(room);
	return found != NULL;
}

bool
unprivileged_become(struct error *err)
{
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return true;
	if (!find_user("mailhaul", &uid, &gid) &&
	    !find_user("nobody", &uid, &gid))
		return error_set(err, ERROR_LOCAL,
		    "there is neither a user mailhaul nor nobody, and this is "
		    "not done as root");
	return proc_become(uid, gid, err);
}
