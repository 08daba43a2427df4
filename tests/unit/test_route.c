/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/route.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/addr.h"

/* What the directory names for each. */
static const struct {
	const char *alias, *canonical;
} aliases[] = {
	{ "a.berg@example.org", "anna@example.org" },
	{ "same@example.org", "SAME@example.org" },
	{ "sister@example.org", "sister@old.example" },
	{ "gone@example.org", "gone@elsewhere.example" },
	{ "trap@example.org", "mailer-daemon@example.org" },
	{ "long@example.org",
	    "a123456789b123456789c123456789d123456789e123456789f123456789"
	    "g123456789h123456789i123456789j123456789k123456789l12@"
	    "example.org" },
};

/* anna, bob and office exist, wait* cannot be told; counts the questions, each
 * of which must have been announced. */
struct people {
	struct address announced[16];
	size_t n_announced;
	bool collected; /* only collected mail has several candidates */
	unsigned asked;
	char last[ADDRESS_TEXT_SIZE];
};

static bool
is_announced(const struct people *people, const struct address *address)
{
	for (size_t i = 0; i < people->n_announced; i++)
		if (address_equal(&people->announced[i], address))
			return true;
	return false;
}

static void
announce(void *context, const struct address *addresses, size_t n)
{
	struct people *people = context;

	assert_int_equal(people->n_announced, 0);
	for (size_t i = 0; i < n; i++) {
		assert_false(is_announced(people, &addresses[i]));
		people->announced[people->n_announced++] = addresses[i];
	}
}

static void
look_up(void *context, const struct address *address,
    struct directory_answer *answer)
{
	static const char *const known[] = { "anna@example.org",
		"bob@example.org", "with+plus@example.org",
		"list-request@example.org" };
	struct people *people = context;

	assert_true(!people->collected || is_announced(people, address));
	people->asked++;
	address_write(address, people->last);
	answer->existence = ABSENT;
	snprintf(answer->reason, sizeof(answer->reason), "no such entry");
	if (strncmp(address->local, "wait", 4) == 0) {
		answer->existence = UNKNOWN;
		snprintf(answer->reason, sizeof(answer->reason),
		    "ldap://dc1: Can't contact LDAP server");
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(people->last, known[i]) == 0)
			answer->existence = EXISTS;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(people->last, aliases[i].alias) == 0) {
			answer->existence = EXISTS;
			answer->canonical = addr(aliases[i].canonical);
		}
}

struct scene {
	struct address catch_all, unknown;
	struct accepted_domain domains[4];
	struct account account;
	struct config config;
	struct ticket ticket;
	struct address candidates[8];
	struct people people;
	struct route route;
};

static void
prepare(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->catch_all = addr("catchall@example.net");
	s->unknown = addr("unknown@example.org");
	s->domains[0] = (struct accepted_domain){ .name = "example.org" };
	s->domains[1] = (struct accepted_domain){ .name = "example.net",
		.catch_all = &s->catch_all };
	s->domains[2] = (struct accepted_domain){ .name = "old.example",
		.map_to = "example.org" };
	s->domains[3] = (struct accepted_domain){ .name = "old.example.net",
		.map_to = "example.net" };
	s->config = (struct config){ .postmaster = addr("pm@example.org"),
		.domains = s->domains,
		.n_domains = 4,
		.recipient_delimiter = "+-" };
	s->account = (struct account){ .name = "office",
		.fallback = addr("office@example.org") };
	s->ticket = (struct ticket){ .tier = TIER_ENVELOPE,
		.fallback = addr("ticketfb@example.org"),
		.candidates = s->candidates };
}

static void
name(struct scene *s, const char *text)
{
	s->candidates[s->ticket.n_candidates++] = addr(text);
}

static void
decide(struct scene *s, bool with_account)
{
	s->people.collected = true;
	route_decide(&(struct route_question){ .config = &s->config,
			 .account = with_account ? &s->account : NULL,
			 .ticket = &s->ticket,
			 .prepare = announce,
			 .lookup = look_up,
			 .context = &s->people },
	    &s->route);
}

/* The recipients in order, as "a b c". */
static void
assert_recipients(struct scene *s, const char *expected)
{
	char all[2048] = "", text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < s->route.n_recipients; i++) {
		size_t len = strlen(all);

		snprintf(all + len, sizeof(all) - len, "%s%s", i > 0 ? " " : "",
		    address_write(&s->route.recipients[i].address, text));
	}
	assert_string_equal(all, expected);
	route_clear(&s->route);
}

static void
decide_one(struct scene *s, const char *candidate)
{
	prepare(s);
	name(s, candidate);
	decide(s, true);
	assert_int_equal(s->route.n_steps, 1);
	assert_true(s->route.steps[0].text[0] != '\0');
}

