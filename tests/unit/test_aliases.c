/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aliases and lists as the file has them, and what the policy makes of aliases.
 */
#include "policy/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/target.h"
#include "tests/support/addr.h"

#define TOP                                                                    \
	"postmaster: pm@example.org\n"                                         \
	"accepted_domains:\n"                                                  \
	"  - example.org\n"                                                    \
	"  - {domain: example.net, catch_all: catchall@example.net}\n"         \
	"  - {domain: old.example, map_to: example.org}\n"                     \
	"recipient_delimiter: '+'\n"

static struct config *
load(const char *text)
{
	char path[] = "/tmp/test_aliases_XXXXXX";
	int fd = mkstemp(path);
	struct config *config;
	struct error err;

	assert_true(fd >= 0);
	close(fd);
	assert_true(file_replace(path, slice_of(text), 0600, &err));
	config = config_load(path, NULL);
	unlink(path);
	assert_non_null(config);
	return config;
}

static const char *
people_of(const struct address *to, size_t n, char *out, size_t size)
{
	char text[ADDRESS_TEXT_SIZE];
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s",
		    i == 0 ? "" : " ", address_write(&to[i], text));
	return out;
}

static void
assert_alias(const struct config *c, const char *address, const char *people)
{
	const struct alias *found;
	struct address asked = addr(address);
	char text[200];

	found = config_alias(c, &asked);
	if (people == NULL)
		assert_null(found);
	else
		assert_string_equal(
		    people_of(found->to, found->n_to, text, sizeof(text)),
		    people);
}

static void
assert_mailing_list(
    const struct config *c, const char *name, const char *people)
{
	const struct mailing_list *found = config_list(c, name);
	char text[200];

	if (people == NULL)
		assert_null(found);
	else
		assert_string_equal(
		    people_of(found->to, found->n_to, text, sizeof(text)),
		    people);
}

/* In the order in which nobody sorted them. */
static void
are_found_whatever_their_case_and_order(void **state)
{
	struct config *c = load(
	    TOP "aliases:\n"
		"  - {address: Sales@example.org, to: [b@example.org, "
		"a@example.org]}\n"
		"  - {address: info@EXAMPLE.org, to: [c@example.org]}\n"
		"  - {address: all@example.org, to: [d@example.org]}\n"
		"lists:\n"
		"  - {list: <News.lists.example>, to: [sales@example.org]}\n"
		"  - {list: Talk@LISTS.example, to: [e@example.org]}\n"
		"  - {list: a.lists.example, to: [f@example.org]}\n");

	(void)state;
	assert_alias(c, "SALES@example.org", "b@example.org a@example.org");
	assert_alias(c, "info@example.org", "c@example.org");
	assert_alias(c, "all@Example.Org", "d@example.org");
	assert_alias(c, "al@example.org", NULL);
	assert_alias(c, "alls@example.org", NULL);
	assert_alias(c, "all@example.net", NULL);
	assert_mailing_list(c, "news.lists.example", "sales@example.org");
	assert_mailing_list(c, "talk@lists.example", "e@example.org");
	assert_mailing_list(c, "a.lists.example", "f@example.org");
	assert_mailing_list(c, "lists.example", NULL);
	config_unref(c);
	c = load(TOP);
	assert_alias(c, "sales@example.org", NULL);
	assert_mailing_list(c, "a.lists.example", NULL);
	config_unref(c);
}

/* Whoever begins with "gone" is absent, with "wait" not to be told; all others
 * exist. */
struct people {
	unsigned prepared, asked;
};

static void
prepare(void *context, const struct address *list, size_t n)
{
	struct people *people = context;

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(address_equal(&list[i], &list[j]));
	people->prepared += (unsigned)n;
}

static void
look_up(void *context, const struct address *address,
    struct directory_answer *answer)
{
	struct people *people = context;
	bool twin = strncmp(address->local, "twin", 4) == 0;

	people->asked++;
	answer->existence = strncmp(address->local, "gone", 4) == 0   ? ABSENT
			    : strncmp(address->local, "wait", 4) == 0 ? UNKNOWN
								      : EXISTS;
	/* as found only without its extension */
	if (twin && strchr(address->local, '+') != NULL)
		answer->existence = ABSENT;
	else if (twin)
		answer->canonical = addr("anna@example.org");
	if (strcmp(address->local, "echo") == 0)
		answer->canonical = addr("loop@example.org");
	snprintf(answer->reason, sizeof(answer->reason), "said the file");
}

#define ALIASES                                                                \
	TOP "aliases:\n"                                                       \
	    "  - {address: sales@example.org, to: [anna@example.org, "         \
	    "bert@example.org]}\n"                                             \
	    "  - {address: sales+us@example.org, to: [carl@example.org]}\n"    \
	    "  - {address: mixed@example.org, to: [anna@example.org, "         \
	    "gone@example.net, gone@example.org]}\n"                           \
	    "  - {address: left@example.org, to: [gone@example.org]}\n"        \
	    "  - {address: loop@example.org, to: [echo@example.org]}\n"        \
	    "  - {address: unsure@example.org, to: [anna@example.org, "        \
	    "wait@example.org]}\n"                                             \
	    "  - {address: copy@example.org, to: [Copy@example.org, "          \
	    "bert@example.org]}\n"                                             \
	    "  - {address: back@example.org, to: [office@example.org, "        \
	    "anna@example.org]}\n"                                             \
	    "  - {address: same@example.org, to: [twin@example.org, "          \
	    "anna@old.example]}\n"

