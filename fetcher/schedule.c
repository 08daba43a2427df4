/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/schedule.h"

#include <stddef.h>

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
	HELD_PAUSE = 2 * SECOND,
};

/* The first pause after a failure of each kind, and the longest. */
static const struct {
	int64_t first_ms, most_ms;
} pauses[] = {
	[ERROR_RETRY] = { 5 * SECOND, 15 * MINUTE },
	[ERROR_REFUSED] = { 1 * MINUTE, 1 * HOUR },
	[ERROR_LOGIN] = { 5 * MINUTE, 6 * HOUR },
	[ERROR_TLS] = { 1 * MINUTE, 1 * HOUR },
	[ERROR_PROTOCOL] = { 1 * MINUTE, 1 * HOUR },
	[ERROR_CONFIG] = { 5 * MINUTE, 1 * HOUR },
	/* Twice as long as readiness holds up all accounts: with a disk that
	 * is too small for one message the others come first. */
	[ERROR_LOCAL] = { 10 * SECOND, 10 * MINUTE },
};

static int64_t
failure_pause(unsigned failures, enum error_kind kind, int64_t every_ms)
{
	int64_t pause = pauses[kind].first_ms;

	for (unsigned n = 1; n < failures && pause < pauses[kind].most_ms; n++)
		pause *= 2;
	if (pause > pauses[kind].most_ms)
		pause = pauses[kind].most_ms;
	return pause > every_ms ? pause : every_ms;
}

int64_t
schedule_next(struct schedule *s, enum pass_end end, enum error_kind kind,
    int64_t every_ms, uint32_t random)
{
	int64_t pause = every_ms;

	if (end != PASS_FAILED)
		*s = (struct schedule){ .failures = { 0 } };
	switch (end) {
	case PASS_DONE:
		break;
	case PASS_MORE:
		return 0;
	case PASS_HELD:
		pause = HELD_PAUSE;
		break;
	case PASS_FAILED:
		pause = failure_pause(++s->failures[kind], kind, every_ms);
		break;
	}
	return pause + pause / 10 * (int64_t)(random % 1024) / 1024;
}
