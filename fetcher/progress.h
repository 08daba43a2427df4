/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress - how far the fetching of an account has come: over all passes of
 * one backlog, when a limit (max_messages_per_pass) or a fault cuts it into
 * several.  Pure; times are clock_monotonic_ms().
 *
 * Only the time within passes counts for the rate.
 */
#ifndef FETCHER_PROGRESS_H
#define FETCHER_PROGRESS_H

#include "fetcher/session.h"

struct progress {
	/* Of the passes before this one. */
	unsigned done;
	uint64_t done_bytes;
	int64_t spent_ms;
	/* In all, as the last listing has it. */
	unsigned todo;
	uint64_t todo_bytes;
	int64_t told_ms; /* in the log, or begun; 0: not yet */
};

struct progress_figures {
	unsigned done, todo; /* messages; todo in all */
	uint64_t done_bytes, todo_bytes;
	uint64_t rate;  /* bytes per second */
	int64_t left_s; /* PROGRESS_UNKNOWN */
};
enum { PROGRESS_UNKNOWN = -1, PROGRESS_TEXT_MAX = 128 };

void
progress_end(struct progress *, const struct pass_result *, int64_t now_ms);
/* `now`: of the pass under way; NULL between passes.  False: there is nothing
 * to fetch. */
bool progress_figures(const struct progress *, const struct pass_result *now,
    int64_t now_ms, struct progress_figures *);
/* To be asked often while something is fetched.  A minute has passed since the
 * first time, or since this was true before: a line in the log is due. */
bool progress_is_due(struct progress *, int64_t now_ms);
/* "1234 of 16000 messages, 8% of 14.2G, 2.1M/s, 1h 40m left" */
const char *progress_text(
    const struct progress_figures *, char out[static PROGRESS_TEXT_MAX]);

#endif
