/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file - whole small files: read with a limit, secrets checked, replaced
 * atomically.  Every descriptor is close-on-exec; symbolic links in the last
 * component are not followed when writing.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

/* Appends the whole file to `out`, whose ceiling is the limit.
 * ERROR_CONFIG: missing, unreadable, not a regular file, too large. */
bool file_read(const char *path, struct buf *out, struct error *);
/* As file_read() for a password or key: additionally refuses (ERROR_CONFIG) a
 * file that others than owner and group may read or that group or others may
 * write.  One trailing LF or CRLF is taken off.  Use buf_wipe() on `out`. */
bool file_read_secret(const char *path, struct buf *out, struct error *);
/* Writes a temporary file beside `path`, syncs it, renames it over `path`,
 * syncs the folder.  ERROR_LOCAL. */
bool file_replace(const char *path, struct slice, mode_t, struct error *);
/* Creates `path` with this content, only if nothing is there (O_EXCL by
 * link(2), so that a reader never sees half of it).  *existed tells when
 * somebody else was first; that is no error.  ERROR_LOCAL. */
bool file_create(
    const char *path, struct slice, mode_t, bool *existed, struct error *);
/* Syncs the folder that `path` lies in: only then does a name that was made or
 * renamed there survive a power failure.  ERROR_LOCAL. */
bool file_sync_folder(const char *path, struct error *);

#endif
