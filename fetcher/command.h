/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - what can be asked on the fetcher's control socket.  Pure.
 *
 *	STATUS				a report, see fetcher/status.h
 *	FETCH ACCOUNT			poll it now: OK
 *	FETCH ACCOUNT wait=5s		OK listed=N fetched=N injected=N
 *					deleted=N waiting=N when a pass that
 *					began after the question is done; WAIT
 *					when nothing may be handed over now, or
 *					it takes longer (at most 1h); ERROR
 *	RETRY ACCOUNT [MESSAGE]		OK N: so many messages are due now
 *	DROP ACCOUNT [MESSAGE]		OK N: so many are given up for good
 *
 *	FORGET ACCOUNT [MESSAGE]	OK N: so many are new again
 *	BASELINE ACCOUNT		OK 1: when it is listed next, all is
 *					taken as collected
 *	ADOPT ACCOUNT			OK 1: when it is listed next, what is
 *					known counts and the rest is collected
 *	IMPORT FILE			OK ADDED KNOWN: the state was added to
 *					from a file of the state directory
 *					whose name begins with IMPORT_PREFIX
 *
 * MESSAGE is a UID or an ID; without it, all that was parked, waits for its next
 * try, or is oversize, and with FORGET all.
 */
#ifndef FETCHER_COMMAND_H
#define FETCHER_COMMAND_H

#include "base/error.h"
#include "base/slice.h"

enum command_verb {
	COMMAND_STATUS,
	COMMAND_FETCH,
	COMMAND_RETRY,
	COMMAND_DROP,
	COMMAND_FORGET,
	COMMAND_BASELINE,
	COMMAND_ADOPT,
	COMMAND_IMPORT,
};

struct command {
	enum command_verb verb;
	struct slice account; /* both into the line; or the file */
	struct slice message; /* empty: none */
	int64_t wait_ms;      /* 0: do not wait */
};

/* ERROR_PROTOCOL. */
bool command_parse(struct slice line, struct command *, struct error *);

#endif
