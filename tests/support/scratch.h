/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scratch - a folder for the files of one test.
 */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

enum { SCRATCH_SIZE = 64 };

/* Makes it, for us alone; its name is written into `folder`. */
static inline void
scratch_make(char folder[SCRATCH_SIZE])
{
	snprintf(folder, SCRATCH_SIZE, "/tmp/mailhaul-test.XXXXXX");
	assert_non_null(mkdtemp(folder));
}

/* "FOLDER/NAME", until the next call. */
static inline const char *
scratch_path(const char *folder, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static inline void
scratch_put(
    const char *folder, const char *name, struct slice content, mode_t mode)
{
	struct error err;

	if (!file_replace(scratch_path(folder, name), content, mode, &err))
		fail_msg("%s", err.text);
}

static inline int
scratch_remove_entry(
    const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	return remove(path);
}

/* With all that is in it. */
static inline void
scratch_remove(const char *folder)
{
	assert_int_equal(
	    nftw(folder, scratch_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* cmocka's tear-down where *state is the folder. */
static inline int
scratch_tear_down(void **state)
{
	scratch_remove(*state);
	return 0;
}

#endif
