/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each_file - each of the files that a pattern names is a test, told by its name.
 */
#ifndef SUPPORT_EACH_FILE_H
#define SUPPORT_EACH_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <stdlib.h>

#include "base/mem.h"

/* Runs `test` with the path of each as its *state; 1: there is none. */
static inline int
each_file(const char *pattern, CMUnitTestFunction test)
{
	struct CMUnitTest *tests;
	glob_t found;
	int result;

	if (glob(pattern, 0, NULL, &found) != 0)
		return 1;
	tests = mem_new_array(found.gl_pathc, sizeof(*tests));
	for (size_t i = 0; i < found.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){ .name = found.gl_pathv[i],
			.test_func = test,
			.initial_state = found.gl_pathv[i] };
	result = _cmocka_run_group_tests(
	    "conversations", tests, found.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&found);
	return result;
}

#endif
