/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/log_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { FILES_MAX = 100, DAY_MS = 24 * 60 * 60 * 1000 };

struct found {
	char *path;
	int64_t written_ms;
};
struct scan {
	struct found files[FILES_MAX];
	size_t n;
	int64_t since_ms;
};

int64_t
log_files_span(const struct config *config)
{
	int64_t keep_ms = config->archive.keep_ms;

	return keep_ms > DAY_MS ? keep_ms : DAY_MS;
}

/* mail.log, mail.log.1, mail.log.2.gz, mail.log-20260101 */
static bool
is_of_log(const char *entry, const char *base)
{
	size_t len = strlen(base);

	return strncmp(entry, base, len) == 0 &&
	       strchr(".-", entry[len]) != NULL;
}

static void
add(struct scan *scan, const char *folder, const char *name, int at)
{
	struct stat st;
	int64_t written_ms;
	char *path;

	if (scan->n == FILES_MAX ||
	    fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	written_ms =
	    (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
	if (written_ms < scan->since_ms)
		return;
	if (asprintf(&path, "%s/%s", folder, name) < 0)
		abort();
	for (size_t i = 0; i < scan->n; i++)
		if (strcmp(scan->files[i].path, path) == 0) {
			free(path);
			return;
		}
	scan->files[scan->n++] = (struct found){ path, written_ms };
}

static void
scan_beside(struct scan *scan, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	struct dirent *entry;
	DIR *open;

	if (slash == NULL || slash == path)
		return;
	folder = mem_string_len(path, (size_t)(slash - path));
	open = opendir(folder);
	while (open != NULL && (entry = readdir(open)) != NULL)
		if (is_of_log(entry->d_name, slash + 1))
			add(scan, folder, entry->d_name, dirfd(open));
	if (open != NULL)
		closedir(open);
	free(folder);
}

static int
compare_age(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	return x->written_ms == y->written_ms  ? strcmp(x->path, y->path)
	       : x->written_ms > y->written_ms ? -1
					       : 1;
}

void
log_files_find(const char *maillog_file, int64_t span_ms, struct log_files *out)
{
	/* Debian's, Red Hat's, SUSE's. */
	static const char *const usual[] = { "/var/log/mail.log",
		"/var/log/maillog", "/var/log/mail" };
	struct scan *scan = mem_new(sizeof(*scan));

	scan->since_ms = clock_wall_ms() - span_ms;
	if (maillog_file[0] == '/' && strncmp(maillog_file, "/dev/", 5) != 0)
		scan_beside(scan, maillog_file);
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strcmp(usual[i], maillog_file) != 0)
			scan_beside(scan, usual[i]);
	if (scan->n > 1)
		qsort(
		    scan->files, scan->n, sizeof(scan->files[0]), compare_age);
	*out = (struct log_files){
		.all = mem_new_array(scan->n + 1, sizeof(*out->all)),
		.n = scan->n,
	};
	for (size_t i = 0; i < scan->n; i++)
		out->all[i] = scan->files[i].path;
	free(scan);
}

void
log_files_clear(struct log_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->all[i]);
	free(files->all);
	*files = (struct log_files){ .n = 0 };
}

/* What prints a compressed file that is its standard input. */
static const char *
unpacker(const char *path)
{
	static const struct {
		const char *suffix, *program;
	} known[] = {
		{ ".gz", "/usr/bin/gzip" },
		{ ".gz", "/bin/gzip" },
		{ ".xz", "/usr/bin/xz" },
		{ ".bz2", "/usr/bin/bzip2" },
		{ ".bz2", "/bin/bzip2" },
		{ ".zst", "/usr/bin/zstd" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (slice_ends_nocase(
			slice_of(path), slice_of(known[i].suffix)) &&
		    access(known[i].program, X_OK) == 0)
			return known[i].program;
	return NULL;
}

bool
log_files_search(
    const char *path, const struct log_search *search, struct error *err)
{
	const char *const argv[] = { unpacker(path), "-dc", NULL };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
	ok = argv[0] == NULL ? log_search_fd(search, fd, err)
			     : log_search_program(search, argv, fd, err);
	close(fd);
	return ok;
}
