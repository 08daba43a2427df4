/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/smtp_mail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
look_up(void *context, const struct address *address,
    struct directory_answer *answer)
{
	unsigned *asked = context;

	(*asked)++;
	answer->existence = EXISTS;
	if (strncasecmp(address->local, "nobody", 6) == 0)
		answer->existence = ABSENT;
	if (strcmp(address->local, "wait") == 0)
		answer->existence = UNKNOWN;
	snprintf(answer->reason, sizeof(answer->reason), "the \"file\" said");
}

struct scene {
	struct address catch_all;
	struct accepted_domain domains[3];
	struct config config;
	unsigned asked;
	struct smtp_mail mail;
	struct smtp_mail_reply reply;
};

static int
set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	address_parse(SLICE("office@example.org"), &s->catch_all);
	s->domains[0] = (struct accepted_domain){ .name = "example.org",
		.catch_all = &s->catch_all };
	s->domains[1] = (struct accepted_domain){ .name = "example.net" };
	s->domains[2] = (struct accepted_domain){ .name = "old.example",
		.map_to = "example.org" };
	s->config = (struct config){ .domains = s->domains,
		.n_domains = 3,
		.recipient_delimiter = "+" };
	s->config.milter.smtp = MILTER_SMTP_CATCH_ALL;
	address_parse(SLICE("pm@example.net"), &s->config.postmaster);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *s = *state;

	smtp_mail_clear(&s->mail);
	free(s);
	return 0;
}

static void
rcpt_with(struct scene *s, const char *rcpt, const char *notify,
    const char *orcpt, const char *other)
{
	const char *arguments[] = { rcpt, notify, orcpt, other, NULL };

	smtp_mail_rcpt(&s->mail,
	    &(struct smtp_mail_question){ .config = &s->config,
		.lookup = look_up,
		.context = &s->asked,
		.arguments = arguments },
	    &s->reply);
}

static void
rcpt(struct scene *s, const char *text)
{
	rcpt_with(s, text, NULL, NULL, NULL);
}

/* The deletions and additions as "-<a> -<b> +<c> PARAMETERS". */
static void
assert_edits(struct scene *s, const char *expected)
{
	struct smtp_mail_edits edits;
	struct buf all;

	buf_init(&all, 4096);
	smtp_mail_edit(&s->mail, &edits);
	for (size_t i = 0; i < edits.n_remove; i++)
		buf_printf(&all, " -%s", edits.remove[i]);
	for (size_t i = 0; i < edits.n_add; i++)
		buf_printf(&all, " +%s%s%s", edits.add[i].address,
		    edits.add[i].parameters[0] == '\0' ? "" : " ",
		    edits.add[i].parameters);
	assert_string_equal(buf_string(&all), expected);
	smtp_mail_edits_clear(&edits);
	buf_clear(&all);
}

static void
answers_in_postfix_words(void **state)
{
	struct scene *s = *state;

	rcpt(s, "<anna@example.org>");
	assert_int_equal(s->reply.answer, SMTP_MAIL_TAKEN);
	rcpt(s, "<Nobody@Example.NET>");
	assert_int_equal(s->reply.answer, SMTP_MAIL_REFUSED);
	assert_string_equal(s->reply.code, "550");
	assert_string_equal(s->reply.extended, "5.1.1");
	assert_string_equal(s->reply.text,
	    "<Nobody@example.net>: Recipient address rejected: User unknown");
	rcpt(s, "<wait@example.org>");
	assert_int_equal(s->reply.answer, SMTP_MAIL_LATER);
	assert_string_equal(s->reply.code, "451");
	assert_string_equal(s->reply.extended, "4.3.0");
	assert_non_null(strstr(s->reply.text, "try again later"));
	/* what the directory said is for the log only */
	assert_null(strstr(s->reply.text, "said"));
	assert_non_null(strstr(s->reply.reason, "\\x22file\\x22 said"));
	assert_edits(s, "");
}

static void
leaves_alone_what_is_not_ours(void **state)
{
	static const char *const alone[] = { "<a@elsewhere.example>",
		"<nobody%elsewhere@example.net>", "<nobody>", "<>", "",
		"<nobody@[192.0.2.1]>", "<\"nobody@x\"@example.net>" };
	struct scene *s = *state;

	for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
		rcpt(s, alone[i]);
		assert_int_equal(s->reply.answer, SMTP_MAIL_TAKEN);
	}
	assert_int_equal(s->asked, 0);
	assert_int_equal(s->mail.n, 0);
}

