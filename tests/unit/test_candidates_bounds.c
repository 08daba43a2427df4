/* SPDX-License-Identifier: Apache-2.0 */
/* What a message can make the search for its recipients cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "mail/header.h"
#include "recipients/candidates.h"

static const struct accepted_domain domain = { .name = "example.org" };
static const struct address announced[] = {
	{ "anna", "example.org" },
	{ "berta", "example.org" },
};
static const struct mailing_list list = { "announce.lists.example.com",
	announced, 2 };
static const struct config config = {
	.domains = &domain,
	.n_domains = 1,
	.lists = &list,
	.n_lists = 1,
};
static const char *const fields[] = { "To", "Cc", "Subject", NULL };
static const char *const isp[] = { ".isp.example", NULL };
static const struct account account = {
	.name = "office",
	.mailbox = MAILBOX_CATCH_ALL,
	.fallback = { "office", "example.org" },
	.recipients = { .tiers = { TIER_ENVELOPE, TIER_RECEIVED, TIER_HEADERS },
	    .n_tiers = 3,
	    .occurrence = 1,
	    .headers = fields,
	    .trusted_hosts = isp },
};

/* "To:" with `n` addresses of `digits` digits. */
static char *
crowd(size_t n, int digits)
{
	struct buf b;

	buf_init(&b, 1024 * 1024);
	buf_add_string(&b, "To: x@e.org");
	for (size_t i = 1; i < n; i++)
		buf_printf(&b, ",\n %0*zu@e.org", digits, i);
	buf_add_string(&b, ", x@e.org\n");
	return (char *)b.data;
}

static void
ACrowdThatBarelyFits(void **state)
{
	char *header = crowd(TICKET_CANDIDATES_MAX, 4);
	struct candidates found;

	(void)state;
	candidates_find(&config, &account, slice_of(header), &found);
	assert_false(found.overflow);
	assert_int_equal(found.tier, TIER_HEADERS);
	assert_int_equal(found.n, TICKET_CANDIDATES_MAX);
	candidates_clear(&found);
	free(header);
}

static void
check_overflow(char *header)
{
	struct candidates found;
	struct ticket ticket;

	candidates_find(&config, &account, slice_of(header), &found);
	assert_true(found.overflow);
	assert_int_equal(found.tier, TIER_FALLBACK);
	assert_int_equal(found.n_warnings, 1);
	candidates_ticket(&found, &account, "1", &ticket);
	assert_int_equal(ticket.n_candidates, 0);
	ticket_clear(&ticket);
	candidates_clear(&found);
	free(header);
}

static void
ACrowdThatDoesNotFitGoesToTheFallback(void **state)
{
	(void)state;
	check_overflow(crowd(TICKET_CANDIDATES_MAX + 1, 4));
}

static void
SoDoLongAddressesThatFillTheTicket(void **state)
{
	(void)state;
	check_overflow(crowd(TICKET_CANDIDATES_MAX, 40));
}

/* Each once, however often it is named, and no more than anybody writes to. */
static void
BoundsTheListsOfOneMessage(void **state)
{
	struct mailing_list many[33];
	struct config crowded = config;
	char names[33][32], header[4096] = "To: l00@lists.example\n";
	struct candidates found;
	size_t len;

	(void)state;
	crowded.lists = many;
	crowded.n_lists = 33;
	for (unsigned i = 0; i < 33; i++) {
		snprintf(names[i], sizeof(names[i]), "l%02u@lists.example", i);
		many[i] = (struct mailing_list){ names[i], announced, 2 };
	}
	for (unsigned i = 0; i < 33; i++) {
		len = strlen(header);
		snprintf(
		    header + len, sizeof(header) - len, "Cc: %s\n", names[i]);
		candidates_find(&crowded, &account, slice_of(header), &found);
		assert_int_equal(found.overflow, i == 32);
		assert_int_equal(
		    found.tier, i == 32 ? TIER_FALLBACK : TIER_HEADERS);
		/* Its people, and its own address in To and Cc. */
		assert_int_equal(found.n, i == 32 ? 2 : 2 + i + 1);
		candidates_clear(&found);
	}
}

static void
find(const char *header)
{
	struct candidates found;

	candidates_find(&config, &account, slice_of(header), &found);
	candidates_clear(&found);
}

/* 256 KiB of the same again and again. */
static void
HostileHeadersTakeNoTime(void **state)
{
	static const struct {
		const char *begin, *unit;
	} hostile[] = { { "To: ", "To: a\n" }, { "To: ", "Received: (((\n" },
		{ "To: ", "To:\n" }, { "To: ", "X-Original-To: a@b.c," },
		{ "To: ", "a@b.c," }, { "To: ", "Resent-To:a@b\n" },
		{ "To: ", "X-Mailhaul:;;;;" },
		{ "To: ", "Received: from a by b.isp.example\n" },
		{ "To: ", "(" }, { "To: \"", "\\\"" }, { "List-Id: ", "(" },
		{ "List-Id: ", "(<a>" }, { "List-Id: \"", "\\\"" },
		{ "List-Id: ", "<" }, { "List-Post: ", "(<mailto:a@b.c>" },
		{ "List-Post: ", "<mailto:(((" } };
	char *header = mem_new(HEADER_HELD_MAX + 1);

	(void)state;
	for (size_t h = 0; h < sizeof(hostile) / sizeof(*hostile); h++) {
		clock_t start = clock();
		size_t len = strlen(hostile[h].unit);

		for (size_t i = 0; i < HEADER_HELD_MAX; i++)
			header[i] = hostile[h].unit[i % len];
		memcpy(header, hostile[h].begin, strlen(hostile[h].begin));
		find(header);
		if (clock() - start > CLOCKS_PER_SEC)
			fail_msg(
			    "%s%s repeated", hostile[h].begin, hostile[h].unit);
	}
	free(header);
}

static void
NestedSubjectsTakeNoTime(void **state)
{
	enum { DEPTH = 2000, LINE = 10 + 2 * DEPTH };
	char *header = mem_new(HEADER_HELD_MAX + 1), *at = header;
	clock_t start = clock();

	(void)state;
	while (at + LINE < header + HEADER_HELD_MAX) {
		memcpy(at, "Subject: ", 9);
		memset(at + 9, '(', DEPTH);
		memset(at + 9 + DEPTH, ')', DEPTH);
		at[LINE - 1] = '\n';
		at += LINE;
	}
	find(header);
	assert_in_range(clock() - start, 0, CLOCKS_PER_SEC / 4);
	free(header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(BoundsTheListsOfOneMessage),
		cmocka_unit_test(ACrowdThatBarelyFits),
		cmocka_unit_test(ACrowdThatDoesNotFitGoesToTheFallback),
		cmocka_unit_test(SoDoLongAddressesThatFillTheTicket),
		cmocka_unit_test(HostileHeadersTakeNoTime),
		cmocka_unit_test(NestedSubjectsTakeNoTime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
