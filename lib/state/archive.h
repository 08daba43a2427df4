/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive - every injected message, kept longer than Postfix's queue lifetime
 * (STATE_DIR/archive/ID).  Blocking; storage thread only.
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
 * are left.  `removed` counts. */
bool archive_expire(const char *state_dir, int64_t keep_ms, uint64_t max_bytes,
    uint64_t *removed, struct error *);

#endif
