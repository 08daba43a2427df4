/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/progress.h"

#include <stdio.h>

#include "base/readable.h"

enum { TELL_EVERY_MS = 60 * 1000 };

static void
add(struct progress *p, const struct pass_result *r, int64_t now_ms)
{
	/* Until the listing is there, that of the pass before counts. */
	if (r->due > 0) {
		p->todo = p->done + r->due;
		p->todo_bytes = p->done_bytes + r->due_bytes;
	}
	p->done += r->fetched;
	p->done_bytes += r->bytes;
	if (r->begun_ms > 0)
		p->spent_ms += now_ms - r->begun_ms;
}

void
progress_end(struct progress *p, const struct pass_result *r, int64_t now_ms)
{
	if (r->end == PASS_DONE)
		*p = (struct progress){ .todo = 0 };
	else
		add(p, r, now_ms);
}

static void
estimate(struct progress_figures *f, int64_t spent_ms)
{
	uint64_t ms = spent_ms > 0 ? (uint64_t)spent_ms : 1;
	uint64_t bytes = f->todo_bytes - f->done_bytes;
	unsigned messages = f->todo - f->done;

	f->rate = f->done_bytes * 1000 / ms;
	f->left_s = PROGRESS_UNKNOWN;
	if (f->todo_bytes > 0 && f->rate > 0)
		f->left_s = (int64_t)(bytes / f->rate);
	else if (f->todo_bytes == 0 && f->done > 0)
		f->left_s = (int64_t)(ms * messages / f->done / 1000);
}

bool
progress_figures(const struct progress *before, const struct pass_result *now,
    int64_t now_ms, struct progress_figures *f)
{
	struct progress p = *before;

	if (now != NULL)
		add(&p, now, now_ms);
	if (p.todo == 0)
		return false;
	*f = (struct progress_figures){ .todo = p.todo,
		.todo_bytes = p.todo_bytes,
		.done = p.done < p.todo ? p.done : p.todo,
		/* What a server says of sizes need not be true. */
		.done_bytes = p.done_bytes < p.todo_bytes || p.todo_bytes == 0
				  ? p.done_bytes
				  : p.todo_bytes };
	estimate(f, p.spent_ms);
	return true;
}

bool
progress_is_due(struct progress *p, int64_t now_ms)
{
	if (p->told_ms == 0)
		p->told_ms = now_ms;
	if (now_ms - p->told_ms < TELL_EVERY_MS)
		return false;
	p->told_ms = now_ms;
	return true;
}

const char *
progress_text(
    const struct progress_figures *f, char out[static PROGRESS_TEXT_MAX])
{
	char size[READABLE_SIZE], rate[READABLE_SIZE], left[READABLE_SIZE];
	int len = snprintf(
	    out, PROGRESS_TEXT_MAX, "%u of %u messages", f->done, f->todo);

	if (f->todo_bytes > 0)
		len += snprintf(out + len, PROGRESS_TEXT_MAX - (size_t)len,
		    ", %u%% of %s",
		    (unsigned)(f->done_bytes / (f->todo_bytes / 100 + 1)),
		    readable_size(f->todo_bytes, size));
	if (f->rate > 0)
		len += snprintf(out + len, PROGRESS_TEXT_MAX - (size_t)len,
		    ", %s/s", readable_size(f->rate, rate));
	if (f->left_s != PROGRESS_UNKNOWN)
		snprintf(out + len, PROGRESS_TEXT_MAX - (size_t)len,
		    ", %s left", readable_span(f->left_s * 1000, left));
	return out;
}
