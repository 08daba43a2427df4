/* SPDX-License-Identifier: Apache-2.0 */
#include "state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

bool
lock_take(const char *state_dir, struct error *err)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/lock", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return error_errno(err, ERROR_CONFIG, errno,
		    "cannot open %s (state_dir must belong to the user that "
		    "the fetcher runs as)",
		    path);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	close(fd);
	return error_set(err, ERROR_RETRY,
	    "another mailhaul-fetcher works on %s (it holds %s)", state_dir,
	    path);
}
