/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milter/verdict.h"
#include "tests/support/addr.h"

static const struct session_mta sendmail_mail = { "Postfix 3.7.11", "4F00A1",
	NULL };
static const struct session_mta smtp_mail = { "Postfix 3.7.11", NULL, "smtp" };

static void
look_up(void *context, const struct address *address,
    struct directory_answer *answer)
{
	(void)context;
	answer->existence = EXISTS;
	if (strcmp(address->local, "nobody") == 0)
		answer->existence = ABSENT;
	if (strcmp(address->local, "wait") == 0)
		answer->existence = UNKNOWN;
	snprintf(answer->reason, sizeof(answer->reason), "the \"file\" said");
}

struct scene {
	struct accepted_domain domain;
	struct account account;
	struct config config;
	struct ticket ticket;
	struct address candidates[4];
	struct ticket_keys keys;
	struct session session;
	struct verdict verdict;
};

static int
set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->domain.name = "example.org";
	s->account = (struct account){ .name = "office",
		.fallback = addr("office@example.org") };
	s->config = (struct config){ .postmaster = addr("pm@example.org"),
		.domains = &s->domain,
		.n_domains = 1,
		.recipient_delimiter = "",
		.accounts = &s->account,
		.n_accounts = 1 };
	s->ticket = (struct ticket){ .account = "yaml:office",
		.id = "id7",
		.tier = TIER_ENVELOPE,
		.fallback = addr("office@example.org"),
		.candidates = s->candidates };
	ticket_key_init(&s->keys.key[0],
	    (const uint8_t *)"0123456789-0123456789-0123456789");
	s->keys.n = 1;
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *s = *state;

	verdict_clear(&s->verdict);
	session_clear(&s->session);
	free(s);
	return 0;
}

static void
name(struct scene *s, const char *text)
{
	s->candidates[s->ticket.n_candidates++] = addr(text);
}

static void
write_ticket(struct scene *s, struct buf *field)
{
	buf_init(field, TICKET_MAX + 100);
	assert_true(ticket_write(&s->ticket, &s->keys.key[0], field));
	/* libmilter hands the value over without name and last line end */
	buf_drop(field, strlen(TICKET_FIELD) + 2);
	field->data[field->len - 1] = '\0';
}

static void
begin(struct scene *s, struct session_mta mta, const char *rcpt)
{
	session_mail(&s->session, "<>", mta);
	session_rcpt(&s->session, rcpt);
}

static void
add_ticket(struct scene *s)
{
	struct buf field;

	write_ticket(s, &field);
	session_header(
	    &s->session, "x-mailhaul-TICKET", (const char *)field.data);
	buf_clear(&field);
}

static void
judge(struct scene *s)
{
	verdict_make(&(struct verdict_question){ .session = &s->session,
			 .config = &s->config,
			 .keys = &s->keys,
			 .lookup = look_up },
	    &s->verdict);
}

static void
judge_ticket(struct scene *s, struct session_mta mta, const char *rcpt)
{
	begin(s, mta, rcpt);
	add_ticket(s);
	judge(s);
}

/* `add` as "<a> <b>"; `removed` may be NULL. */
static void
assert_edits(struct scene *s, const char *add, const char *removed)
{
	char all[1024] = "";

	assert_int_equal(s->verdict.status, VERDICT_ROUTED);
	for (size_t i = 0; i < s->verdict.n_add; i++) {
		size_t len = strlen(all);

		snprintf(all + len, sizeof(all) - len, "%s%s", i > 0 ? " " : "",
		    s->verdict.add[i]);
	}
	assert_string_equal(all, add);
	if (removed == NULL)
		assert_null(s->verdict.remove);
	else
		assert_string_equal(s->verdict.remove, removed);
}

static void
assert_line(struct scene *s, const char *expected)
{
	struct buf line;

	buf_init(&line, 4096);
	verdict_write(&s->verdict, &s->session, &line);
	assert_string_equal(buf_string(&line), expected);
	buf_clear(&line);
}

static void
counts_tickets_and_keeps_the_first(void **state)
{
	struct scene *s = *state;

	session_mail(&s->session, "<>", smtp_mail);
	session_header(&s->session, "Subject", "X-Mailhaul-Ticket");
	assert_int_equal(s->session.n_tickets, 0);
	session_header(&s->session, "X-MAILHAUL-Ticket", "first");
	session_header(&s->session, "X-Mailhaul-Ticket", "second");
	assert_int_equal(s->session.n_tickets, 2);
	assert_string_equal(s->session.ticket, "first");
}