static void
found_goes_to_itself(void **state)
{
	struct scene s;

	(void)state;
	decide_one(&s, "Anna@Example.Org");
	assert_int_equal(s.people.asked, 1);
	route_clear(&s.route);
	decide_one(&s, "anna@example.org");
	assert_int_equal(s.route.steps[0].result, ROUTE_FOUND);
	assert_false(s.route.used_fallback);
	assert_recipients(&s, "anna@example.org");
}

static void
extension_is_kept_when_only_the_base_exists(void **state)
{
	struct scene s;

	(void)state;
	decide_one(&s, "anna+news@example.org");
	assert_int_equal(s.people.asked, 2);
	assert_recipients(&s, "anna+news@example.org");
	/* any character of the set splits, at its first occurrence */
	decide_one(&s, "bob-x+y@example.org");
	assert_string_equal(s.people.last, "bob@example.org");
	assert_recipients(&s, "bob-x+y@example.org");
	/* as it is comes first */
	decide_one(&s, "with+plus@example.org");
	assert_int_equal(s.people.asked, 1);
	assert_recipients(&s, "with+plus@example.org");
	/* nothing would be left */
	decide_one(&s, "+news@example.org");
	assert_int_equal(s.people.asked, 1);
	assert_recipients(&s, "office@example.org");
	/* Postfix does not split these */
	decide_one(&s, "owner-anna@example.org");
	assert_int_equal(s.people.asked, 1);
	route_clear(&s.route);
	decide_one(&s, "Postmaster@example.org");
	assert_int_equal(s.people.asked, 1);
	route_clear(&s.route);
	decide_one(&s, "list-request@example.org");
	assert_recipients(&s, "list-request@example.org");
}

static void
no_delimiter_no_extension(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	s.config.recipient_delimiter = "";
	name(&s, "anna+news@example.org");
	decide(&s, true);
	assert_int_equal(s.people.asked, 1);
	assert_recipients(&s, "office@example.org");
}

static void
rewritten_to_the_canonical_address(void **state)
{
	struct scene s;

	(void)state;
	decide_one(&s, "a.berg@example.org");
	assert_non_null(strstr(
	    s.route.steps[0].text, "; rewrite_to makes it anna@example.org"));
	assert_string_equal(s.route.steps[0].to.local, "anna");
	assert_recipients(&s, "anna@example.org");
	decide_one(&s, "a.berg+News@example.org");
	assert_recipients(&s, "anna+News@example.org");
	decide_one(&s, "same@example.org");
	assert_null(strstr(s.route.steps[0].text, "rewrit"));
	assert_recipients(&s, "same@example.org");
	/* through a domain that maps, before and after */
	decide_one(&s, "a.berg@old.example");
	assert_recipients(&s, "anna@example.org");
	decide_one(&s, "sister@example.org");
	assert_recipients(&s, "sister@example.org");
	/* one copy for all of somebody's addresses */
	prepare(&s);
	name(&s, "a.berg@example.org");
	name(&s, "anna@example.org");
	decide(&s, true);
	assert_recipients(&s, "anna@example.org");
}

static void
rewritten_to_nothing_that_may_not_be_sent_to(void **state)
{
	struct scene s;

	(void)state;
	decide_one(&s, "gone@example.org");
	assert_int_equal(s.route.steps[0].result, ROUTE_FOUND);
	assert_non_null(strstr(s.route.steps[0].text,
	    "; not rewritten to gone@elsewhere.example"));
	assert_recipients(&s, "gone@example.org");
	decide_one(&s, "gone+x@old.example");
	assert_recipients(&s, "gone+x@example.org");
	decide_one(&s, "trap@example.org");
	assert_recipients(&s, "trap@example.org");
	/* too long with the extension */
	decide_one(&s, "long+123456789012345@example.org");
	assert_recipients(&s, "long+123456789012345@example.org");
}

static void
absent_goes_to_the_nearest_heir(void **state)
{
	struct scene s;

	(void)state;
	decide_one(&s, "nobody@example.net");
	assert_int_equal(s.route.steps[0].result, ROUTE_ABSENT);
	assert_recipients(&s, "catchall@example.net");
	decide_one(&s, "nobody@example.org");
	assert_false(s.route.used_fallback);
	assert_recipients(&s, "office@example.org");
	prepare(&s);
	s.account.unknown_recipients = &s.unknown;
	name(&s, "nobody@example.org");
	name(&s, "nobody@example.net");
	decide(&s, true);
	assert_int_equal(s.people.asked, 2); /* the heirs were not looked up */
	assert_recipients(&s, "unknown@example.org catchall@example.net");
}

static void
mapped_domain_decides(void **state)
{
	struct scene s;

	(void)state;
	decide_one(&s, "anna@old.example");
	assert_recipients(&s, "anna@example.org");
	decide_one(&s, "nobody@old.example.net");
	assert_recipients(&s, "catchall@example.net");
}

