/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc - child processes without a shell: an argv array, an absolute path,
 * and nothing inherited but the three standard descriptors.  And whom this process
 * itself runs as.
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

struct proc_files {
	int in;  /* the child's standard input, or -1 for /dev/null */
	int out; /* its standard output, or -1 for /dev/null */
	int err; /* its standard error, or -1 for /dev/null */
};

/* This process becomes that user, with no group but this one; for good.
 * ERROR_LOCAL. */
bool proc_become(uid_t, gid_t, struct error *);
/* Starts argv[0] in a process group of its own, signals at their defaults.
 * The caller keeps its descriptors and reaps *pid.
 * ERROR_LOCAL when it cannot be started (missing, not executable, no room). */
bool proc_start(
    const char *const *argv, struct proc_files, pid_t *pid, struct error *);
/* Kills the whole process group at once (SIGKILL). */
void proc_kill(pid_t);
/* "exit status 75", "signal 9": the words for a wait status. */
const char *proc_status_text(int wait_status, char out[static 32]);
/* Runs argv, waits, appends its standard output to `out`.  Blocks at most
 * timeout_ms, then kills it.  ERROR_LOCAL: not started, timed out, other exit
 * than 0 (with the first line of its standard error), too much output.
 * Not for the event loop: start-up, the milter, the admin's command. */
bool proc_run(const char *const *argv, int64_t timeout_ms, struct buf *out,
    struct error *);
/* As proc_run(), and appends what it can hold of the standard error to `said`,
 * for programs whose last line tells the most. */
bool proc_run_heard(const char *const *argv, int64_t timeout_ms,
    struct buf *out, struct buf *said, struct error *);
/* A run with something to read, in which every exit is an answer. */
struct proc_talk {
	const char *const *argv;
	struct slice in; /* its standard input */
	int64_t timeout_ms;
	struct buf *out, *said; /* its standard output and error are appended */
	int status;             /* as waitpid() tells */
};
/* Blocks as proc_run() does.  ERROR_LOCAL: not started, timed out, too much
 * output; what came before is there. */
bool proc_talk(struct proc_talk *, struct error *);

#endif
