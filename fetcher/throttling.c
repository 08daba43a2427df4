/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/throttling.h"

#include <stddef.h>

enum {
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	HOUR = 60 * MINUTE,
};

static const struct {
	struct slice words;
	int64_t pause_ms;
} hints[] = {
	{ SLICE("[IN-USE]"), 5 * SECOND },
	{ SLICE("[INUSE]"), 5 * SECOND },
	/* Servers without codes, of a second session at the same mailbox. */
	{ SLICE("mailbox is locked"), 30 * SECOND },
	{ SLICE("maildrop already locked"), 30 * SECOND },
	{ SLICE("unable to lock"), 30 * SECOND },
	{ SLICE("lock busy"), 30 * SECOND },
	{ SLICE("[UNAVAILABLE]"), 1 * MINUTE },
	{ SLICE("[SYS/TEMP]"), 1 * MINUTE },
	{ SLICE("[LOGIN-DELAY]"), 5 * MINUTE },
	/* Gmail; Dovecot */
	{ SLICE("too many simultaneous connections"), 2 * MINUTE },
	{ SLICE("maximum number of connections"), 2 * MINUTE },
	/* Microsoft: the mailbox is throttled; and without a time. */
	{ SLICE("user is authenticated but not connected"), 5 * MINUTE },
	{ SLICE("request is throttled"), 5 * MINUTE },
	{ SLICE("exceeded the login limit for a 15 minute period"),
	    15 * MINUTE },
	{ SLICE("login allowed only every 15 minutes"), 15 * MINUTE },
	/* Yahoo */
	{ SLICE("[LIMIT]"), 15 * MINUTE },
	{ SLICE("rate limit hit"), 15 * MINUTE },
	/* Gmail; it shuts out for hours who goes on. */
	{ SLICE("[THROTTLED]"), 15 * MINUTE },
	{ SLICE("[OVERQUOTA]"), 1 * HOUR },
	{ SLICE("exceeded command or bandwidth limits"), 1 * HOUR },
};

static bool
says(struct slice text, struct slice words)
{
	return slice_search_nocase(text, words) < text.len;
}

/* "Suggested Backoff Time: 299961 milliseconds" */
static int64_t
named_pause(struct slice text)
{
	const struct slice words = SLICE("suggested backoff time: ");
	size_t at = slice_search_nocase(text, words);
	uint64_t ms;

	if (at == text.len)
		return 0;
	text = slice_from(text, at + words.len);
	if (!slice_cut_number(&text, UINT64_MAX, &ms) ||
	    !slice_starts_nocase(text, SLICE(" millisecond")))
		return 0;
	return ms < THROTTLING_MOST_MS ? (int64_t)ms : THROTTLING_MOST_MS;
}

int64_t
throttling_pause(struct slice words)
{
	int64_t most = named_pause(words);

	/* A time that is named counts, also when it is the shorter one. */
	if (most > 0)
		return most;
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].pause_ms > most && says(words, hints[i].words))
			most = hints[i].pause_ms;
	return most;
}
