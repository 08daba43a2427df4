/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/plan.h"

#include <stdlib.h>

enum { RETRY_PAUSE_MAX_MS = 60 * 60 * 1000 };

static bool
is_due(
    const struct account *account, const struct seen_row *row, int64_t now_ms)
{
	switch (account->keep) {
	case KEEP_NONE:
		return true;
	case KEEP_FOREVER:
		return false;
	case KEEP_TIME:
		return now_ms - row->injected_ms >= account->keep_ms;
	}
	return false;
}

enum plan
plan_message(const struct account *account, const struct seen_row *row,
    uint64_t size, uint64_t size_limit, int64_t now_ms)
{
	bool too_large = size_limit > 0 && size > size_limit;

	switch (row->status) {
	case SEEN_NEW:
		return too_large ? PLAN_OVERSIZE : PLAN_FETCH;
	case SEEN_INJECTED:
	case SEEN_DUPLICATE:
		if (!is_due(account, row, now_ms))
			return PLAN_KEEP;
		if (row->size == 0 || row->size == size ||
		    account_is_imap(account))
			return PLAN_DELETE;
		/* RFC 1939 lets a server use a UID again once its message is
		 * gone: this is another one.  IMAP does not, and Mailutils says
		 * another size as soon as it has written down that the message
		 * was read. */
		return too_large ? PLAN_OVERSIZE : PLAN_FETCH;
	case SEEN_RETRY:
		/* A clock that was set back must not hold mail for years. */
		if (row->not_before_ms - now_ms > RETRY_PAUSE_MAX_MS)
			return PLAN_FETCH;
		return now_ms >= row->not_before_ms ? PLAN_FETCH : PLAN_WAIT;
	case SEEN_PARKED:
	case SEEN_DROPPED:
	case SEEN_DISPOSED:
	case SEEN_BASELINE:
		return PLAN_KEEP;
	case SEEN_OVERSIZE:
		/* Fetched again once the limit was raised above it. */
		if (size_limit > 0 && row->size > size_limit)
			return PLAN_KEEP;
		return too_large ? PLAN_KEEP : PLAN_FETCH;
	}
	return PLAN_KEEP;
}

static int
compare_sizes(const void *a, const void *b, void *arg)
{
	const struct listed *entries = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (entries[x].size != entries[y].size)
		return entries[x].size < entries[y].size ? -1 : 1;
	return x < y ? -1 : 1;
}

static void
reverse(uint32_t *offsets, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		uint32_t kept = offsets[i];

		offsets[i] = offsets[n - 1 - i];
		offsets[n - 1 - i] = kept;
	}
}

void
plan_sort(enum fetch_order order, const struct listed *entries,
    uint32_t *offsets, size_t n)
{
	switch (order) {
	case ORDER_OLDEST: /* as servers list */
		break;
	case ORDER_NEWEST:
		reverse(offsets, n);
		break;
	case ORDER_SMALLEST:
		if (n > 0)
			qsort_r(offsets, n, sizeof(*offsets), compare_sizes,
			    (void *)(uintptr_t)entries);
		break;
	}
}

struct seen_row
plan_refused(const struct inject_settings *settings,
    const struct seen_row *before, int64_t now_ms)
{
	struct seen_row row = { .status = SEEN_RETRY,
		.tries = before->tries + 1 };
	int64_t pause = settings->retry_ms;

	for (uint32_t n = 1; n < row.tries && pause < RETRY_PAUSE_MAX_MS; n++)
		pause *= 2;
	if (pause > RETRY_PAUSE_MAX_MS)
		pause = RETRY_PAUSE_MAX_MS;
	row.not_before_ms = now_ms + pause;
	if (row.tries >= settings->max_tries)
		row.status = SEEN_PARKED;
	return row;
}
