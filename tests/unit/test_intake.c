/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
parks_before_postfix_would_bounce(void **state)
{
	struct candidates c = { .received_fields = 44 };
	char reason[INTAKE_REASON_SIZE];

	(void)state;
	assert_false(intake_loops(&c, false, 50, reason));
	c.received_fields = 45;
	assert_true(intake_loops(&c, false, 50, reason));
	assert_non_null(strstr(reason, "45 Received fields"));
	assert_false(intake_loops(&c, false, 51, reason));
	/* nonsense in main.cf stops no mail */
	assert_false(intake_loops(&c, false, 5, reason));
}

static void
parks_what_it_collected_before(void **state)
{
	struct candidates c = { .traces.same = true };
	char reason[INTAKE_REASON_SIZE];

	(void)state;
	assert_true(intake_loops(&c, false, 50, reason));
	assert_non_null(strstr(reason, "collected"));
	assert_false(intake_loops(&c, true, 50, reason));
	c.received_fields = 45;
	assert_true(intake_loops(&c, true, 50, reason));
	assert_non_null(strstr(reason, "45 Received fields"));
}

static void
sends_in_the_name_that_the_account_wants(void **state)
{
	struct config config = { .postmaster = { "pm", "example.org" } };
	struct candidates c = { .sender = { "eve", "outside.example" } };
	struct account account = { .sender = SENDER_ORIGINAL };
	struct address sender;

	(void)state;
	sender = intake_sender(&config, &account, &c);
	assert_string_equal(sender.local, "eve");
	account.sender = SENDER_POSTMASTER;
	sender = intake_sender(&config, &account, &c);
	assert_string_equal(sender.local, "pm");
	account.sender = SENDER_NULL;
	sender = intake_sender(&config, &account, &c);
	assert_true(address_is_null(&sender));
}

static void
leaves_a_null_sender_as_it_is(void **state)
{
	struct config config = { .postmaster = { "pm", "example.org" } };
	struct candidates c = { .sender = { .local = "" }, .has_sender = true };
	struct account account = { .sender = SENDER_POSTMASTER };
	struct address sender;

	(void)state;
	sender = intake_sender(&config, &account, &c);
	assert_true(address_is_null(&sender));
	/* No Return-Path at all, or none that can be read. */
	c.has_sender = false;
	sender = intake_sender(&config, &account, &c);
	assert_string_equal(sender.local, "pm");
}

static void
guesses_are_not_answered(void **state)
{
	(void)state;
	assert_true(intake_may_be_answered(TIER_ENVELOPE));
	assert_true(intake_may_be_answered(TIER_RECEIVED));
	assert_true(intake_may_be_answered(TIER_SINGLE));
	assert_false(intake_may_be_answered(TIER_HEADERS));
	assert_false(intake_may_be_answered(TIER_FALLBACK));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parks_before_postfix_would_bounce),
		cmocka_unit_test(parks_what_it_collected_before),
		cmocka_unit_test(sends_in_the_name_that_the_account_wants),
		cmocka_unit_test(leaves_a_null_sender_as_it_is),
		cmocka_unit_test(guesses_are_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
