/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/statistics.h"

#include <inttypes.h>

#include "base/log.h"

static void
write_ms(struct buf *out, const char *key, int64_t us)
{
	buf_printf(
	    out, "%s %" PRId64 ".%03d\n", key, us / 1000, (int)(us % 1000));
}

static void
write_counts(struct buf *out, const struct directory_statistics *s)
{
	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{ "lookups", s->lookups },
		{ "found", s->found },
		{ "absent", s->absent },
		{ "unknown", s->unknown },
		{ "cached", s->cached },
		{ "stale", s->stale },
		{ "questions", s->questions },
		{ "faults", s->faults },
		{ "openings", s->openings },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		buf_printf(
		    out, "%s %" PRIu64 "\n", counts[i].key, counts[i].value);
}

static void
write_source(struct directory *directory, size_t source, struct buf *out)
{
	struct directory_statistics s;
	char name[512];

	directory_statistics(directory, source, &s);
	log_safe(name, sizeof(name), slice_of(s.name));
	buf_printf(out, "source %s\nkind %s\nstate %s\n", name, s.kind,
	    s.away ? "away" : "ok");
	write_counts(out, &s);
	write_ms(out, "mean_ms",
	    s.questions > 0 ? s.total_us / (int64_t)s.questions : 0);
	write_ms(out, "last_ms", s.last_us);
	if (s.last_fault[0] != '\0')
		buf_printf(out, "last_fault %s\n", s.last_fault);
}

void
statistics_write(struct service *service, struct buf *out)
{
	struct snapshot *snapshot = service_enter(service);
	struct service_counts counts = service_counts(service);

	buf_printf(out,
	    "version " MAILHAUL_VERSION "\nuptime_s %" PRId64
	    "\nrouted %" PRIu64 "\ndeferred %" PRIu64 "\npassed %" PRIu64 "\n",
	    counts.uptime_s, counts.messages[VERDICT_ROUTED],
	    counts.messages[VERDICT_DEFERRED], counts.messages[VERDICT_PASSED]);
	for (size_t i = 0; i < directory_sources(snapshot->directory); i++)
		write_source(snapshot->directory, i, out);
	buf_add_byte(out, '\n');
	service_leave(service, snapshot);
}
