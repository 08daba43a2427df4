/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child - a child process beside the event loop, with a deadline and the first
 * bytes of what it printed.
 */
#ifndef FETCHER_CHILD_H
#define FETCHER_CHILD_H

#include "base/error.h"
#include "base/slice.h"
#include "fetcher/loop.h"

struct child;

struct child_result {
	bool started;   /* false: *error says why */
	bool timed_out; /* killed at its deadline */
	int wait_status;
	struct slice out; /* first 64 KiB of standard output; borrowed */
	struct slice err; /* first 4 KiB of standard error; borrowed */
	struct error error;
};
typedef void child_handler(void *arg, const struct child_result *);

struct child_job {               /* borrowed until child_run() returns */
	const char *const *argv; /* argv[0] is an absolute path */
	int in;                  /* its standard input, -1: /dev/null */
	struct slice told;       /* in its place: a few KiB; empty: nothing */
	bool want_out;           /* false: standard output goes to /dev/null */
	int64_t timeout_ms;
};

/* The handler runs once, never before this returns, after the child has ended
 * and its output was read (for at most a second more: a grandchild may keep the
 * pipe).  Frees itself. */
void
child_run(struct loop *, const struct child_job *, child_handler *, void *arg);
/* "exit status 75: postdrop: warning: …", one line.  ERROR_LOCAL. */
void child_describe(const struct child_result *, struct error *);

#endif
