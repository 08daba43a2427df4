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

struct slice
trace_word(struct slice trace, struct slice name)
{
	struct slice part, none = { NULL, 0 };

	while (trace.len > 0) {
		if (!slice_cut_until(&trace, ';', &part)) {
			part = trace;
			trace.len = 0;
		}
		part = slice_trim(part);
		if (slice_cut_prefix_nocase(&part, name))
			return part;
	}
	return none;
}

static void
read_trace(const struct config *config, const struct account *account,
    struct slice body, struct traces *out)
{
	struct slice name = trace_word(body, SLICE("account="));

	if (!trace_is_ours(config, trace_word(body, SLICE("at="))))
		return;
	out->here = true;
	out->same = out->same || slice_equal(name, slice_of(account->name));
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