static void
replaces_with_the_parameters_of_the_recipient(void **state)
{
	struct scene *s = *state;

	rcpt(s, "<anna@example.org>");
	rcpt_with(s, "<NoBody@example.org>", "NOTIFY=SUCCESS,FAILURE",
	    "ORCPT=rfc822;nobody@a.example", NULL);
	assert_int_equal(s->reply.answer, SMTP_MAIL_TAKEN);
	assert_int_equal(s->mail.n_replaced, 1);
	assert_edits(s, " -<NoBody@example.org> +<office@example.org> "
			"NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;nobody@a.example");
	/* mapped, and what it cannot carry */
	smtp_mail_clear(&s->mail);
	rcpt_with(s, "<Anna+x@old.example>", "XNEW=1", "orcpt=rfc822;a\nb",
	    "notify=NEVER");
	assert_edits(
	    s, " -<Anna+x@old.example> +<Anna+x@example.org> notify=NEVER");
}

static void
nobody_gets_two_copies(void **state)
{
	struct scene *s = *state;

	rcpt_with(s, "<nobody1@example.org>", "NOTIFY=NEVER", NULL, NULL);
	rcpt(s, "<nobody2@example.org>");
	rcpt(s, "<ben@example.org>");
	assert_edits(s, " -<nobody1@example.org> -<nobody2@example.org> "
			"+<office@example.org> NOTIFY=NEVER");
	/* the catch_all is a recipient already */
	smtp_mail_clear(&s->mail);
	rcpt(s, "<nobody1@example.org>");
	rcpt_with(s, "<Office@example.org>", "NOTIFY=DELAY", NULL, NULL);
	assert_edits(s, " -<nobody1@example.org> -<Office@example.org> "
			"+<office@example.org>");
	/* and so is a mapped one */
	smtp_mail_clear(&s->mail);
	rcpt(s, "<anna@example.org>");
	rcpt(s, "<anna@old.example>");
	assert_edits(
	    s, " -<anna@example.org> -<anna@old.example> +<anna@example.org>");
}

static void
the_log_names_both(void **state)
{
	struct scene *s = *state;
	struct buf line;

	buf_init(&line, 200);
	rcpt(s, "<nobody1@example.org>");
	rcpt(s, "<anna@example.org>");
	rcpt(s, "<nobody2@example.org>");
	smtp_mail_write(&s->mail, &line);
	assert_string_equal(buf_string(&line),
	    "<nobody1@example.org> to=<office@example.org>, "
	    "<nobody2@example.org> to=<office@example.org>");
	buf_clear(&line);
}

static void
a_thousand_recipients_and_no_more(void **state)
{
	struct scene *s = *state;
	char text[64];

	for (unsigned i = 0; i < SMTP_MAIL_RCPTS_MAX; i++) {
		snprintf(text, sizeof(text), "<nobody%u@example.org>", i);
		rcpt(s, text);
		assert_int_equal(s->reply.answer, SMTP_MAIL_TAKEN);
	}
	rcpt(s, "<anna@example.org>");
	assert_int_equal(s->reply.answer, SMTP_MAIL_LATER);
	assert_string_equal(s->reply.code, "452");
	assert_int_equal(s->asked, SMTP_MAIL_RCPTS_MAX);
	rcpt(s, "<a@elsewhere.example>");
	assert_int_equal(s->reply.answer, SMTP_MAIL_TAKEN);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

/* The delete names the alias once, whatever the number of its people. */
static void
puts_people_in_the_place_of_an_alias(void **state)
{
	struct scene *s = *state;
	struct address people[3];
	struct alias alias = { .to = people, .n_to = 3 };

	address_parse(SLICE("anna@example.org"), &people[0]);
	address_parse(SLICE("bert@example.org"), &people[1]);
	address_parse(SLICE("nobody@example.org"), &people[2]);
	address_parse(SLICE("sales@example.org"), &alias.address);
	s->config.aliases = &alias;
	s->config.n_aliases = 1;
	rcpt_with(s, "<Sales@example.org>", "NOTIFY=FAILURE", NULL, NULL);
	assert_int_equal(s->reply.answer, SMTP_MAIL_TAKEN);
	rcpt(s, "<bert@example.org>");
	rcpt(s, "<carl@example.org>");
	assert_edits(s, " -<Sales@example.org> -<bert@example.org>"
			" +<anna@example.org> NOTIFY=FAILURE"
			" +<bert@example.org> NOTIFY=FAILURE"
			" +<office@example.org> NOTIFY=FAILURE");
	people[0] = people[1] = people[2];
	s->domains[0].catch_all = NULL;
	rcpt(s, "<sales@example.org>");
	assert_int_equal(s->reply.answer, SMTP_MAIL_REFUSED);
	s->config.aliases = NULL;
	s->config.n_aliases = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_in_postfix_words),
		TEST(leaves_alone_what_is_not_ours),
		TEST(replaces_with_the_parameters_of_the_recipient),
		TEST(nobody_gets_two_copies),
		TEST(puts_people_in_the_place_of_an_alias),
		TEST(the_log_names_both),
		TEST(a_thousand_recipients_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
