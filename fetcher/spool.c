/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"

enum { PIECE = 64 * 1024, PENDING_MAX = 1024 * 1024 };

void
spool_make_id(char out[static SPOOL_ID_SIZE])
{
	uint8_t random[5];
	char hex[11];

	digest_random(random, sizeof(random));
	hex_write((struct slice){ random, sizeof(random) }, hex);
	snprintf(out, SPOOL_ID_SIZE, "%011llx%s",
	    (unsigned long long)clock_wall_ms(), hex);
}

bool
spool_create(struct spool_file *f, const char *state_dir, const char *id,
    struct error *err)
{
	int len;

	*f = (struct spool_file){ .fd = -1 };
	buf_init(&f->pending, PENDING_MAX);
	snprintf(f->id, sizeof(f->id), "%s", id);
	len = snprintf(f->path, sizeof(f->path), "%s/spool/%s", state_dir, id);
	if (len < 0 || (size_t)len >= sizeof(f->path))
		return error_set(err, ERROR_LOCAL, "state_dir is too long");
	f->fd = open(f->path,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd < 0)
		return error_errno(err, ERROR_LOCAL, errno,
		    "cannot create spool file %s", f->path);
	return true;
}

static bool
write_pending(struct spool_file *f, struct error *err)
{
	struct slice rest = buf_slice(&f->pending);

	while (rest.len > 0) {
		ssize_t n = write(f->fd, rest.data, rest.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, ERROR_LOCAL, errno,
			    "cannot write spool file %s", f->path);
		rest = slice_from(rest, (size_t)n);
	}
	buf_reset(&f->pending);
	return true;
}

bool
spool_write(struct spool_file *f, struct slice s, struct error *err)
{
	while (s.len > 0) {
		struct slice piece = slice_first(s, PIECE);

		buf_add(&f->pending, piece);
		f->size += piece.len;
		s = slice_from(s, piece.len);
		if (f->pending.len >= PIECE && !write_pending(f, err))
			return false;
	}
	return true;
}

bool
spool_finish(struct spool_file *f, struct error *err)
{
	bool done = write_pending(f, err);
	int fd = f->fd;

	buf_clear(&f->pending);
	f->fd = -1;
	/* Network file systems report a full disk only here. */
	if (close(fd) != 0 && done)
		return error_errno(err, ERROR_LOCAL, errno,
		    "cannot write spool file %s", f->path);
	return done;
}

void
spool_close(struct spool_file *f, bool remove)
{
	buf_clear(&f->pending);
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	if (remove && f->path[0] != '\0')
		unlink(f->path);
	f->path[0] = '\0';
}
