/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rule_condition.h"
#include "tests/support/addr.h"

static void
globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "anything at all", true },
		{ "?", "", false },
		{ "?", "a", true },
		{ "a*", "b", false },
		{ "*a", "bab", false },
		{ "*a", "baba", true },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "acb", false },
		{ "*ab*ab", "abXab", true },
		{ "*ab*ab", "abX", false },
		{ "SALES*@Example.ORG", "sales-de@example.org", true },
		{ "a**?", "ab", true },
		{ "a**?", "a", false },
		{ "[sales]*", "[sales] x", true },
		{ "a\\*", "a*", false },
		{ "a*", "a", true },
		{ "ab", "abc", false },
		{ "abc", "ab", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (rules_glob(slice_of(cases[i].pattern),
			slice_of(cases[i].text)) != cases[i].matches)
			fail_msg("%s, %s", cases[i].pattern, cases[i].text);
}

/* Backtracking over every star would take longer than the world lasts. */
static void
a_glob_takes_no_exponential_time(void **state)
{
	char pattern[257], text[64 * 1024];

	(void)state;
	for (size_t i = 0; i < 256; i++)
		pattern[i] = i % 2 == 0 ? '*' : 'a';
	pattern[254] = 'b';
	pattern[255] = 'c';
	pattern[256] = '\0';
	memset(text, 'a', sizeof(text));
	assert_false(rules_glob(slice_of(pattern),
	    (struct slice){ (const uint8_t *)text, sizeof(text) }));
}

/* One message, as the tables below see it: to anna and bob, from someone, by
 * "office", by a guess. */
struct scene {
	struct accepted_domain domain;
	struct account account;
	struct config config;
	struct address candidates[2], recipients[2], fallback;
	struct ticket ticket;
	struct rule_fields fields;
	struct rule_message message;
	struct rules_outcome outcome;
};

static const char *const names[] = { "Subject", "List-Id", "X-Empty", NULL };

static void
take(struct scene *s, const char *name, const char *body)
{
	rule_fields_take(&s->fields, slice_of(name), slice_of(body));
}

static void
prepare(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->domain.name = "example.org";
	s->account = (struct account){ .name = "office" };
	s->config = (struct config){ .domains = &s->domain, .n_domains = 1 };
	s->recipients[0] = addr("anna@example.org");
	s->recipients[1] = addr("bob@example.org");
	s->candidates[0] = addr("info+x@example.org");
	s->candidates[1] = addr("bob@example.org");
	s->fallback = addr("office@example.org");
	s->ticket = (struct ticket){ .tier = TIER_HEADERS,
		.candidates = s->candidates,
		.n_candidates = 2 };
	s->fields.names = names;
	take(s, "Received", "not asked for");
	take(s, "SUBJECT", " =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n [Sales] =?x?=");
	take(s, "list-id", "first <one.example.org>");
	take(s, "List-ID", "\n\tsecond\n\t<two.example.org>");
	take(s, "X-Empty", "");
	s->message = (struct rule_message){ .fields = &s->fields,
		.sender = SLICE("Someone@sender.example"),
		.size = 1000 };
}

static void
run(struct scene *s)
{
	rules_run(&(struct rules_question){ .config = &s->config,
		      .account = &s->account,
		      .ticket = &s->ticket,
		      .message = &s->message,
		      .fallback = &s->fallback,
		      .recipients = s->recipients,
		      .n_recipients = 2 },
	    &s->outcome);
}

static void
done(struct scene *s)
{
	rules_clear(&s->outcome);
	rule_fields_clear(&s->fields);
}

static bool
applies(const struct condition *condition)
{
	struct scene s;
	struct rule rule = { .when = *condition, .then = { .hold = true } };
	bool applied;

	prepare(&s);
	s.account.rules = &rule;
	s.account.n_rules = 1;
	run(&s);
	applied = s.outcome.steps[0].result == RULE_APPLIED;
	assert_int_equal(applied, s.outcome.held_by != NULL);
	assert_int_equal(s.outcome.n_recipients, 2);
	done(&s);
	return applied;
}

#define TEST(...)                                                              \
	&(const struct text_test)                                              \
	{                                                                      \
		__VA_ARGS__                                                    \
	}
#define SIZE(...)                                                              \
	&(const struct size_test)                                              \
	{                                                                      \
		__VA_ARGS__                                                    \
	}

static const struct condition is_anna = { .recipient =
					      TEST(.is = "anna@example.org") };
static const struct condition is_carl = { .recipient =
					      TEST(.is = "carl@example.org") };
static const struct condition both[] = {
	{ .subject = TEST(.contains = "[sales]") },
	{ .account = TEST(.is = "office") },
};
static const struct condition one[] = {
	{ .subject = TEST(.contains = "[buying]") },
	{ .account = TEST(.is = "office") },
};
static const struct condition neither[] = {
	{ .subject = TEST(.contains = "[buying]") },
	{ .account = TEST(.is = "home") },
};
static const enum tier guessed[] = { TIER_RECEIVED, TIER_HEADERS };
static const enum tier known[] = { TIER_ENVELOPE };

