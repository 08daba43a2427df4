/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule - when an account is polled next.  Pure.
 *
 * After a failure the pause is longer with each one in a row, by its cause: the
 * network's is short and does not wait for `every`; a refused login is tried
 * again slowly, since providers lock accounts.  What the server asks for
 * (throttling, LOGIN-DELAY) is the least pause of all.
 */
#ifndef FETCHER_SCHEDULE_H
#define FETCHER_SCHEDULE_H

#include "base/error.h"

#include <stdint.h>

/* How a pass ended. */
enum pass_end {
	PASS_DONE,   /* everything that is due was done */
	PASS_MORE,   /* a limit ended it: more is waiting */
	PASS_HELD,   /* nothing may be injected now (milter, directory,
		      * Postfix, disk) */
	PASS_FAILED, /* the account failed; the error's kind says how */
};

struct schedule {
	/* Of each kind, since the last pass that did not fail: an hour
	 * without network must not make a refused login wait for six. */
	unsigned failures[ERROR_KINDS];
};

/* A pass that is over. */
struct schedule_pass {
	enum pass_end end;
	const struct error *error; /* of PASS_FAILED */
	int64_t every_ms;          /* 0: on demand */
	int64_t login_delay_ms;    /* the server's; 0: none */
	uint32_t
	    random; /* any number; it spreads the pauses by up to a tenth */
};

/* Milliseconds until the next pass; `least_ms` of them also when an
 * administrator wants it at once. */
struct schedule_pause {
	int64_t ms; /* SCHEDULE_NEVER: only when somebody asks for one */
	int64_t least_ms;
};
enum { SCHEDULE_NEVER = -1 };
struct schedule_pause
schedule_next(struct schedule *, const struct schedule_pass *);

/* The pause before the first pass of the account with this index of all those
 * that are due at a start: they do not all connect in the same moment. */
int64_t schedule_first(size_t index, int64_t every_ms);

/* A session has stayed for so long after its first pass: if that was long
 * enough, what had failed before it counts no more. */
void schedule_stayed(struct schedule *, int64_t ms);
/* As schedule_next() for a session that stays and hears of new mail: until it
 * looks by itself.  `waiting`: messages are to be tried again. */
int64_t
schedule_idle(enum pass_end, bool waiting, int64_t every_ms, int64_t renew_ms);

#endif
