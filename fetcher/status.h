/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - what the fetcher says about itself on its control socket: a report
 * of base/control_socket.
 *
 *	version, pid, uptime_s, method (inject.method), in_flight (messages in
 *	Postfix's hands, or spooled for it), spooled (their bytes, and those of
 *	messages to come), spool_full (fetching pauses for that)
 *
 * and for each account that is collected:
 *
 *	account NAME
 *	state		idle | queued (for a connection) | listening (IDLE) |
 *			fetching | waiting | failed
 *	reason		of waiting and failed, and of fetching after these
 *	notice		something to mend, though all goes on
 *	next_ms		until the next pass; not while listening, fetching or
 *			queued, or when there is none but on demand
 *	done_messages, todo_messages (in all), done_bytes, todo_bytes, rate_bytes
 *			(a second), left_s: while there is something to fetch,
 *			over all passes of a backlog; the last where it is known
 *	passes		since the start; then of the last or present one:
 *	ended_ms (wall clock), listed, fetched, injected, duplicates, deleted,
 *	waiting
 *	total_fetched, total_injected, total_duplicates, total_deleted
 *		since the start
 */
#ifndef FETCHER_STATUS_H
#define FETCHER_STATUS_H

#include "base/buf.h"
#include "fetcher/progress.h"
#include "fetcher/session.h"

/* Of one account; all zero before its first pass. */
struct account_status {
	struct pass_result last;
	int64_t ended_ms; /* wall clock */
	uint64_t passes, fetched, injected, duplicates, deleted;
	bool listening; /* the session stays to hear of mail */
};
/* A pass is over. */
void status_add(struct account_status *, const struct pass_result *);

struct status_head {
	int64_t begun_ms; /* clock_monotonic_ms() */
	const struct config *config;
	size_t in_flight;
	uint64_t spooled;
	bool spool_full;
};
void status_write_head(const struct status_head *, struct buf *out);

struct status_account {
	const char *name;
	const struct account_status *status;
	const struct pass_result *progress; /* of the pass under way, or NULL */
	const struct progress *backlog;
	bool queued;
	int64_t next_ms; /* below 0: none */
};
void status_write_account(const struct status_account *, struct buf *out);

#endif
