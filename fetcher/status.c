/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/status.h"

#include <unistd.h>

#include "base/clock.h"

void
status_add(struct account_status *s, const struct pass_result *r)
{
	s->last = *r;
	s->ended_ms = clock_wall_ms();
	s->passes++;
	s->fetched += r->fetched;
	s->injected += r->injected;
	s->duplicates += r->duplicates;
	s->deleted += r->deleted;
}

void
status_write_head(const struct status_head *head, struct buf *out)
{
	static const char *const methods[] = {
		[METHOD_SENDMAIL] = "sendmail",
		[METHOD_SMTP] = "smtp",
	};

	buf_printf(out,
	    "version " MAILHAUL_VERSION "\npid %d\nuptime_s %lld\n"
	    "method %s\nin_flight %zu\nspooled %llu\nspool_full %d\n",
	    (int)getpid(),
	    (long long)(clock_monotonic_ms() - head->begun_ms) / 1000,
	    methods[head->config->inject.method], head->in_flight,
	    (unsigned long long)head->spooled, head->spool_full);
}

static const char *
state_word(const struct status_account *a)
{
	const struct account_status *s = a->status;

	if (a->queued)
		return "queued";
	if (a->progress != NULL)
		return "fetching";
	if (s->passes == 0)
		return "idle";
	if (s->last.end == PASS_FAILED)
		return "failed";
	if (s->last.end == PASS_HELD)
		return "waiting";
	return s->listening ? "listening" : "idle";
}

static void
write_progress(const struct status_account *a, struct buf *out)
{
	struct progress_figures f;

	if (!progress_figures(
		a->backlog, a->progress, clock_monotonic_ms(), &f))
		return;
	buf_printf(out,
	    "done_messages %u\ntodo_messages %u\ndone_bytes %llu\n"
	    "todo_bytes %llu\nrate_bytes %llu\n",
	    f.done, f.todo, (unsigned long long)f.done_bytes,
	    (unsigned long long)f.todo_bytes, (unsigned long long)f.rate);
	if (f.left_s != PROGRESS_UNKNOWN)
		buf_printf(out, "left_s %lld\n", (long long)f.left_s);
}

void
status_write_account(const struct status_account *a, struct buf *out)
{
	const struct account_status *s = a->status;
	const struct pass_result *now =
	    a->progress != NULL ? a->progress : &s->last;

	buf_printf(out, "account %s\nstate %s\n", a->name, state_word(a));
	if (s->passes > 0 &&
	    (s->last.end == PASS_FAILED || s->last.end == PASS_HELD))
		buf_printf(out, "reason %s\n", s->last.error.text);
	if (now->notice.text[0] != '\0')
		buf_printf(out, "notice %s\n", now->notice.text);
	if (a->progress == NULL && !a->queued && a->next_ms >= 0)
		buf_printf(out, "next_ms %lld\n", (long long)a->next_ms);
	write_progress(a, out);
	buf_printf(out,
	    "passes %llu\nended_ms %lld\nlisted %u\nfetched %u\ninjected %u\n"
	    "duplicates %u\ndeleted %u\nwaiting %u\n",
	    (unsigned long long)s->passes, (long long)s->ended_ms, now->listed,
	    now->fetched, now->injected, now->duplicates, now->deleted,
	    now->waiting);
	buf_printf(out,
	    "total_fetched %llu\ntotal_injected %llu\ntotal_duplicates %llu\n"
	    "total_deleted %llu\n",
	    (unsigned long long)s->fetched, (unsigned long long)s->injected,
	    (unsigned long long)s->duplicates, (unsigned long long)s->deleted);
}