struct scene {
	struct config *config;
	struct account account;
	struct address candidates[4];
	struct ticket ticket;
	struct people people;
	struct route route;
};

static int
set_up(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	s->config = load(ALIASES);
	s->account = (struct account){ .name = "office",
		.fallback = addr("office@example.org") };
	s->ticket = (struct ticket){ .tier = TIER_ENVELOPE,
		.candidates = s->candidates };
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct scene *s = *state;

	route_clear(&s->route);
	config_unref(s->config);
	free(s);
	return 0;
}

static void
decide(struct scene *s, const char *first, const char *second)
{
	route_clear(&s->route);
	s->candidates[0] = addr(first);
	s->ticket.n_candidates = 1;
	if (second != NULL)
		s->candidates[s->ticket.n_candidates++] = addr(second);
	s->people = (struct people){ 0 };
	route_decide(&(struct route_question){ .config = s->config,
			 .account = &s->account,
			 .ticket = &s->ticket,
			 .prepare = prepare,
			 .lookup = look_up,
			 .context = &s->people },
	    &s->route);
}

static void
assert_recipients(const struct scene *s, const char *expected)
{
	char all[1024] = "", text[ADDRESS_TEXT_SIZE];
	size_t len = 0;

	for (size_t i = 0; i < s->route.n_recipients; i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s",
		    i > 0 ? " " : "",
		    address_write(&s->route.recipients[i].address, text));
	assert_string_equal(all, expected);
}

static void
assert_result(const struct scene *s, enum route_result expected)
{
	enum route_result result;

	assert_true(route_result_of(&s->route, &s->candidates[0], &result));
	assert_int_equal(result, expected);
}

static void
its_people_get_one_copy_each(void **state)
{
	struct scene *s = *state;

	decide(s, "SALES@Example.org", NULL);
	assert_recipients(s, "anna@example.org bert@example.org");
	assert_int_equal(s->route.n_steps, 2);
	assert_string_equal(s->route.steps[1].text,
	    "the alias sales@example.org names bert@example.org; "
	    "bert@example.org: found (said the file)");
	assert_result(s, ROUTE_FOUND);
	assert_int_equal(s->people.prepared, 2);
	/* beside the address of one of them, in either order */
	decide(s, "anna@example.org", "sales@example.org");
	assert_recipients(s, "anna@example.org bert@example.org");
	assert_int_equal(s->people.prepared, 2);
	decide(s, "sales@example.org", "Bert@example.org");
	assert_recipients(s, "anna@example.org bert@example.org");
	decide(s, "sales@old.example", NULL);
	assert_recipients(s, "anna@example.org bert@example.org");
	assert_non_null(strstr(s->route.steps[0].text,
	    "map_to makes it sales@example.org; the alias"));
	/* the directory rewrites one to the other */
	decide(s, "same@example.org", NULL);
	assert_recipients(s, "anna@example.org");
}

static void
the_extension_goes_on_to_its_people(void **state)
{
	struct scene *s = *state;

	decide(s, "sales+News@example.org", NULL);
	assert_recipients(s, "anna+News@example.org bert+News@example.org");
	assert_int_equal(s->people.prepared, 4);
	/* as it stands comes first */
	decide(s, "Sales+US@example.org", NULL);
	assert_recipients(s, "carl@example.org");
	/* with what the directory makes of them */
	decide(s, "same+x@example.org", NULL);
	assert_recipients(s, "anna+x@example.org");
	/* too long with it */
	decide(s,
	    "sales+"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx@"
	    "example.org",
	    NULL);
	assert_int_equal(s->route.n_recipients, 2);
}

static void
whoever_left_has_an_heir(void **state)
{
	struct scene *s = *state;

	decide(s, "mixed@example.org", NULL);
	assert_recipients(
	    s, "anna@example.org catchall@example.net office@example.org");
	assert_result(s, ROUTE_FOUND);
	assert_int_equal(s->route.steps[1].result, ROUTE_ABSENT);
	decide(s, "left@example.org", NULL);
	assert_recipients(s, "office@example.org");
	assert_result(s, ROUTE_ABSENT);
	assert_false(s->route.used_fallback);
}

static void
one_who_cannot_be_told_makes_the_message_wait(void **state)
{
	struct scene *s = *state;

	decide(s, "unsure@example.org", NULL);
	assert_true(s->route.defer);
	assert_int_equal(s->route.n_recipients, 0);
	assert_result(s, ROUTE_UNKNOWN);
}