static void
a_new_message_forgets_the_one_before(void **state)
{
	struct scene *s = *state;

	begin(s, sendmail_mail, "a@example.org");
	session_header(&s->session, TICKET_FIELD, "x");
	session_mail(&s->session, "<>", smtp_mail);
	assert_int_equal(s->session.n_tickets, 0);
	assert_int_equal(s->session.n_rcpts, 0);
	assert_string_equal(s->session.queue_id, "");
	assert_false(s->session.from_sendmail);
}

static void
tells_sendmail_from_smtp(void **state)
{
	static const struct {
		struct session_mta mta;
		bool from_sendmail;
	} cases[] = {
		{ { "Postfix 3.7.11", "4F00A1", NULL }, true },
		{ { "Postfix 3.7.11", NULL, "local" }, false },
		/* smtpd_delay_open_until_valid_rcpt = no */
		{ { "Postfix 3.7.11", "4F00A1", "local" }, false },
		{ { "Postfix 3.7.11", NULL, NULL }, false },
		{ { "8.17.1.9/8.17.1.9", "6ALLDwgk000135", NULL }, false },
		{ { NULL, "4F00A1", NULL }, false },
	};
	struct scene *s = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		session_mail(&s->session, "<>", cases[i].mta);
		assert_int_equal(
		    s->session.from_sendmail, cases[i].from_sendmail);
	}
}

static void
many_recipients_and_huge_fields_cost_little(void **state)
{
	struct scene *s = *state;
	char *huge = calloc(1, TICKET_MAX + 2);

	memset(huge, 'a', TICKET_MAX + 1);
	session_mail(&s->session, "<>", smtp_mail);
	for (int i = 0; i < 1000; i++)
		session_rcpt(&s->session, "<a@example.org>");
	assert_int_equal(s->session.n_rcpts, 1000);
	session_header(&s->session, TICKET_FIELD, huge);
	assert_null(s->session.ticket);
	judge(s);
	assert_int_equal(s->verdict.status, VERDICT_PASSED);
	free(huge);
}

static void
adds_the_people_and_deletes_the_fallback(void **state)
{
	struct scene *s = *state;

	name(s, "Anna@example.org");
	name(s, "\"bob b\"@example.org");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_edits(s, "<Anna@example.org> <\"bob b\"@example.org>",
	    "<office@example.org>");
	assert_line(s,
	    "4F00A1: id=id7 account=office source=envelope "
	    "to=<Anna@example.org>,<\"bob b\"@example.org> status=routed");
}

static void
deletes_in_the_spelling_that_counts(void **state)
{
	struct scene *s = *state;

	/* sendmail(1): as given, whatever canonical mapping showed */
	name(s, "anna@example.org");
	judge_ticket(s, sendmail_mail, "canon@example.org");
	assert_edits(s, "<anna@example.org>", "<office@example.org>");
	verdict_clear(&s->verdict);
	/* SMTP: as shown */
	judge_ticket(s, smtp_mail, "<Office@EXAMPLE.org>");
	assert_edits(s, "<anna@example.org>", "<Office@EXAMPLE.org>");
	verdict_clear(&s->verdict);
	judge_ticket(s, smtp_mail, "<renamed@example.org>");
	assert_edits(s, "<anna@example.org>", "<renamed@example.org>");
	verdict_clear(&s->verdict);
	/* which one is it? */
	begin(s, smtp_mail, "<x@example.org>");
	session_rcpt(&s->session, "<OFFICE@example.org>");
	add_ticket(s);
	judge(s);
	assert_edits(s, "<anna@example.org>", "<OFFICE@example.org>");
	verdict_clear(&s->verdict);
	begin(s, smtp_mail, "<x@example.org>");
	session_rcpt(&s->session, "<y@example.org>");
	add_ticket(s);
	judge(s);
	assert_edits(s, "<anna@example.org>", NULL);
	assert_non_null(strstr(s->verdict.reason, "2 envelope recipients"));
}