static void
unknown_for_any_defers_all(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	name(&s, "anna@example.org");
	name(&s, "wait@example.org");
	name(&s, "bob@example.org");
	decide(&s, true);
	assert_true(s.route.defer);
	assert_int_equal(s.route.n_recipients, 0);
	assert_int_equal(s.people.asked, 3); /* fills the cache */
	assert_non_null(strstr(s.route.defer_reason, "wait@example.org: ldap"));
	assert_int_equal(s.route.steps[1].result, ROUTE_UNKNOWN);
	route_clear(&s.route);
	/* the base is asked too, and may be the one that is unsure */
	decide_one(&s, "wait+x@example.org");
	assert_true(s.route.defer);
	route_clear(&s.route);
}

static void
foreign_is_dropped_and_never_asked(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	name(&s, "anna@example.org");
	name(&s, "eve@elsewhere.example");
	decide(&s, true);
	assert_int_equal(s.people.asked, 1);
	assert_int_equal(s.route.steps[1].result, ROUTE_FOREIGN);
	assert_recipients(&s, "anna@example.org");
	decide_one(&s, "eve@elsewhere.example");
	assert_true(s.route.used_fallback);
	assert_recipients(&s, "office@example.org");
}

static void
each_address_once_in_its_first_spelling(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	name(&s, "bob+A@example.org");
	name(&s, "nobody@example.org");
	name(&s, "BOB+a@example.org");
	name(&s, "office@example.org");
	decide(&s, true);
	assert_recipients(&s, "bob+A@example.org office@example.org");
}

/* An address that the parser would refuse, as a damaged caller might bring. */
static void
unsafe_never_leaves(void **state)
{
	static const char *const locals[] = { "victim%elsewhere", "a!b",
		"victim@elsewhere", "-oQ", "double-bounce", "Mailer-Daemon" };
	struct scene s;

	(void)state;
	for (size_t i = 0; i < sizeof(locals) / sizeof(locals[0]); i++) {
		prepare(&s);
		name(&s, "x@example.net");
		snprintf(s.candidates[0].local, sizeof(s.candidates[0].local),
		    "%s", locals[i]);
		decide(&s, true);
		assert_int_equal(s.people.asked, 0);
		assert_recipients(&s, "office@example.org");
	}
	/* nor through a domain that maps */
	prepare(&s);
	name(&s, "x@old.example");
	snprintf(s.candidates[0].local, sizeof(s.candidates[0].local), "a%%b");
	decide(&s, true);
	assert_int_equal(s.people.asked, 0);
	assert_recipients(&s, "office@example.org");
}

static void
single_mailbox_goes_to_its_owner(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	s.ticket.tier = TIER_SINGLE;
	s.account.deliver_to = addr("carl@example.org");
	decide(&s, true);
	assert_int_equal(s.people.asked, 0);
	assert_false(s.route.used_fallback);
	assert_recipients(&s, "carl@example.org");
	/* the account is a catch-all now */
	prepare(&s);
	s.ticket.tier = TIER_SINGLE;
	decide(&s, true);
	assert_true(s.route.used_fallback);
	assert_recipients(&s, "office@example.org");
}

static void
fallback_of_account_ticket_postmaster(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	s.ticket.tier = TIER_FALLBACK;
	decide(&s, true);
	assert_true(s.route.used_fallback);
	assert_recipients(&s, "office@example.org");
	prepare(&s);
	s.ticket.tier = TIER_FALLBACK;
	decide(&s, false);
	assert_recipients(&s, "ticketfb@example.org");
	/* a fallback that is no longer ours */
	prepare(&s);
	s.ticket.fallback = addr("fb@elsewhere.example");
	name(&s, "nobody@example.org");
	decide(&s, false);
	assert_recipients(&s, "pm@example.org");
	prepare(&s);
	s.config.n_domains = 0;
	decide(&s, true);
	assert_true(s.route.defer);
	route_clear(&s.route);
}

static void
decide_smtp(struct scene *s, const char *rcpt, struct route_smtp *out)
{
	struct address address = addr(rcpt);

	s->people.asked = 0;
	route_smtp_decide(&(struct route_question){ .config = &s->config,
			      .lookup = look_up,
			      .context = &s->people },
	    &address, out);
}

/* "left", "refused", "unsure", or who gets it instead. */
static void
assert_smtp(struct scene *s, const char *rcpt, const char *expected)
{
	static const char *const names[] = {
		[ROUTE_SMTP_LEFT] = "left",
		[ROUTE_SMTP_REFUSED] = "refused",
		[ROUTE_SMTP_UNSURE] = "unsure",
	};
	struct route_smtp out;
	char text[ADDRESS_TEXT_SIZE];

	decide_smtp(s, rcpt, &out);
	if (out.result == ROUTE_SMTP_REPLACED)
		assert_string_equal(
		    address_write(&out.to[0].address, text), expected);
	else
		assert_string_equal(names[out.result], expected);
	route_smtp_clear(&out);
}