static void
one_of_them_may_be_the_fallback(void **state)
{
	struct scene *s = *state;

	decide(s, "back@example.org", NULL);
	assert_recipients(s, "office@example.org anna@example.org");
	assert_false(s->route.used_fallback);
	/* which is not an alias, whatever its name */
	s->account.fallback = addr("sales@example.org");
	decide(s, "gone@example.org", NULL);
	assert_recipients(s, "sales@example.org");
	decide(s, "elsewhere@third.example", NULL);
	assert_recipients(s, "sales@example.org");
	/* but a candidate of the same name is */
	decide(s, "sales@example.org", NULL);
	assert_recipients(s, "anna@example.org bert@example.org");
}

/* sales+1, sales+2, … would be a thousand addresses each. */
static void
people_beyond_all_measure_are_not_asked_about(void **state)
{
	struct scene *s = *state;
	struct address *many = calloc(1000, sizeof(*many));
	struct target *targets;
	struct alias huge = { .to = many, .n_to = 1000 };
	struct config config = *s->config;
	size_t n;

	for (unsigned i = 0; i < 1000; i++) {
		many[i] = addr("p@example.org");
		snprintf(many[i].local, sizeof(many[i].local), "p%u", i);
	}
	huge.address = addr("all@example.org");
	config.aliases = &huge;
	config.n_aliases = 1;
	s->candidates[0] = addr("all@example.org");
	s->candidates[1] = addr("all+1@example.org");
	s->candidates[2] = addr("all+2@example.org");
	s->candidates[3] = addr("anna@example.org");
	targets = targets_of(&config, s->candidates, 4, &n);
	assert_int_equal(n, 1003);
	assert_true(n <= TARGETS_MAX);
	assert_false(targets[999].too_many);
	assert_true(targets[1000].too_many && !targets[1000].usable);
	assert_true(targets[1001].too_many);
	assert_true(targets[1002].usable);
	free(targets);
	s->ticket.n_candidates = 4;
	route_decide(&(struct route_question){ .config = &config,
			 .account = &s->account,
			 .ticket = &s->ticket,
			 .prepare = prepare,
			 .lookup = look_up,
			 .context = &s->people },
	    &s->route);
	assert_int_equal(s->route.n_recipients, 1002);
	assert_string_equal(s->route.steps[1000].text,
	    "the alias all@example.org names more people than a message can "
	    "have; to the fallback, office@example.org");
	free(many);
}

static void
assert_smtp(struct scene *s, const char *rcpt, const char *expected)
{
	static const char *const names[] = { "left", "", "refused", "unsure" };
	struct address address = addr(rcpt);
	char all[512], text[ADDRESS_TEXT_SIZE];
	struct route_smtp out;
	size_t len;

	s->people = (struct people){ 0 };
	route_smtp_decide(&(struct route_question){ .config = s->config,
			      .prepare = prepare,
			      .lookup = look_up,
			      .context = &s->people },
	    &address, &out);
	len = (size_t)snprintf(all, sizeof(all), "%s", names[out.result]);
	for (size_t i = 0; out.result == ROUTE_SMTP_REPLACED && i < out.n_to;
	     i++)
		len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s",
		    i > 0 ? " " : "", address_write(&out.to[i].address, text));
	assert_string_equal(all, expected);
	route_smtp_clear(&out);
}

static void
smtp_mail_goes_to_its_people_where_it_may_be_replaced(void **state)
{
	struct scene *s = *state;

	s->config->milter.smtp = MILTER_SMTP_CATCH_ALL;
	assert_smtp(
	    s, "sales@example.org", "anna@example.org bert@example.org");
	assert_int_equal(s->people.prepared, 2);
	assert_smtp(
	    s, "sales+x@old.example", "anna+x@example.org bert+x@example.org");
	assert_smtp(
	    s, "mixed@example.org", "anna@example.org catchall@example.net");
	assert_smtp(s, "left@example.org", "refused");
	assert_smtp(s, "unsure@example.org", "unsure");
	/* the directory leads back to it */
	assert_smtp(s, "loop@example.org", "loop@example.org");
	s->config->milter.smtp = MILTER_SMTP_REJECT;
	assert_smtp(s, "sales@example.org", "left");
	assert_int_equal(s->people.asked, 1);
	assert_smtp(s, "unsure@example.org", "left");
}

/* As "copy@example.org copy@example.org, bert@example.org" in virtual(5). */
static void
it_may_name_itself(void **state)
{
	struct scene *s = *state;

	decide(s, "copy@example.org", "bert@example.org");
	assert_recipients(s, "Copy@example.org bert@example.org");
	decide(s, "copy+x@example.org", NULL);
	assert_recipients(s, "Copy+x@example.org bert+x@example.org");
	s->config->milter.smtp = MILTER_SMTP_CATCH_ALL;
	assert_smtp(s, "copy@example.org", "Copy@example.org bert@example.org");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(are_found_whatever_their_case_and_order),
		TEST(its_people_get_one_copy_each),
		TEST(the_extension_goes_on_to_its_people),
		TEST(whoever_left_has_an_heir),
		TEST(one_who_cannot_be_told_makes_the_message_wait),
		TEST(one_of_them_may_be_the_fallback),
		TEST(it_may_name_itself),
		TEST(people_beyond_all_measure_are_not_asked_about),
		TEST(smtp_mail_goes_to_its_people_where_it_may_be_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
