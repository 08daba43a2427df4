/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock - one fetcher at a time: an flock(2) on STATE_DIR/lock, held for life.
 */
#ifndef FETCHER_LOCK_H
#define FETCHER_LOCK_H

#include "base/error.h"

/* ERROR_RETRY: another process holds it.  ERROR_CONFIG: the folder is missing
 * or not ours.  The descriptor is kept open until the process ends. */
bool lock_take(const char *state_dir, struct error *);

#endif