static const struct {
	const char *about;
	struct condition condition;
	bool holds;
} conditions[] = {
	{ "nothing", { .recipient = NULL }, true },
	{ "recipient", { .recipient = TEST(.is = "anna@example.org") }, true },
	{ "recipient, case", { .recipient = TEST(.is = "BOB@Example.org") },
	    true },
	{ "no recipient", { .recipient = TEST(.is = "carl@example.org") },
	    false },
	{ "a candidate is no recipient",
	    { .recipient = TEST(.starts = "info") }, false },
	{ "candidate", { .candidate = TEST(.starts = "INFO+") }, true },
	{ "no candidate", { .candidate = TEST(.starts = "anna") }, false },
	{ "sender", { .sender = TEST(.ends = "@Sender.example") }, true },
	{ "not the null sender", { .sender = TEST(.is = "") }, false },
	{ "subject, decoded", { .subject = TEST(.starts = "Grüße ") }, true },
	{ "subject", { .subject = TEST(.contains = "[sales]") }, true },
	{ "subject, end", { .subject = TEST(.ends = "?=") }, true },
	{ "subject, whole", { .subject = TEST(.is = "[sales]") }, false },
	{ "longer than the subject",
	    { .subject = TEST(.contains = "Grüße [Sales] =?x?= and more") },
	    false },
	{ "whole subject",
	    { .subject = TEST(.contains = "Grüße [Sales] =?x?=") }, true },
	{ "all of it",
	    { .subject =
		    TEST(.starts = "G", .ends = "?", .contains = "sales") },
	    false },
	{ "glob", { .subject = TEST(.glob = "*[s?les]*") }, true },
	{ "header", { .header = TEST(.name = "List-Id", .contains = "<two.") },
	    true },
	{ "unfolded",
	    { .header =
		    TEST(.name = "LIST-ID", .is = "second <two.example.org>") },
	    true },
	{ "one field, not two",
	    { .header = TEST(.name = "List-Id", .starts = "first",
		  .contains = "two") },
	    false },
	{ "header is there", { .header = TEST(.name = "x-empty") }, true },
	{ "empty", { .header = TEST(.name = "X-Empty", .is = "") }, true },
	{ "not there", { .header = TEST(.name = "X-Other") }, false },
	{ "not kept", { .header = TEST(.name = "Received") }, false },
	{ "account", { .account = TEST(.starts = "off") }, true },
	{ "other account", { .account = TEST(.is = "home") }, false },
	{ "above", { .size = SIZE(.above = 999) }, true },
	{ "not above", { .size = SIZE(.above = 1000) }, false },
	{ "below", { .size = SIZE(.below = 1001) }, true },
	{ "not below", { .size = SIZE(.below = 1000) }, false },
	{ "between", { .size = SIZE(.above = 999, .below = 1001) }, true },
	{ "tier", { .tiers = guessed, .n_tiers = 2 }, true },
	{ "other tier", { .tiers = known, .n_tiers = 1 }, false },
	{ "all", { .all = both, .n_all = 2 }, true },
	{ "not all", { .all = one, .n_all = 2 }, false },
	{ "any", { .any = one, .n_any = 2 }, true },
	{ "not any", { .any = neither, .n_any = 2 }, false },
	{ "not", { .negated = &is_carl }, true },
	{ "not not", { .negated = &is_anna }, false },
	{ "and", { .all = both, .n_all = 2, .negated = &is_anna }, false },
};

static void
conditions_hold_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
		if (applies(&conditions[i].condition) != conditions[i].holds)
			fail_msg("%s", conditions[i].about);
}

/* The recipients in order, as "a b c", without their domain. */
static void
assert_recipients(const struct scene *s, const char *about, const char *wanted)
{
	char all[1024] = "";

	for (size_t i = 0; i < s->outcome.n_recipients; i++) {
		size_t len = strlen(all);

		snprintf(all + len, sizeof(all) - len, "%s%s", i > 0 ? " " : "",
		    s->outcome.recipients[i].local);
	}
	if (strcmp(all, wanted) != 0)
		fail_msg("%s: %s", about, all);
}

