/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/as_user.h"

#include "base/mem.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ENTRY_ROOM = 64 * 1024, GROUPS_MAX = 1024 };

struct identity {
	uid_t uid;
	gid_t gid, groups[GROUPS_MAX];
	int n_groups;
};

static bool
find_user(const char *name, struct identity *id)
{
	char *room = mem_new(ENTRY_ROOM);
	struct passwd entry, *found = NULL;

	getpwnam_r(name, &entry, room, ENTRY_ROOM, &found);
	if (found != NULL) {
		id->uid = entry.pw_uid;
		id->gid = entry.pw_gid;
		id->n_groups = GROUPS_MAX;
		if (getgrouplist(name, id->gid, id->groups, &id->n_groups) < 0)
			id->n_groups = GROUPS_MAX;
	}
	free(room);
	return found != NULL;
}

static void
add_group(struct identity *id, const char *name)
{
	char *room = mem_new(ENTRY_ROOM);
	struct group entry, *found = NULL;

	getgrnam_r(name, &entry, room, ENTRY_ROOM, &found);
	if (found != NULL && id->n_groups < GROUPS_MAX)
		id->groups[id->n_groups++] = entry.gr_gid;
	free(room);
}

bool
as_user_can(const char *user)
{
	struct identity id;

	return geteuid() == 0 || (find_user(user, &id) && id.uid == geteuid());
}

static int
enter(const struct as_user *as, const struct identity *id)
{
	const char *folder = as->folder == NULL ? "/" : as->folder;
	bool root = geteuid() == 0;

	if (chdir(folder) != 0)
		return errno;
	if (!root)
		return 0;
	if (as->chroot && (chroot(folder) != 0 || chdir("/") != 0))
		return errno;
	if (setgroups((size_t)id->n_groups, id->groups) != 0 ||
	    setgid(id->gid) != 0 || setuid(id->uid) != 0)
		return errno;
	return 0;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd, result = 0;

	if (len >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		result = errno;
	close(fd);
	/* A full backlog: somebody listens. */
	return result == EAGAIN ? 0 : result;
}

static int
try_here(enum as_user_wish wish, const char *path)
{
	static const int modes[] = {
		[AS_USER_READ] = R_OK,
		[AS_USER_WRITE] = W_OK,
		[AS_USER_EXECUTE] = X_OK,
	};

	if (wish == AS_USER_CONNECT)
		return connect_to(path);
	return access(path, modes[wish]) == 0 ? 0 : errno;
}

int
as_user_try(const struct as_user *as, enum as_user_wish wish, const char *path)
{
	struct identity id;
	int status, failed;
	pid_t pid;

	if (!find_user(as->user, &id))
		return ESRCH;
	if (as->group != NULL)
		add_group(&id, as->group);
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		failed = enter(as, &id);
		_exit(failed != 0 ? failed : try_here(wish, path));
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

const char *
as_user_reason(int failed)
{
	const char *words = strerrordesc_np(failed);

	if (failed == ESRCH)
		return "there is no such user (README.md says how to make it)";
	return words == NULL ? "it failed" : words;
}
