/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher's report, and who waits for a pass. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "fetcher/status.h"

#include <stdlib.h>
#include <string.h>

static const char *
account_report(struct buf *out, const struct account_status *s,
    const struct pass_result *progress)
{
	static const struct progress none;

	buf_reset(out);
	status_write_account(&(struct status_account){ .name = "office",
				 .status = s,
				 .progress = progress,
				 .backlog = &none,
				 .next_ms = 1500 },
	    out);
	return buf_string(out);
}

static void
tells_who_waits_and_how_far_it_has_come(void **state)
{
	struct account_status s = { .passes = 1 };
	struct progress backlog = { .done = 5,
		.done_bytes = 500,
		.spent_ms = 10000,
		.todo = 20,
		.todo_bytes = 2000 };
	struct status_account a = { .name = "office",
		.status = &s,
		.backlog = &backlog,
		.queued = true,
		.next_ms = 1500 };
	struct buf out;
	(void)state;

	buf_init(&out, 4096);
	status_write_account(&a, &out);
	assert_non_null(strstr(buf_string(&out), "\nstate queued\n"));
	assert_null(strstr(buf_string(&out), "next_ms"));
	assert_non_null(strstr(buf_string(&out),
	    "\ndone_messages 5\ntodo_messages 20\ndone_bytes 500\n"
	    "todo_bytes 2000\nrate_bytes 50\nleft_s 30\n"));
	/* on demand only */
	a.queued = false;
	a.next_ms = -1;
	buf_reset(&out);
	status_write_account(&a, &out);
	assert_non_null(strstr(buf_string(&out), "\nstate idle\n"));
	assert_null(strstr(buf_string(&out), "next_ms"));
	buf_clear(&out);
}

static void
tells_an_account_before_its_first_pass(void **state)
{
	struct account_status s = { .passes = 0 };
	struct buf out;
	(void)state;

	buf_init(&out, 4096);
	assert_string_equal(account_report(&out, &s, NULL),
	    "account office\nstate idle\nnext_ms 1500\npasses 0\nended_ms 0\n"
	    "listed 0\nfetched 0\ninjected 0\nduplicates 0\ndeleted 0\n"
	    "waiting 0\n"
	    "total_fetched 0\ntotal_injected 0\ntotal_duplicates 0\n"
	    "total_deleted 0\n");
	buf_clear(&out);
}

static void
tells_state_reason_and_totals(void **state)
{
	static const struct {
		enum pass_end end;
		const char *state, *reason;
	} cases[] = { { PASS_DONE, "state idle\n", "" },
		{ PASS_MORE, "state idle\n", "" },
		{ PASS_HELD, "state waiting\n", "reason it is dark\n" },
		{ PASS_FAILED, "state failed\n", "reason it is dark\n" } };
	struct account_status s = { .passes = 0 };
	struct pass_result now = { .fetched = 7 };
	struct buf out;
	(void)state;

	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pass_result r = { .end = cases[i].end,
			.listed = 9,
			.fetched = 2,
			.injected = 2,
			.duplicates = 3,
			.deleted = 1 };
		const char *text;

		error_set(&r.error, ERROR_RETRY, "it is dark");
		error_set(&r.notice, ERROR_RETRY, "a hint");
		status_add(&s, &r);
		text = account_report(&out, &s, NULL);
		assert_non_null(strstr(text, cases[i].state));
		assert_true((strstr(text, "reason") == NULL) ==
			    (cases[i].reason[0] == '\0'));
		assert_non_null(strstr(text, cases[i].reason));
		assert_non_null(strstr(text, "notice a hint\n"));
		assert_non_null(strstr(text, "listed 9\n"));
	}
	assert_true(s.ended_ms > 0);
	assert_non_null(strstr(account_report(&out, &s, NULL),
	    "total_fetched 8\ntotal_injected 8\ntotal_duplicates 12\n"
	    "total_deleted 4\n"));
	/* while a pass is under way: what it has done, and why the last one
	 * did not */
	account_report(&out, &s, &now);
	assert_non_null(strstr(buf_string(&out), "state fetching\nreason it"));
	assert_non_null(strstr(buf_string(&out), "\nfetched 7\n"));
	assert_null(strstr(buf_string(&out), "next_ms"));
	buf_clear(&out);
}

static void
tells_what_it_is(void **state)
{
	struct config config = { .inject = { .method = METHOD_SMTP } };
	struct status_head head = { .begun_ms = clock_monotonic_ms() - 5500,
		.config = &config,
		.in_flight = 3,
		.spooled = 7,
		.spool_full = true };
	const char *uptime;
	struct buf out;
	char *rest;
	(void)state;

	buf_init(&out, 4096);
	status_write_head(&head, &out);
	uptime = strstr(buf_string(&out), "\nuptime_s ");
	assert_non_null(uptime);
	assert_in_range(strtol(uptime + 10, &rest, 10), 5, 60);
	assert_int_equal(strncmp(rest,
			     "\nmethod smtp\nin_flight 3\n"
			     "spooled 7\nspool_full 1\n",
			     48),
	    0);
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_an_account_before_its_first_pass),
		cmocka_unit_test(tells_state_reason_and_totals),
		cmocka_unit_test(tells_who_waits_and_how_far_it_has_come),
		cmocka_unit_test(tells_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