/* Adding and deleting the same address loses the mail (measured). */
static void
a_fallback_among_the_people_stays(void **state)
{
	struct scene *s = *state;

	name(s, "OFFICE@example.org");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_edits(s, "", NULL);
	verdict_clear(&s->verdict);
	name(s, "anna@example.org");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_edits(s, "<anna@example.org>", NULL);
	assert_line(s,
	    "4F00A1: id=id7 account=office source=envelope "
	    "to=<OFFICE@example.org>,<anna@example.org> status=routed");
	verdict_clear(&s->verdict);
	/* canonical-mapped onto a person: what the RCPT callback shows */
	s->ticket.n_candidates = 0;
	name(s, "Canon@example.org");
	judge_ticket(s, sendmail_mail, "canon@example.org");
	assert_edits(s, "", NULL);
	verdict_clear(&s->verdict);
	s->ticket.n_candidates = 0;
	name(s, "Office@example.org");
	judge_ticket(s, sendmail_mail, "canon@example.org");
	assert_edits(s, "", NULL);
}

static void
unknown_people_fall_back(void **state)
{
	struct scene *s = *state;

	name(s, "nobody@example.org");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_edits(s, "", NULL);
	verdict_clear(&s->verdict);
	/* the account's fallback was changed after the ticket was written */
	s->account.fallback = addr("new@example.org");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_edits(s, "<new@example.org>", "<office@example.org>");
}

static void
an_account_that_is_gone_keeps_the_tickets_fallback(void **state)
{
	struct scene *s = *state;

	s->config.n_accounts = 0;
	name(s, "nobody@example.org");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_edits(s, "", NULL);
	assert_line(s, "4F00A1: id=id7 account=office source=envelope "
		       "to=<office@example.org> status=routed");
	verdict_clear(&s->verdict);
	snprintf(s->ticket.account, sizeof(s->ticket.account), "proxy:x");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_edits(s, "", NULL);
	assert_string_equal(s->verdict.account, "proxy:x");
}

static void
an_unsure_directory_defers(void **state)
{
	struct scene *s = *state;

	name(s, "anna@example.org");
	name(s, "wait@example.org");
	judge_ticket(s, sendmail_mail, "office@example.org");
	assert_int_equal(s->verdict.status, VERDICT_DEFERRED);
	assert_int_equal(s->verdict.n_add, 0);
	assert_null(s->verdict.remove);
	assert_false(s->verdict.key_missing);
	assert_line(s,
	    "4F00A1: id=id7 account=office source=envelope to= status=deferred "
	    "reason=\"wait@example.org: the \\x22file\\x22 said\"");
}

static void
an_unknown_key_defers(void **state)
{
	struct scene *s = *state;

	name(s, "anna@example.org");
	begin(s, sendmail_mail, "office@example.org");
	add_ticket(s);
	s->keys.n = 0;
	judge(s);
	assert_int_equal(s->verdict.status, VERDICT_DEFERRED);
	assert_true(s->verdict.key_missing);
}

/* Else who can send mail could fill maildrop by way of somebody's redirect. */
static void
an_unknown_key_holds_up_nobody_elses_mail(void **state)
{
	static const uint8_t other[] = "9876543210-9876543210-9876543210";
	static const char incomplete[] = "v=1; k=0123456789abcdef;";
	struct scene *s = *state;
	struct ticket_key ours = s->keys.key[0];

	name(s, "anna@example.org");
	ticket_key_init(&s->keys.key[0], other);
	begin(s, sendmail_mail, "elsewhere@example.org");
	add_ticket(s);
	s->keys.key[0] = ours;
	judge(s);
	assert_int_equal(s->verdict.status, VERDICT_PASSED);
	assert_false(s->verdict.key_missing);
	assert_int_equal(s->verdict.n_add, 0);
	assert_null(s->verdict.remove);

	begin(s, sendmail_mail, "office@example.org");
	session_header(&s->session, TICKET_FIELD, incomplete);
	judge(s);
	assert_int_equal(s->verdict.status, VERDICT_PASSED);

	ticket_key_init(&s->keys.key[0], other);
	begin(s, sendmail_mail, "Office@example.org");
	add_ticket(s);
	s->keys.key[0] = ours;
	judge(s);
	assert_int_equal(s->verdict.status, VERDICT_DEFERRED);
	assert_true(s->verdict.key_missing);
}

