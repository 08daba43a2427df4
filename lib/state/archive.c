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

struct scan {
	DIR *folder;
	struct archive_list kept;
	size_t room;
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
	struct archive_list *kept = &scan->kept;

	if (kept->n == scan->room) {
		scan->room = scan->room == 0 ? 64 : 2 * scan->room;
		kept->all =
		    mem_resize(kept->all, scan->room, sizeof(*kept->all));
	}
	kept->all[kept->n++] = (struct archived){
		.id = mem_string(name),
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
	const struct archived *x = a, *y = b;

	if (x->taken_ms != y->taken_ms)
		return x->taken_ms < y->taken_ms ? -1 : 1;
	/* Within one tick of the clock the ids tell: they only grow. */
	return strcmp(x->id, y->id);
}

static void
sort(struct archive_list *list)
{
	if (list->n > 1)
		qsort(list->all, list->n, sizeof(*list->all), compare_age);
}

static void
remove_excess(struct scan *scan, uint64_t max_bytes)
{
	for (size_t i = 0; i < scan->kept.n && scan->total > max_bytes; i++) {
		remove_file(scan, scan->kept.all[i].id);
		scan->total -= scan->kept.all[i].size;
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
		sort(&scan.kept);
		remove_excess(&scan, max_bytes);
		closedir(scan.folder);
		*removed = scan.removed;
		ok = scan.failed == 0 ||
		     error_errno(err, ERROR_LOCAL, scan.failed, "%s", path);
	}
	archive_list_clear(&scan.kept);
	free(path);
	return ok;
}

bool
archive_read(const char *state_dir, struct archive_list *out, struct error *err)
{
	char *path = path_in(state_dir, "");
	struct scan scan = { .folder = opendir(path) };
	bool ok = scan.folder != NULL || errno == ENOENT;

	if (!ok) {
		error_errno(err, ERROR_LOCAL, errno, "%s", path);
	} else if (scan.folder != NULL) {
		remove_old(&scan, INT64_MAX);
		sort(&scan.kept);
		closedir(scan.folder);
	}
	*out = scan.kept;
	free(path);
	return ok;
}

void
archive_list_clear(struct archive_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->all[i].id);
	free(list->all);
	*list = (struct archive_list){ .n = 0 };
}

bool
archive_open(const char *state_dir, const char *id, int *fd, struct error *err)
{
	char *path;

	/* Nothing that leads elsewhere. */
	if (id[0] == '\0' || !slice_all(slice_of(id), byte_is_alnum))
		return error_set(err, ERROR_REFUSED, "%s is no id", id);
	path = path_in(state_dir, id);
	/* Nor what a reader would wait for. */
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*fd < 0 && errno == ENOENT)
		error_set(err, ERROR_REFUSED,
		    "no message %s in the archive (any more)", id);
	else if (*fd < 0)
		error_errno(err, ERROR_LOCAL, errno, "%s", path);
	free(path);
	return *fd >= 0;
}
