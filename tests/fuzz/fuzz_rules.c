/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is a pattern, the rest a header.  A glob matches what a table
 * of all prefixes says; whoever gets the message was a recipient or is named
 * by a rule, each once; what people read is printable. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mail/header.h"
#include "policy/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

enum { PATTERN_MAX = 100, SIDE = 256 };

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* row[t]: the pattern so far matches the first t bytes. */
static bool
matches_by_table(struct slice pattern, struct slice text)
{
	bool row[SIDE + 1] = { true };

	for (size_t p = 0; p < pattern.len; p++) {
		uint8_t byte = pattern.data[p];
		bool diagonal = row[0];

		row[0] = row[0] && byte == '*';
		for (size_t t = 1; t <= text.len; t++) {
			bool above = row[t];
			bool same =
			    byte == '?' ||
			    byte_lower(byte) == byte_lower(text.data[t - 1]);

			row[t] = byte == '*' ? above || row[t - 1]
					     : diagonal && same;
			diagonal = above;
		}
	}
	return row[text.len];
}

static void
check_outcome(const struct rules_outcome *out, const struct address *known,
    size_t n_known)
{
	for (size_t i = 0; i < out->n_recipients; i++) {
		size_t at = 0;

		while (at < n_known &&
		       !address_equal(&known[at], &out->recipients[i]))
			at++;
		demand(at < n_known);
		for (size_t j = 0; j < i; j++)
			demand(!address_equal(
			    &out->recipients[i], &out->recipients[j]));
	}
	for (size_t i = 0; i < out->n_steps; i++)
		for (const char *c = out->steps[i].text; *c != '\0'; c++)
			demand(*c >= ' ' && *c <= '~');
}

static void
run(const char *pattern, struct slice header)
{
	static const char *const names[] = { "Subject", "To", NULL };
	const char *const drop[] = { pattern, NULL };
	const struct text_test glob = { .glob = pattern };
	const struct text_test to = { .name = "To", .contains = pattern };
	const struct condition to_holds = { .header = &to };
	struct address known[3];
	const struct rule rules[] = {
		{ .when = { .subject = &glob }, .then = { .drop = drop } },
		{ .when = { .negated = &to_holds, .recipient = &glob },
		    .then = { .add = &known[1], .n_add = 2 } },
		{ .when = { .subject = &glob, .negated = &to_holds },
		    .then = { .fallback = true, .hold = true, .stop = true } },
		{ .then = { .drop = drop } },
	};
	const struct config config = { .rules = rules, .n_rules = 4 };
	const struct ticket ticket = { .candidates = known, .n_candidates = 1 };
	struct rule_fields fields = { .names = names };
	const struct rule_message message = { .fields = &fields,
		.sender = slice_of(pattern) };
	struct rules_outcome out;
	struct header_field field;
	struct header all;

	address_parse(SLICE("anna@example.org"), &known[0]);
	address_parse(SLICE("bob@example.org"), &known[1]);
	address_parse(SLICE("office@example.org"), &known[2]);
	header_init(&all, header);
	while (header_next(&all, &field))
		rule_fields_take(&fields, field.name, field.body);
	rules_run(&(struct rules_question){ .config = &config,
		      .ticket = &ticket,
		      .message = &message,
		      .fallback = &known[2],
		      .recipients = known,
		      .n_recipients = 2 },
	    &out);
	check_outcome(&out, known, 3);
	rules_clear(&out);
	rule_fields_clear(&fields);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice rest = { data, len }, line;
	char pattern[PATTERN_MAX + 1] = "";

	if (!slice_cut_line(&rest, &line))
		return 0;
	line = slice_first(line, PATTERN_MAX);
	line = slice_first(line, slice_find(line, 0));
	if (line.len > 0)
		memcpy(pattern, line.data, line.len);
	demand(rules_glob(line, slice_first(rest, SIDE)) ==
	       matches_by_table(line, slice_first(rest, SIDE)));
	run(pattern, rest);
	return 0;
}
