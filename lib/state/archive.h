/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive - every injected message, kept longer than Postfix's queue lifetime
 * (STATE_DIR/archive/ID): ticket, trace, message.  Blocking; of the daemon only
 * the storage thread writes there.
 */
#ifndef STATE_ARCHIVE_H
#define STATE_ARCHIVE_H

#include <stdint.h>

#include "base/error.h"

/* Moves a spool file of the same file system in by rename; the folder is there
 * (storage makes it).  ERROR_LOCAL. */
bool archive_take(const char *state_dir, const char *id, const char *spool_path,
    struct error *);
/* Removes what is older than keep_ms, then the oldest until at most max_bytes
 * are left.  `removed` counts, also when something could not be removed
 * (ERROR_LOCAL). */
bool archive_expire(const char *state_dir, int64_t keep_ms, uint64_t max_bytes,
    uint64_t *removed, struct error *);

struct archived {
	char *id;
	int64_t taken_ms; /* wall clock: when it was injected */
	uint64_t size;
};
struct archive_list {
	struct archived *all; /* oldest first */
	size_t n;
};
/* What is kept now; nothing before the first message.  ERROR_LOCAL. */
bool archive_read(const char *state_dir, struct archive_list *, struct error *);
void archive_list_clear(struct archive_list *);
/* Opens one to read.  ERROR_REFUSED: there is none of that id, or it is no
 * id. */
bool
archive_open(const char *state_dir, const char *id, int *fd, struct error *);

#endif
