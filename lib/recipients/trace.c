/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/trace.h"

#include "mail/header.h"

bool
trace_is_ours(const struct config *config, struct slice at)
{
	for (size_t i = 0; i < config->n_domains; i++)
		if (slice_equal_nocase(at, slice_of(config->domains[i].name)))
			return true;
	return false;
}

static void
read_trace(const struct config *config, const struct account *account,
    struct slice body, struct traces *out)
{
	bool here = false, same = false, more = true;
	struct slice part;

	while (more) {
		more = slice_cut_until(&body, ';', &part);
		part = slice_trim(more ? part : body);
		if (slice_cut_prefix_nocase(&part, SLICE("account=")))
			same = slice_equal(part, slice_of(account->name));
		else if (slice_cut_prefix_nocase(&part, SLICE("at=")))
			here = trace_is_ours(config, part);
	}
	out->here = out->here || here;
	out->same = out->same || (here && same);
}

struct traces
trace_find(const struct config *config, const struct account *account,
    struct slice header)
{
	struct traces found = { .here = false };
	struct header_field f;
	struct header h;

	header_init(&h, header);
	while (header_next(&h, &f))
		if (header_is(&f, TRACE_FIELD) ||
		    header_is(&f, TRACE_BEFORE_FIELD))
			read_trace(config, account, f.body, &found);
	return found;
}
