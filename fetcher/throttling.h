/* SPDX-License-Identifier: Apache-2.0 */
/*
 * throttling - what a provider's words of refusal say about when to come again.
 * Pure: one table.
 *
 * Response codes (RFC 2449 8.1, RFC 5530 3) where there are any; the big
 * providers have texts of their own, and Microsoft names the time.  None of
 * these is a refused login, whichever command it answers: nothing is wrong
 * with the password, and the pauses after a refused one would be too long.
 */
#ifndef FETCHER_THROTTLING_H
#define FETCHER_THROTTLING_H

#include "base/slice.h"

/* No server puts an account off for longer. */
enum { THROTTLING_MOST_MS = 24 * 60 * 60 * 1000 };

/* The least pause in milliseconds, at most THROTTLING_MOST_MS; 0: it says
 * nothing about that. */
int64_t throttling_pause(struct slice words);

#endif
