/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breaker - spares a directory that is away, and those who wait for it.
 *
 * After BREAKER_FAULTS faults in a row nobody asks any more; once in
 * BREAKER_PAUSE_MS one caller may try, and its success lets everybody ask
 * again.  Pure: the caller gives the time (monotonic) and does the locking.
 */
#ifndef DIRECTORY_BREAKER_H
#define DIRECTORY_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_FAULTS = 3, BREAKER_PAUSE_MS = 10000 };

struct breaker {
	unsigned int faults; /* in a row */
	int64_t retry_ms;    /* while open: when somebody may try */
};

/* May this caller ask?  While open a "yes" is given once per pause. */
bool breaker_allows(struct breaker *, int64_t now_ms);
/* Too many faults: only one in a while asks. */
bool breaker_is_open(const struct breaker *);
void breaker_report(struct breaker *, bool answered, int64_t now_ms);

#endif
