/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lock - one writer of the state at a time, a fetcher or the admin's command: an
 * flock(2) on STATE_DIR/lock, held for life.
 */
#ifndef STATE_LOCK_H
#define STATE_LOCK_H

#include "base/error.h"

/* ERROR_RETRY: another process holds it, for half a second at least, which this
 * waits.  ERROR_CONFIG: the folder is missing or not ours.  The descriptor is
 * kept open until the process ends. */
bool lock_take(const char *state_dir, struct error *);

#endif