static void
actions(void **state)
{
	const struct address more[] = { addr("carl@example.org"),
		addr("ANNA@example.org"), addr("dora@example.org") };
	static const char *const anna[] = { "Anna@example.ORG", NULL };
	static const char *const everybody[] = { "*", NULL };
	static const char *const mixed[] = { "nobody@*", "b?b@*", NULL };
	const struct {
		const char *about;
		struct rule_actions then;
		const char *to, *text;
	} cases[] = {
		{ "add", { .add = more, .n_add = 3 }, "anna bob carl dora",
		    "applies; adds carl@example.org, ANNA@example.org, "
		    "dora@example.org" },
		{ "replace", { .replace = more, .n_replace = 1 }, "carl",
		    "applies; replaces all by carl@example.org" },
		{ "drop", { .drop = anna }, "bob",
		    "applies; drops anna@example.org" },
		{ "drop globs", { .drop = mixed }, "anna",
		    "applies; drops bob@example.org" },
		{ "drop all", { .drop = everybody }, "",
		    "applies; drops anna@example.org; drops bob@example.org" },
		{ "drop, add", { .drop = everybody, .add = more, .n_add = 2 },
		    "carl ANNA", NULL },
		{ "replace, drop",
		    { .replace = more, .n_replace = 3, .drop = anna },
		    "carl dora", NULL },
		{ "fallback", { .fallback = true }, "office",
		    "applies; replaces all by the fallback "
		    "office@example.org" },
		{ "hold", { .hold = true }, "anna bob", "applies; holds" },
		{ "stop", { .stop = true }, "anna bob", "applies; stops" },
	};
	struct scene s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rule rule = { .then = cases[i].then };

		prepare(&s);
		s.config.rules = &rule;
		s.config.n_rules = 1;
		run(&s);
		assert_recipients(&s, cases[i].about, cases[i].to);
		if (cases[i].text != NULL)
			assert_string_equal(
			    s.outcome.steps[0].text, cases[i].text);
		assert_int_equal(s.outcome.held_by != NULL, cases[i].then.hold);
		done(&s);
	}
}

static void
assert_step(const struct scene *s, size_t i, const char *rule,
    enum rule_result result, const char *text)
{
	assert_true(i < s->outcome.n_steps);
	assert_string_equal(s->outcome.steps[i].rule, rule);
	assert_int_equal(s->outcome.steps[i].result, result);
	assert_string_equal(s->outcome.steps[i].text, text);
}

/* Each sees what the one before left; the account's come first. */
static void
order_and_stop(void **state)
{
	const struct address carl = addr("carl@example.org");
	const struct address dora = addr("dora@example.org");
	static const struct rule_header field = { "X-Seen", "yes" };
	const struct rule own[] = {
		{ .name = "to-carl",
		    .when = is_anna,
		    .then = { .replace = &carl, .n_replace = 1 } },
		{ .when = is_anna, .then = { .hold = true } },
	};
	const struct rule all[] = {
		{ .when = is_carl,
		    .then = { .add = &dora,
			.n_add = 1,
			.headers = &field,
			.n_headers = 1,
			.hold = true,
			.stop = true } },
		{ .name = "last", .then = { .fallback = true } },
	};
	struct scene s;

	(void)state;
	prepare(&s);
	s.account.rules = own;
	s.account.n_rules = 2;
	s.config.rules = all;
	s.config.n_rules = 2;
	run(&s);
	assert_recipients(&s, "order", "carl dora");
	assert_int_equal(s.outcome.n_steps, 4);
	assert_step(&s, 0, "to-carl", RULE_APPLIED,
	    "applies; replaces all by carl@example.org");
	assert_step(&s, 1, "account.rules[1]", RULE_NOT_APPLIED,
	    "its condition on recipient does not hold");
	assert_step(&s, 2, "rules[0]", RULE_APPLIED,
	    "applies; adds dora@example.org; adds the field X-Seen; holds; "
	    "stops");
	assert_step(&s, 3, "last", RULE_SKIPPED, "a rule before it stops");
	assert_ptr_equal(s.outcome.held_by, &s.outcome.steps[2]);
	assert_int_equal(s.outcome.n_headers, 1);
	assert_ptr_equal(s.outcome.headers[0], &field);
	done(&s);
}

static void
what_is_kept_of_a_header_is_bounded(void **state)
{
	static char large[RULE_FIELDS_SIZE / 2];
	struct rule_fields fields = { .names = names };
	struct slice body = { (const uint8_t *)large, sizeof(large) };

	(void)state;
	memset(large, 'x', sizeof(large));
	for (size_t i = 0; i < 5; i++)
		rule_fields_take(&fields, SLICE("subject"), body);
	assert_int_equal(fields.n, 2);
	rule_fields_clear(&fields);
	fields.names = names;
	for (size_t i = 0; i < RULE_FIELDS_MAX + 5; i++)
		rule_fields_take(&fields, SLICE("X-Empty"), SLICE(""));
	assert_int_equal(fields.n, RULE_FIELDS_MAX);
	rule_fields_clear(&fields);
	assert_null(fields.names);
	rule_fields_take(&fields, SLICE("Subject"), SLICE("nobody asks"));
	assert_int_equal(fields.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(globs),
		cmocka_unit_test(a_glob_takes_no_exponential_time),
		cmocka_unit_test(conditions_hold_or_not),
		cmocka_unit_test(actions),
		cmocka_unit_test(order_and_stop),
		cmocka_unit_test(what_is_kept_of_a_header_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
