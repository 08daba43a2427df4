/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rule_condition.h"

/* Goes back to the last star only: what an earlier one took need never be
 * more, since the part between them has been found as far left as it can. */
bool
rules_glob(struct slice pattern, struct slice text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, taken = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = p++;
			taken = t;
		} else if (p < pattern.len &&
			   (pattern.data[p] == '?' ||
			       byte_lower(pattern.data[p]) ==
				   byte_lower(text.data[t]))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++taken;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

static bool
text_passes(const struct text_test *test, struct slice text)
{
	struct slice part = slice_of(test->contains);

	return (test->is == NULL ||
		   slice_equal_nocase(text, slice_of(test->is))) &&
	       (part.len == 0 ||
		   (text.len >= part.len &&
		       slice_search_nocase(text, part) < text.len)) &&
	       slice_starts_nocase(text, slice_of(test->starts)) &&
	       slice_ends_nocase(text, slice_of(test->ends)) &&
	       (test->glob == NULL || rules_glob(slice_of(test->glob), text));
}

static bool
any_address(const struct text_test *test, const struct address *list, size_t n)
{
	char text[ADDRESS_TEXT_SIZE];

	if (test == NULL)
		return true;
	for (size_t i = 0; i < n; i++)
		if (text_passes(test, slice_of(address_write(&list[i], text))))
			return true;
	return false;
}

static bool
any_field(
    const struct rule_matter *m, const struct text_test *test, const char *name)
{
	const struct rule_fields *fields = m->asked->message->fields;

	for (size_t i = 0; i < fields->n; i++)
		if (slice_equal_nocase(
			slice_of(fields->list[i].name), slice_of(name)) &&
		    text_passes(test, buf_slice(&m->texts[i])))
			return true;
	return false;
}

static bool
recipient_holds(const struct rule_matter *m, const struct condition *c)
{
	return any_address(
	    c->recipient, m->now->recipients, m->now->n_recipients);
}

static bool
candidate_holds(const struct rule_matter *m, const struct condition *c)
{
	return any_address(c->candidate, m->asked->ticket->candidates,
	    m->asked->ticket->n_candidates);
}

static bool
sender_holds(const struct rule_matter *m, const struct condition *c)
{
	return c->sender == NULL ||
	       text_passes(c->sender, m->asked->message->sender);
}

static bool
subject_holds(const struct rule_matter *m, const struct condition *c)
{
	return c->subject == NULL || any_field(m, c->subject, "Subject");
}

static bool
header_holds(const struct rule_matter *m, const struct condition *c)
{
	return c->header == NULL || any_field(m, c->header, c->header->name);
}

static bool
account_holds(const struct rule_matter *m, const struct condition *c)
{
	const struct account *account = m->asked->account;

	return c->account == NULL ||
	       (account != NULL &&
		   text_passes(c->account, slice_of(account->name)));
}

static bool
size_holds(const struct rule_matter *m, const struct condition *c)
{
	uint64_t size = m->asked->message->size;

	return c->size == NULL ||
	       ((c->size->above == 0 || size > c->size->above) &&
		   (c->size->below == 0 || size < c->size->below));
}

static bool
tier_holds(const struct rule_matter *m, const struct condition *c)
{
	for (size_t i = 0; i < c->n_tiers; i++)
		if (c->tiers[i] == m->asked->ticket->tier)
			return true;
	return c->n_tiers == 0;
}

static bool
all_hold(const struct rule_matter *m, const struct condition *c)
{
	for (size_t i = 0; i < c->n_all; i++)
		if (rule_condition_fails(m, &c->all[i]) != NULL)
			return false;
	return true;
}

static bool
any_holds(const struct rule_matter *m, const struct condition *c)
{
	for (size_t i = 0; i < c->n_any; i++)
		if (rule_condition_fails(m, &c->any[i]) == NULL)
			return true;
	return c->n_any == 0;
}

static bool
not_holds(const struct rule_matter *m, const struct condition *c)
{
	return c->negated == NULL ||
	       rule_condition_fails(m, c->negated) != NULL;
}

const char *
rule_condition_fails(const struct rule_matter *m, const struct condition *c)
{
	static const struct {
		const char *name;
		bool (*holds)(
		    const struct rule_matter *, const struct condition *);
	} parts[] = {
		{ "recipient", recipient_holds },
		{ "candidate", candidate_holds },
		{ "sender", sender_holds },
		{ "subject", subject_holds },
		{ "header", header_holds },
		{ "size", size_holds },
		{ "account", account_holds },
		{ "tier", tier_holds },
		{ "all", all_hold },
		{ "any", any_holds },
		{ "not", not_holds },
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!parts[i].holds(m, c))
			return parts[i].name;
	return NULL;
}
