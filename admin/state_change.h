/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_change - the administrator's changes of the state: made by the fetcher,
 * through its control socket; when none runs, here, under the state's lock.
 */
#ifndef ADMIN_STATE_CHANGE_H
#define ADMIN_STATE_CHANGE_H

#include "base/error.h"
#include "config/config.h"
#include "state/seen_import.h"
#include "state/seen_revise.h"

struct state_change {
	const char *account;         /* its name */
	const char *const *messages; /* UIDs or ids, NULL at the end; none:
				      * all of the account */
	enum seen_action action;
};
/* How many rows were changed; the first message for which there was none is
 * `missing`, else NULL. */
struct state_changed {
	uint64_t rows;
	const char *missing;
};
bool state_revise(const struct config *, const struct state_change *,
    struct state_changed *, struct error *);
/* From a file in state_dir whose name begins with IMPORT_PREFIX. */
bool state_import(const struct config *, struct seen_import *, struct error *);

#endif
