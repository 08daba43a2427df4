/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schedule - when an account is polled next.  Pure.
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

/* Milliseconds until the next pass.  `random` is any number; it spreads the
 * pauses by up to a tenth.  After a failure the pause doubles with each one in
 * a row: the refusals of a login slowly (providers lock accounts), the
 * network's quickly. */
int64_t schedule_next(struct schedule *, enum pass_end, enum error_kind,
    int64_t every_ms, uint32_t random);

#endif