static void
a_forged_ticket_is_ordinary_mail(void **state)
{
	struct scene *s = *state;
	struct buf field;

	name(s, "anna@example.org");
	write_ticket(s, &field);
	begin(s, sendmail_mail, "office@example.org");
	field.data[field.len - 2] ^= 1; /* within the MAC */
	session_header(&s->session, TICKET_FIELD, (const char *)field.data);
	/* a good one below does not count */
	add_ticket(s);
	judge(s);
	assert_int_equal(s->verdict.status, VERDICT_PASSED);
	assert_int_equal(s->verdict.n_add, 0);
	assert_null(s->verdict.remove);
	assert_line(s, "4F00A1: id=- account=- source=- to= status=passed "
		       "reason=\"the ticket is not ours; removed, the "
		       "envelope stays\"");
	buf_clear(&field);
}

static void
rules_hold_and_mark(void **state)
{
	static const char *const names[] = { "Subject", NULL };
	static const struct rule_header fields[] = { { "X-A", "1" },
		{ "X-B", "2" } };
	static const struct text_test hello = { .is = "hello" };
	static const struct text_test someone = { .is =
						      "someone@else.example" };
	const struct rule rules[] = {
		{ .name = "both",
		    .when = { .subject = &hello, .sender = &someone },
		    .then = { .hold = true,
			.headers = fields,
			.n_headers = 2 } },
		{ .when = { .sender = &hello }, .then = { .hold = true } },
		{ .then = { .drop = names } },
	};
	struct scene *s = *state;

	s->config.rules = rules;
	s->config.n_rules = 3;
	s->config.rule_fields = names;
	name(s, "anna@example.org");
	session_mail(&s->session, "<Someone@else.example>", sendmail_mail);
	session_want(&s->session, &s->config, false);
	session_rcpt(&s->session, "office@example.org");
	session_header(&s->session, "subject", "\n hello");
	add_ticket(s);
	judge(s);
	assert_edits(s, "<anna@example.org>", "<office@example.org>");
	assert_string_equal(s->verdict.hold, "both");
	assert_int_equal(s->verdict.n_headers, 2);
	assert_ptr_equal(s->verdict.headers[1], &fields[1]);
	assert_line(s, "4F00A1: id=id7 account=office source=envelope "
		       "to=<anna@example.org> status=routed "
		       "rules=\"both,rules[2]\" hold=yes");
}

/* What is counted, and what happens when nothing is. */
static void
a_rule_about_the_size_needs_the_body(void **state)
{
	static const struct size_test large = { .above = 1018 };
	const struct rule rule = { .when = { .size = &large },
		.then = { .hold = true } };
	struct scene *s = *state;

	s->config.rules = &rule;
	s->config.n_rules = 1;
	s->config.rule_size = true;
	begin(s, sendmail_mail, "office@example.org");
	session_want(&s->session, &s->config, false);
	add_ticket(s);
	judge(s);
	assert_int_equal(s->verdict.status, VERDICT_DEFERRED);
	for (size_t more = 0; more < 2; more++) {
		verdict_clear(&s->verdict);
		begin(s, sendmail_mail, "office@example.org");
		session_want(&s->session, &s->config, true);
		add_ticket(s);
		session_header(&s->session, "Subject", "12345678");
		session_body(&s->session, 600);
		session_body(&s->session, 400 - more);
		judge(s);
		assert_int_equal(s->verdict.status, VERDICT_ROUTED);
		assert_int_equal(s->verdict.hold[0] != '\0', more == 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_tickets_and_keeps_the_first),
		TEST(a_new_message_forgets_the_one_before),
		TEST(tells_sendmail_from_smtp),
		TEST(many_recipients_and_huge_fields_cost_little),
		TEST(adds_the_people_and_deletes_the_fallback),
		TEST(deletes_in_the_spelling_that_counts),
		TEST(a_fallback_among_the_people_stays),
		TEST(unknown_people_fall_back),
		TEST(an_account_that_is_gone_keeps_the_tickets_fallback),
		TEST(an_unsure_directory_defers),
		TEST(an_unknown_key_defers),
		TEST(an_unknown_key_holds_up_nobody_elses_mail),
		TEST(a_forged_ticket_is_ordinary_mail),
		TEST(rules_hold_and_mark),
		TEST(a_rule_about_the_size_needs_the_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
