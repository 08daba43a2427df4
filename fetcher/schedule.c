/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/schedule.h"

#include <stdbool.h>
#include <stddef.h>

#include "fetcher/throttling.h"

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
	HELD_PAUSE = 2 * SECOND,
	STAYED_LONG = 1 * MINUTE,
	FIRST_APART_MS = 10,
};

/* The first pause after a failure of each kind, and the longest; the least,
 * whoever wants it sooner; and whether the account's own interval is waited
 * for if it is longer. */
static const struct {
	int64_t first_ms, most_ms, least_ms;
	bool keeps_interval;
} pauses[] = {
	[ERROR_RETRY] = { 5 * SECOND, 15 * MINUTE, 0, false },
	[ERROR_REFUSED] = { 1 * MINUTE, 1 * HOUR, 0, true },
	[ERROR_LOGIN] = { 5 * MINUTE, 6 * HOUR, 1 * MINUTE, true },
	[ERROR_TLS] = { 1 * MINUTE, 1 * HOUR, 0, true },
	[ERROR_PROTOCOL] = { 1 * MINUTE, 1 * HOUR, 0, true },
	[ERROR_CONFIG] = { 5 * MINUTE, 1 * HOUR, 0, true },
	/* Twice as long as readiness holds up all accounts: with a disk that
	 * is too small for one message the others come first. */
	[ERROR_LOCAL] = { 10 * SECOND, 10 * MINUTE, 0, false },
};

static int64_t
longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static struct schedule_pause
after_failure(struct schedule *s, const struct schedule_pass *pass)
{
	int64_t throttled = pass->error->kind == ERROR_LOCAL
				? 0
				: throttling_pause(slice_of(pass->error->text));
	enum error_kind kind = throttled > 0 ? ERROR_RETRY : pass->error->kind;
	unsigned failures = ++s->failures[kind];
	struct schedule_pause pause = { .ms = pauses[kind].first_ms,
		.least_ms = longer(throttled, pauses[kind].least_ms) };

	for (unsigned n = 1; n < failures && pause.ms < pauses[kind].most_ms;
	     n++)
		pause.ms *= 2;
	if (pause.ms > pauses[kind].most_ms)
		pause.ms = pauses[kind].most_ms;
	if (pauses[kind].keeps_interval)
		pause.ms = longer(pause.ms, pass->every_ms);
	return pause;
}

struct schedule_pause
schedule_next(struct schedule *s, const struct schedule_pass *pass)
{
	struct schedule_pause pause = { .ms = pass->every_ms };

	if (pass->end == PASS_FAILED)
		pause = after_failure(s, pass);
	else
		*s = (struct schedule){ .failures = { 0 } };
	if (pass->end == PASS_HELD)
		pause.ms = HELD_PAUSE;
	if (pass->end == PASS_MORE)
		pause.ms = 0;
	pause.least_ms = longer(pause.least_ms, pass->login_delay_ms);
	pause.ms = longer(pause.ms, pause.least_ms);
	pause.ms += pause.ms / 10 * (int64_t)(pass->random % 1024) / 1024;
	if (pass->every_ms == 0 && pass->end != PASS_MORE)
		pause.ms = SCHEDULE_NEVER;
	return pause;
}

int64_t
schedule_first(size_t index, int64_t every_ms)
{
	int64_t pause = (int64_t)index * FIRST_APART_MS;

	return pause < every_ms ? pause : every_ms;
}

void
schedule_stayed(struct schedule *s, int64_t ms)
{
	if (ms >= STAYED_LONG)
		*s = (struct schedule){ .failures = { 0 } };
}

int64_t
schedule_idle(
    enum pass_end end, bool waiting, int64_t every_ms, int64_t renew_ms)
{
	if (end == PASS_MORE)
		return 0;
	if (end == PASS_HELD)
		return HELD_PAUSE;
	if (waiting && every_ms > 0 && every_ms < renew_ms)
		return every_ms;
	return renew_ms;
}
