/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control - the socket on which the fetcher asks whether the milter could
 * judge a message now, and the admin's command what it does.  The protocol is
 * that of base/control_socket:
 *
 *	READY	OK | WAIT reason
 *	STATS	a report
 *	(else)	ERROR unknown command
 *
 * The keys of the report, in this order; counted from the start:
 *
 *	version  uptime_s  routed  deferred  passed	(the last three: messages)
 *
 * and for each source of the directory, counted from the last reload:
 *
 *	source		its path, first URI or host
 *	kind		file | ldap | smtp
 *	state		ok | away: a breaker spares it
 *	lookups		addresses; of these:
 *	found  absent  unknown
 *	cached  stale	among the found and absent, known without asking
 *	questions	that went to the source, of one address or many
 *	faults		questions without a clear answer
 *	openings	of the breaker
 *	mean_ms  last_ms	time of the questions, with three decimals
 *	last_fault	only if there was one
 *
 * A thread of its own; several clients at once, each may ask again and again.
 * Who sends a longer line than CONTROL_LINE_MAX, or nothing for a minute, is
 * disconnected.
 */
#ifndef MILTER_CONTROL_H
#define MILTER_CONTROL_H

#include "base/control_socket.h"

enum { CONTROL_CLIENTS_MAX = 32 };

/* Appends the answer to `reply`, line ends included.  May block for the
 * directory's deadlines; the other clients wait meanwhile. */
typedef void
control_answer(void *context, struct slice line, struct buf *reply);

struct control;

/* A socket file that nobody answers at is left from a crash and replaced; one
 * that somebody answers at means that we run already: ERROR_CONFIG.  NULL with
 * ERROR_LOCAL when it cannot be made. */
struct control *control_start(
    const char *path, control_answer *, void *context, struct error *);
/* Ends the thread, closes every client, removes the file.  NULL is fine. */
void control_stop(struct control *);

#endif