static void
smtp_mail_is_refused_or_left(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	s.config.milter.smtp = MILTER_SMTP_REJECT;
	assert_smtp(&s, "anna@example.org", "left");
	assert_smtp(&s, "anna+X@EXAMPLE.org", "left");
	assert_smtp(&s, "nobody@example.org", "refused");
	assert_smtp(&s, "nobody+x@example.org", "refused");
	assert_smtp(&s, "wait@example.org", "unsure");
	assert_smtp(&s, "wait+x@example.org", "unsure");
	/* a catch_all is of no account here */
	assert_smtp(&s, "nobody@example.net", "refused");
	/* judged by what it is mapped to, and left as it is */
	assert_smtp(&s, "anna@old.example", "left");
	assert_smtp(&s, "nobody@old.example", "refused");
	assert_smtp(&s, "wait@old.example", "unsure");
	assert_smtp(&s, "a.berg@example.org", "left");
}

static void
smtp_mail_for_elsewhere_is_never_asked_about(void **state)
{
	struct scene s;
	struct route_smtp out;

	(void)state;
	prepare(&s);
	s.config.milter.smtp = MILTER_SMTP_CATCH_ALL;
	decide_smtp(&s, "wait@elsewhere.example", &out);
	assert_int_equal(out.result, ROUTE_SMTP_LEFT);
	assert_false(out.ours);
	assert_int_equal(s.people.asked, 0);
	decide_smtp(&s, "anna@example.org", &out);
	assert_true(out.ours);
}

static void
smtp_mail_for_configured_addresses_is_never_asked_about(void **state)
{
	static const char *const named[] = { "PM@example.org",
		"office@example.org", "office+x@example.org",
		"unknown@example.org", "carl@example.org",
		"catchall@example.net" };
	struct scene s;

	(void)state;
	prepare(&s);
	s.config.milter.smtp = MILTER_SMTP_REJECT;
	s.account.unknown_recipients = &s.unknown;
	s.account.deliver_to = addr("carl@example.org");
	s.config.accounts = &s.account;
	s.config.n_accounts = 1;
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		assert_smtp(&s, named[i], "left");
	assert_int_equal(s.people.asked, 0);
	assert_smtp(&s, "office@example.net", "refused");
}

static void
smtp_mail_goes_to_the_catch_all(void **state)
{
	struct scene s;

	(void)state;
	prepare(&s);
	s.config.milter.smtp = MILTER_SMTP_CATCH_ALL;
	assert_smtp(&s, "anna@example.org", "left");
	assert_smtp(&s, "nobody@example.net", "catchall@example.net");
	assert_smtp(&s, "nobody@old.example.net", "catchall@example.net");
	assert_smtp(&s, "wait@example.net", "unsure");
	/* a domain without one */
	assert_smtp(&s, "nobody@example.org", "refused");
	assert_smtp(&s, "nobody@old.example", "refused");
	/* map_to */
	assert_smtp(&s, "anna+X@old.example", "anna+X@example.org");
	assert_smtp(&s, "pm@old.example", "pm@example.org");
	/* rewrite_to */
	assert_smtp(&s, "a.berg+X@old.example", "anna+X@example.org");
	assert_smtp(&s, "gone@example.org", "left");
	assert_smtp(&s, "same@example.org", "left");
	/* a catch_all that is none of ours, as a damaged caller might bring */
	s.catch_all = addr("eve@elsewhere.example");
	assert_smtp(&s, "nobody@example.net", "refused");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_goes_to_itself),
		cmocka_unit_test(extension_is_kept_when_only_the_base_exists),
		cmocka_unit_test(no_delimiter_no_extension),
		cmocka_unit_test(rewritten_to_the_canonical_address),
		cmocka_unit_test(rewritten_to_nothing_that_may_not_be_sent_to),
		cmocka_unit_test(absent_goes_to_the_nearest_heir),
		cmocka_unit_test(mapped_domain_decides),
		cmocka_unit_test(unknown_for_any_defers_all),
		cmocka_unit_test(foreign_is_dropped_and_never_asked),
		cmocka_unit_test(each_address_once_in_its_first_spelling),
		cmocka_unit_test(unsafe_never_leaves),
		cmocka_unit_test(single_mailbox_goes_to_its_owner),
		cmocka_unit_test(fallback_of_account_ticket_postmaster),
		cmocka_unit_test(smtp_mail_is_refused_or_left),
		cmocka_unit_test(smtp_mail_for_elsewhere_is_never_asked_about),
		cmocka_unit_test(
		    smtp_mail_for_configured_addresses_is_never_asked_about),
		cmocka_unit_test(smtp_mail_goes_to_the_catch_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
