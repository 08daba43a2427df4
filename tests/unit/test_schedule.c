/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetcher/schedule.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static struct schedule_pause
after(struct schedule *s, enum error_kind kind, const char *text, int64_t every)
{
	struct error err;

	error_set(&err, kind, "%s", text);
	return schedule_next(
	    s, &(struct schedule_pass){
		   .end = PASS_FAILED, .error = &err, .every_ms = every });
}

static int64_t
finish(struct schedule *s, enum pass_end end, int64_t every)
{
	return schedule_next(
	    s, &(struct schedule_pass){ .end = end, .every_ms = every })
	    .ms;
}

static void
a_pass_that_did_not_fail(void **state)
{
	struct schedule s = { .failures = { 0 } };

	(void)state;
	assert_int_equal(finish(&s, PASS_DONE, 1 * MINUTE), 1 * MINUTE);
	assert_int_equal(finish(&s, PASS_MORE, 1 * MINUTE), 0);
	assert_int_equal(finish(&s, PASS_HELD, 1 * MINUTE), 2 * SECOND);
}

static void
on_demand_means_never_of_itself(void **state)
{
	struct schedule s = { .failures = { 0 } };

	(void)state;
	assert_int_equal(finish(&s, PASS_DONE, 0), SCHEDULE_NEVER);
	assert_int_equal(finish(&s, PASS_HELD, 0), SCHEDULE_NEVER);
	assert_int_equal(after(&s, ERROR_RETRY, "reset", 0).ms, SCHEDULE_NEVER);
	/* What was asked for is not done yet. */
	assert_int_equal(finish(&s, PASS_MORE, 0), 0);
}

/* Servers end idle connections; one that stayed for a while did work. */
static void
a_session_that_stayed(void **state)
{
	struct schedule s = { .failures = { 0 } };

	(void)state;
	after(&s, ERROR_RETRY, "closed", 0);
	schedule_stayed(&s, 10 * SECOND);
	assert_int_equal(s.failures[ERROR_RETRY], 1);
	schedule_stayed(&s, 1 * MINUTE);
	assert_int_equal(s.failures[ERROR_RETRY], 0);
}

static void
the_network_is_tried_soon(void **state)
{
	struct schedule s = { .failures = { 0 } };

	(void)state;
	assert_int_equal(
	    after(&s, ERROR_RETRY, "reset", 24 * HOUR).ms, 5 * SECOND);
	assert_int_equal(
	    after(&s, ERROR_RETRY, "reset", 1 * SECOND).ms, 10 * SECOND);
	for (int i = 0; i < 50; i++)
		after(&s, ERROR_RETRY, "reset", 1 * SECOND);
	assert_int_equal(
	    after(&s, ERROR_RETRY, "reset", 1 * SECOND).ms, 15 * MINUTE);
	finish(&s, PASS_DONE, 1 * SECOND);
	assert_int_equal(
	    after(&s, ERROR_RETRY, "reset", 1 * SECOND).ms, 5 * SECOND);
}

static void
a_refused_login_is_tried_slowly(void **state)
{
	struct schedule s = { .failures = { 0 } };
	struct schedule_pause pause;

	(void)state;
	after(&s, ERROR_RETRY, "reset", 1 * SECOND);
	pause = after(&s, ERROR_LOGIN, "no", 1 * SECOND);
	assert_int_equal(pause.ms, 5 * MINUTE);
	assert_int_equal(pause.least_ms, 1 * MINUTE);
	assert_int_equal(
	    after(&s, ERROR_LOGIN, "no", 1 * SECOND).ms, 10 * MINUTE);
	for (int i = 0; i < 50; i++)
		pause = after(&s, ERROR_LOGIN, "no", 1 * SECOND);
	assert_int_equal(pause.ms, 6 * HOUR);
	assert_int_equal(after(&s, ERROR_LOGIN, "no", 24 * HOUR).ms, 24 * HOUR);
}

static void
a_mailbox_in_use_is_no_refused_login(void **state)
{
	struct schedule s = { .failures = { 0 } };
	struct schedule_pause pause =
	    after(&s, ERROR_LOGIN, "[IN-USE] locked", 1 * SECOND);

	(void)state;
	assert_int_equal(pause.ms, 5 * SECOND);
	assert_int_equal(s.failures[ERROR_LOGIN], 0);
	assert_int_equal(s.failures[ERROR_RETRY], 1);
}

static void
the_server_has_the_last_word(void **state)
{
	struct schedule s = { .failures = { 0 } };
	struct schedule_pause pause = after(&s, ERROR_REFUSED,
	    "Suggested Backoff Time: 299961 milliseconds", 1 * SECOND);

	(void)state;
	assert_int_equal(pause.ms, 299961);
	assert_int_equal(pause.least_ms, 299961);
	pause = schedule_next(&s, &(struct schedule_pass){ .end = PASS_MORE,
				      .every_ms = 1 * SECOND,
				      .login_delay_ms = 10 * MINUTE });
	assert_int_equal(pause.ms, 10 * MINUTE);
	assert_int_equal(pause.least_ms, 10 * MINUTE);
}

static void
pauses_are_spread(void **state)
{
	struct schedule s = { .failures = { 0 } };
	struct schedule_pass pass = {
		.end = PASS_DONE, .every_ms = 1 * HOUR, .random = 1023
	};
	int64_t ms = schedule_next(&s, &pass).ms;

	(void)state;
	assert_in_range(ms, HOUR + HOUR / 10 - 10 * SECOND, HOUR + HOUR / 10);
	pass.random = 512;
	assert_int_equal(schedule_next(&s, &pass).ms, HOUR + HOUR / 20);
}

static void
the_first_passes_are_spread(void **state)
{
	(void)state;
	assert_int_equal(schedule_first(0, 1 * MINUTE), 0);
	assert_in_range(schedule_first(20, 1 * MINUTE), 100, 500);
	assert_in_range(
	    schedule_first(999, 1 * MINUTE), 5 * SECOND, 30 * SECOND);
	assert_int_equal(schedule_first(999, 1 * SECOND), 1 * SECOND);
}

static void
test_while_a_session_idles(void **state)
{
	(void)state;
	assert_int_equal(schedule_idle(PASS_DONE, false, 1000, 9000), 9000);
	assert_int_equal(schedule_idle(PASS_DONE, true, 1000, 9000), 1000);
	assert_int_equal(schedule_idle(PASS_DONE, true, 60000, 9000), 9000);
	assert_int_equal(schedule_idle(PASS_DONE, true, 0, 9000), 9000);
	assert_int_equal(schedule_idle(PASS_MORE, true, 1000, 9000), 0);
	assert_in_range(schedule_idle(PASS_HELD, false, 1000, 9000), 1, 8999);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pass_that_did_not_fail),
		cmocka_unit_test(on_demand_means_never_of_itself),
		cmocka_unit_test(a_session_that_stayed),
		cmocka_unit_test(the_network_is_tried_soon),
		cmocka_unit_test(a_refused_login_is_tried_slowly),
		cmocka_unit_test(a_mailbox_in_use_is_no_refused_login),
		cmocka_unit_test(the_server_has_the_last_word),
		cmocka_unit_test(pauses_are_spread),
		cmocka_unit_test(the_first_passes_are_spread),
		cmocka_unit_test(test_while_a_session_idles),
	};

	return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
