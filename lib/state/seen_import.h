/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_import - a file of seen_text into the state, in groups: whoever else waits
 * for the state comes in between.
 */
#ifndef STATE_SEEN_IMPORT_H
#define STATE_SEEN_IMPORT_H

#include <stdio.h>

#include "state/seen.h"

enum { SEEN_IMPORT_LINES = 10000 };

struct seen_import {
	const char *path;
	/* How far it is; all 0 at first. */
	int64_t offset;
	uint64_t line;
	uint64_t added,
	    known; /* known: they were there, and stay as they are */
	bool done;
};
/* The next SEEN_IMPORT_LINES lines.  Changes as in seen.h; when that fails, the
 * import is over, and may be begun again.  ERROR_CONFIG names a line that is not
 * understood, or the file. */
bool seen_import_some(struct seen *, struct seen_import *, struct error *);
/* As seen_import_some() without a state, for the whole file: calls `bad` for
 * each line that is not understood.  False when there are some. */
bool seen_import_check(FILE *,
    void (*bad)(void *arg, uint64_t line, const struct error *), void *arg);

#endif
