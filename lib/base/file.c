/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A FIFO or a device in the place of a file must not stop us for ever:
 * O_NONBLOCK, and only regular files are read. */
static bool
open_regular(const char *path, int *fd, struct stat *st, struct error *err)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (*fd < 0)
		return error_errno(err, ERROR_CONFIG, errno, "%s", path);
	if (fstat(*fd, st) == 0 && S_ISREG(st->st_mode))
		return true;
	close(*fd);
	return error_set(err, ERROR_CONFIG, "%s: not a regular file", path);
}

static bool
read_all(int fd, const char *path, struct buf *out, struct error *err)
{
	uint8_t piece[4096];
	ssize_t n;
	bool ok = true;

	while (ok && (n = read(fd, piece, sizeof(piece))) != 0) {
		if (n > 0)
			ok = buf_add(out, (struct slice){ piece, (size_t)n });
		else if (errno != EINTR)
			break;
	}
	if (!ok)
		error_set(err, ERROR_CONFIG,
		    "%s: larger than the limit of %zu bytes", path, out->max);
	else if (n < 0)
		ok = error_errno(err, ERROR_CONFIG, errno, "%s", path);
	explicit_bzero(piece, sizeof(piece));
	return ok;
}

bool
file_read(const char *path, struct buf *out, struct error *err)
{
	struct stat st;
	int fd;
	bool ok;

	if (!open_regular(path, &fd, &st, err))
		return false;
	ok = read_all(fd, path, out, err);
	close(fd);
	return ok;
}

/* Editors and echo leave one line end; a password may end in blanks. */
static void
drop_line_end(struct buf *b, size_t from)
{
	if (b->len > from && b->data[b->len - 1] == '\n')
		b->len--;
	else
		return;
	if (b->len > from && b->data[b->len - 1] == '\r')
		b->len--;
	b->data[b->len] = '\0';
}

/* The usual mistake: root made the file, and the daemon is somebody else. */
static bool
tell_who_may_not(const char *path, struct error *err)
{
	if (access(path, R_OK) != 0 && errno == EACCES)
		error_set(err, ERROR_CONFIG,
		    "%s: Permission denied for the user with id %u; the "
		    "daemon that needs it must be able to read it, mailhaul(8) "
		    "is run as root",
		    path, (unsigned)geteuid());
	return false;
}

bool
file_read_secret(const char *path, struct buf *out, struct error *err)
{
	size_t from = out->len;
	struct stat st;
	int fd;
	bool ok;

	if (!open_regular(path, &fd, &st, err))
		return tell_who_may_not(path, err);
	if ((st.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
		ok = error_set(err, ERROR_CONFIG,
		    "%s: mode %04o lets others read or change this secret; "
		    "chmod 0640 (or 0600) it",
		    path, (unsigned)(st.st_mode & 07777));
	else
		ok = read_all(fd, path, out, err);
	close(fd);
	if (ok)
		drop_line_end(out, from);
	return ok;
}

static bool
write_all(int fd, struct slice s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.data, s.len);

		if (n >= 0)
			s = slice_from(s, (size_t)n);
		else if (errno != EINTR)
			return false;
	}
	return true;
}

/* The complete, synced content beside `path`; *temporary is the caller's. */
static bool
write_beside(const char *path, struct slice content, mode_t mode,
    char **temporary, struct error *err)
{
	size_t size = strlen(path) + sizeof(".XXXXXX");
	char *name = mem_new(size);
	int fd, saved;

	snprintf(name, size, "%s.XXXXXX", path);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0) {
		error_errno(err, ERROR_LOCAL, errno, "%s", name);
		free(name);
		return false;
	}
	if (write_all(fd, content) && fchmod(fd, mode) == 0 && fsync(fd) == 0) {
		close(fd);
		*temporary = name;
		return true;
	}
	saved = errno;
	close(fd);
	unlink(name);
	error_errno(err, ERROR_LOCAL, saved, "%s", name);
	free(name);
	return false;
}

bool
file_sync_folder(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int fd;
	bool ok;

	if (slash == NULL)
		folder = mem_string(".");
	else
		folder = mem_string_len(
		    path, slash == path ? 1 : (size_t)(slash - path));
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		error_errno(err, ERROR_LOCAL, errno, "%s", folder);
	if (fd >= 0)
		close(fd);
	free(folder);
	return ok;
}

bool
file_replace(
    const char *path, struct slice content, mode_t mode, struct error *err)
{
	char *temporary;
	bool ok = true;

	if (!write_beside(path, content, mode, &temporary, err))
		return false;
	if (rename(temporary, path) != 0) {
		ok = error_errno(err, ERROR_LOCAL, errno, "%s", path);
		unlink(temporary);
	}
	free(temporary);
	return ok && file_sync_folder(path, err);
}

bool
file_create(const char *path, struct slice content, mode_t mode, bool *existed,
    struct error *err)
{
	char *temporary;
	bool ok = true;

	*existed = false;
	if (!write_beside(path, content, mode, &temporary, err))
		return false;
	if (link(temporary, path) != 0) {
		*existed = errno == EEXIST;
		ok = *existed ||
		     error_errno(err, ERROR_LOCAL, errno, "%s", path);
	}
	unlink(temporary);
	free(temporary);
	return ok && file_sync_folder(path, err);
}
