/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/breaker.h"

bool
breaker_allows(struct breaker *b, int64_t now_ms)
{
	if (!breaker_is_open(b))
		return true;
	if (now_ms < b->retry_ms)
		return false;
	b->retry_ms = now_ms + BREAKER_PAUSE_MS;
	return true;
}

bool
breaker_is_open(const struct breaker *b)
{
	return b->faults >= BREAKER_FAULTS;
}

void
breaker_report(struct breaker *b, bool answered, int64_t now_ms)
{
	if (answered) {
		b->faults = 0;
		return;
	}
	if (b->faults < BREAKER_FAULTS)
		b->faults++;
	/* Counted from the end of the attempt: a time-out does not use up the
	 * pause. */
	b->retry_ms = now_ms + BREAKER_PAUSE_MS;
}
