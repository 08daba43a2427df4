/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/mail_trace.h"

#include "mail/header.h"
#include "mail/ticket.h"
#include "recipients/trace.h"

#define RENAMED TRACE_FIELD "-"

/* The fetcher adds this to what nobody named surely; it stands below our trace,
 * where else a provider's own would. */
static bool
is_our_suppression(const struct mail_trace *trace, const struct header_field *f)
{
	return header_is(f, "X-Auto-Response-Suppress") &&
	       slice_equal_nocase(slice_trim(f->body), SLICE("All")) &&
	       (slice_equal(trace->source, SLICE("headers")) ||
		   slice_equal(trace->source, SLICE("fallback")));
}

static bool
is_ours(const struct mail_trace *trace, const struct header_field *f)
{
	return header_is(f, TICKET_FIELD) || header_is(f, TRACE_FIELD) ||
	       header_is(f, TRACE_FIELD "-Origin") ||
	       is_our_suppression(trace, f);
}

static void
take(struct mail_trace *trace, const struct header_field *f)
{
	if (header_is(f, TICKET_FIELD) && trace->ticket.len == 0)
		trace->ticket = f->body;
	if (!header_is(f, TRACE_FIELD) || trace->id.len > 0)
		return;
	trace->account = trace_word(f->body, SLICE("account="));
	trace->at = trace_word(f->body, SLICE("at="));
	trace->id = trace_word(f->body, SLICE("id="));
	trace->source = trace_word(f->body, SLICE("source="));
}

void
mail_trace_find(struct slice header, struct mail_trace *out)
{
	struct header_field f;
	struct header h;

	*out = (struct mail_trace){ .begin = 0 };
	header_init(&h, header);
	while (header_next(&h, &f)) {
		size_t at = (size_t)(f.whole.data - header.data);

		if (!is_ours(out, &f)) {
			if (out->end > 0)
				return;
			continue;
		}
		if (out->end == 0)
			out->begin = at;
		out->end = at + f.whole.len;
		if (at == 0 && header_is(&f, TICKET_FIELD))
			out->ticket_end = out->end;
		take(out, &f);
	}
}

void
mail_trace_restore(
    struct slice beginning, const struct mail_trace *trace, struct buf *out)
{
	struct slice rest = slice_from(beginning, trace->end), line;
	struct slice left = rest; /* of which the line is the first */

	while (slice_cut_line(&rest, &line) && line.len > 0) {
		struct slice whole = slice_first(left, left.len - rest.len);

		if (slice_starts_nocase(line, SLICE(RENAMED "Delivered-To")))
			whole = slice_from(whole, sizeof(RENAMED) - 1);
		buf_add(out, whole);
		left = rest;
	}
	buf_add(out, left);
}
