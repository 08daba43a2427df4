/* SPDX-License-Identifier: Apache-2.0 */
/* What rules may make of a decision; the rest of it is in test_route.c. */
#include "policy/route.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/addr.h"

/* Everybody exists but wait, of whom nothing can be told. */
static void
look_up(void *context, const struct address *address,
    struct directory_answer *answer)
{
	(void)context;
	answer->existence =
	    strcmp(address->local, "wait") == 0 ? UNKNOWN : EXISTS;
	snprintf(answer->reason, sizeof(answer->reason), "so it is");
}

struct scene {
	struct accepted_domain domain;
	struct account account;
	struct config config;
	struct rule rule;
	struct address candidates[3], outside[3];
	struct ticket ticket;
	struct rule_fields fields;
	struct route route;
};

static void
prepare(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->domain.name = "example.org";
	s->outside[0] = addr("friend@elsewhere.example");
	s->outside[1] = addr("foe@elsewhere.example");
	s->outside[2] = addr("bob@example.org");
	s->config = (struct config){ .postmaster = addr("pm@example.org"),
		.domains = &s->domain,
		.n_domains = 1,
		.recipient_delimiter = "",
		.allow_external = s->outside,
		.n_allow_external = 1 };
	s->account = (struct account){ .name = "office",
		.fallback = addr("office@example.org"),
		.rules = &s->rule,
		.n_rules = 1 };
	s->candidates[0] = addr("anna@example.org");
	s->candidates[1] = s->outside[0];
	s->candidates[2] = addr("wait@example.org");
	s->ticket = (struct ticket){ .tier = TIER_ENVELOPE,
		.fallback = addr("office@example.org"),
		.candidates = s->candidates,
		.n_candidates = 2 };
}

static void
decide(struct scene *s, struct rule_actions then)
{
	const struct rule_message message = { .fields = &s->fields };

	s->rule.then = then;
	route_decide(&(struct route_question){ .config = &s->config,
			 .account = &s->account,
			 .ticket = &s->ticket,
			 .message = &message,
			 .lookup = look_up },
	    &s->route);
}

/* The local parts of the recipients, in order. */
static void
assert_recipients(struct scene *s, const char *expected)
{
	char all[512] = "";

	for (size_t i = 0; i < s->route.n_recipients; i++) {
		size_t len = strlen(all);

		snprintf(all + len, sizeof(all) - len, "%s%s", i > 0 ? " " : "",
		    s->route.recipients[i].address.local);
	}
	assert_string_equal(all, expected);
	route_clear(&s->route);
}

static void
rules_send_outside_only_where_it_is_allowed(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	decide(&s, (struct rule_actions){ .stop = true });
	assert_recipients(&s, "anna");
	decide(&s, (struct rule_actions){ .add = s.outside, .n_add = 3 });
	assert_recipients(&s, "anna friend bob");
	decide(&s,
	    (struct rule_actions){ .replace = &s.outside[1], .n_replace = 1 });
	assert_true(s.route.rules_left_nobody);
	assert_recipients(&s, "office");
}

static void
nobody_left_means_the_fallback(void **state)
{
	static const char *const everybody[] = { "*", NULL };
	struct scene s;

	(void)state;
	prepare(&s);
	decide(&s, (struct rule_actions){ .drop = everybody });
	assert_true(s.route.rules_left_nobody);
	assert_false(s.route.used_fallback);
	assert_recipients(&s, "office");
}

static void
no_rule_before_the_directory_is_sure(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	s.ticket.n_candidates = 3;
	decide(&s, (struct rule_actions){ .fallback = true });
	assert_true(s.route.defer);
	assert_int_equal(s.route.n_recipients, 0);
	assert_int_equal(s.route.rules.n_steps, 0);
	route_clear(&s.route);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_send_outside_only_where_it_is_allowed),
		cmocka_unit_test(nobody_left_means_the_fallback),
		cmocka_unit_test(no_rule_before_the_directory_is_sure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
