/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/run_as.h"

#include <errno.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

bool
run_as_owner(const char *folder, struct error *err)
{
	struct stat st;

	if (stat(folder, &st) != 0)
		return error_errno(err, ERROR_CONFIG, errno, "%s", folder);
	if (geteuid() != 0 || st.st_uid == 0)
		return true;
	/* The folder's group is the one that the daemons share. */
	if (setgroups(0, NULL) != 0 || setgid(st.st_gid) != 0 ||
	    setuid(st.st_uid) != 0)
		return error_errno(err, ERROR_LOCAL, errno,
		    "cannot become user %u", st.st_uid);
	return true;
}
