/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alerts - which words of a server for its users (RFC 9051 7.1, ALERT) an account
 * was told already: servers say them at each login, or with each reply.
 *
 * The same words are told once an hour, and no more than ALERTS_MAX others
 * within it.
 */
#ifndef FETCHER_ALERTS_H
#define FETCHER_ALERTS_H

#include "base/slice.h"

enum { ALERTS_MAX = 8, ALERTS_AGAIN_MS = 60 * 60 * 1000 };

/* Begins as { 0 }. */
struct alerts {
	struct {
		uint64_t words; /* their digest */
		int64_t until_ms;
	} told[ALERTS_MAX];
};

/* Whether to tell these now, by clock_monotonic_ms(); then they are told. */
bool alerts_are_due(struct alerts *, struct slice words, int64_t now_ms);

#endif
