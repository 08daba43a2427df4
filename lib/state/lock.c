/* SPDX-License-Identifier: Apache-2.0 */
#include "state/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* A fetcher that was killed may have left a child between fork and exec, which
 * holds the lock for a moment. */
enum { TRIES = 10, PAUSE_NS = 50 * 1000 * 1000 };

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
	for (int tries = 0; tries < TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	close(fd);
	return error_set(err, ERROR_RETRY,
	    "another mailhaul-fetcher works on %s (it holds %s)", state_dir,
	    path);
}
