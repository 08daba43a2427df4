/* SPDX-License-Identifier: Apache-2.0 */
#include "state/archive.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/slice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
path_in(const char *state_dir, const char *id)
{
	char *path;

	if (asprintf(&path, "%s/archive/%s", state_dir, id) < 0)
		abort();
	return path;
}

bool
archive_take(const char *state_dir, const char *id, const char *spool_path,
    struct error *err)
{
	char *path = path_in(state_dir, id);
	bool ok = rename(spool_path, path) == 0;

	if (!ok)
		error_errno(err, ERROR_LOCAL, errno, "%s", path);
	else
		/* The time to keep it counts from now. */
		utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
	free(path);
	return ok;
}

struct kept {
	char *name;
	int64_t taken_ms;
	uint64_t size;
};

struct scan {
	DIR *folder;
	struct kept *kept;
	size_t n, room;
	uint64_t total;
	uint64_t removed;
	int failed; /* errno of the first file that cannot be removed */
};

static void
remove_file(struct scan *scan, const char *name)
{
	if (unlinkat(dirfd(scan->folder), name, 0) == 0)
		scan->removed++;
	else if (scan->failed == 0 && errno != ENOENT)
		scan->failed = errno;
}

static void
keep_file(struct scan *scan, const char *name, const struct stat *st)
{
	if (scan->n == scan->room) {
		scan->room = scan->room == 0 ? 64 : 2 * scan->room;
		scan->kept =
		    mem_resize(scan->kept, scan->room, sizeof(*scan->kept));
	}
	scan->kept[scan->n++] = (struct kept){
		.name = mem_string(name),
		.taken_ms = (int64_t)st->st_mtim.tv_sec * 1000 +
			    st->st_mtim.tv_nsec / 1000000,
		.size = (uint64_t)st->st_size,
	};
	scan->total += (uint64_t)st->st_size;
}

static void
remove_old(struct scan *scan, int64_t keep_ms)
{
	int64_t now = clock_wall_ms();
	struct dirent *entry;
	struct stat st;

	while ((entry = readdir(scan->folder)) != NULL) {
		if (fstatat(dirfd(scan->folder), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		if (now - (int64_t)st.st_mtim.tv_sec * 1000 >= keep_ms)
			remove_file(scan, entry->d_name);
		else
			keep_file(scan, entry->d_name, &st);
	}
}

static int
compare_age(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->taken_ms != y->taken_ms)
		return x->taken_ms < y->taken_ms ? -1 : 1;
	/* Within one tick of the clock the ids tell: they only grow. */
	return strcmp(x->name, y->name);
}

static void
remove_excess(struct scan *scan, uint64_t max_bytes)
{
	if (scan->total <= max_bytes)
		return;
	qsort(scan->kept, scan->n, sizeof(*scan->kept), compare_age);
	for (size_t i = 0; i < scan->n && scan->total > max_bytes; i++) {
		remove_file(scan, scan->kept[i].name);
		scan->total -= scan->kept[i].size;
	}
}

bool
archive_expire(const char *state_dir, int64_t keep_ms, uint64_t max_bytes,
    uint64_t *removed, struct error *err)
{
	char *path = path_in(state_dir, "");
	struct scan scan = { .folder = opendir(path) };
	bool ok = scan.folder != NULL;

	*removed = 0;
	if (!ok) {
		error_errno(err, ERROR_LOCAL, errno, "%s", path);
	} else {
		remove_old(&scan, keep_ms);
		remove_excess(&scan, max_bytes);
		closedir(scan.folder);
		*removed = scan.removed;
		ok = scan.failed == 0 ||
		     error_errno(err, ERROR_LOCAL, scan.failed, "%s", path);
	}
	for (size_t i = 0; i < scan.n; i++)
		free(scan.kept[i].name);
	free(scan.kept);
	free(path);
	return ok;
}
