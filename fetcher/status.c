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
	    "method %s\nin_flight %zu\n",
	    (int)getpid(),
	    (long long)(clock_monotonic_ms() - head->begun_ms) / 1000,
	    methods[head->config->inject.method], head->in_flight);
}

static const char *
state_word(const struct account_status *s, const struct pass_result *progress)
{
	if (progress != NULL)
		return "fetching";
	if (s->passes == 0)
		return "idle";
	if (s->last.end == PASS_FAILED)
		return "failed";
	if (s->last.end == PASS_HELD)
		return "waiting";
	return s->listening ? "listening" : "idle";
}

void
status_write_account(const char *name, const struct account_status *s,
    const struct pass_result *progress, int64_t next_ms, struct buf *out)
{
	const struct pass_result *now = progress != NULL ? progress : &s->last;

	buf_printf(
	    out, "account %s\nstate %s\n", name, state_word(s, progress));
	if (s->passes > 0 &&
	    (s->last.end == PASS_FAILED || s->last.end == PASS_HELD))
		buf_printf(out, "reason %s\n", s->last.error.text);
	if (now->notice.text[0] != '\0')
		buf_printf(out, "notice %s\n", now->notice.text);
	if (progress == NULL)
		buf_printf(out, "next_ms %lld\n", (long long)next_ms);
	buf_printf(out,
	    "passes %llu\nended_ms %lld\nlisted %u\nfetched %u\ninjected %u\n"
	    "deleted %u\nwaiting %u\n",
	    (unsigned long long)s->passes, (long long)s->ended_ms, now->listed,
	    now->fetched, now->injected, now->deleted, now->waiting);
	buf_printf(out,
	    "total_fetched %llu\ntotal_injected %llu\ntotal_deleted %llu\n",
	    (unsigned long long)s->fetched, (unsigned long long)s->injected,
	    (unsigned long long)s->deleted);
}
