/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_search - the lines of a log that hold some bytes, as they come from a file
 * or from a program that prints one.  Memory does not depend on the log, and a
 * deadline ends it.
 */
#ifndef ADMIN_LOG_SEARCH_H
#define ADMIN_LOG_SEARCH_H

#include "base/error.h"
#include "base/slice.h"

enum { LOG_SEARCH_LINE_MAX = 64 * 1024 }; /* longer ones may be missed */

struct log_search {
	struct slice needle;
	/* For each line with it, without its end; true: that is enough. */
	bool (*line)(void *arg, struct slice line);
	void *arg;
	int64_t deadline_ms; /* clock_monotonic_ms() */
};

/* To the descriptor's end.  ERROR_LOCAL: cannot be read.  ERROR_RETRY: took too
 * long. */
bool log_search_fd(const struct log_search *, int fd, struct error *);
/* What a program prints that reads `in` (-1: nothing); whatever its exit status.
 * It is killed at the deadline, and when a line is enough. */
bool log_search_program(
    const struct log_search *, const char *const *argv, int in, struct error *);

#endif
