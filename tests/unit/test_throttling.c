/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetcher/throttling.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };

static void
known_words(void **state)
{
	static const struct {
		const char *said;
		int64_t pause_ms;
	} cases[] = {
		{ "server said \"[AUTH] Invalid credentials\"", 0 },
		{ "[AUTHENTICATIONFAILED] Authentication failed.", 0 },
		{ "", 0 },
		{ "NO Request is throttled. Suggested Backoff Time: 299961 "
		  "milliseconds",
		    299961 },
		{ "Suggested Backoff Time: 5 milliseconds", 5 },
		{ "Request is throttled.", 5 * MINUTE },
		{ "Suggested Backoff Time: 99999999999999999999 milliseconds",
		    0 },
		{ "Suggested Backoff Time: 9999999999 milliseconds",
		    24 * HOUR },
		{ "Suggested Backoff Time: -7 milliseconds", 0 },
		{ "Suggested Backoff Time: 7 years", 0 },
		{ "BAD User is authenticated but not connected.", 5 * MINUTE },
		{ "[ALERT] Too many simultaneous connections. (Failure)",
		    2 * MINUTE },
		{ "[UNAVAILABLE] Maximum number of connections from user+IP "
		  "exceeded (mail_max_userip_connections=16)",
		    2 * MINUTE },
		{ "[UNAVAILABLE] Temporary authentication failure.",
		    1 * MINUTE },
		{ "[OVERQUOTA] Account exceeded command or bandwidth limits.",
		    1 * HOUR },
		{ "account exceeded command or bandwidth limits. (Failure)",
		    1 * HOUR },
		{ "[THROTTLED]", 15 * MINUTE },
		{ "[LIMIT] UID FETCH Rate limit hit.", 15 * MINUTE },
		{ "Exceeded the login limit for a 15 minute period. Reduce the "
		  "frequency of requests to the POP3 server.",
		    15 * MINUTE },
		{ "[LOGIN-DELAY] minimum time between mail checks violation",
		    5 * MINUTE },
		{ "[IN-USE] Mailbox in use", 5 * SECOND },
		{ "[INUSE] Mailbox in use", 5 * SECOND },
		{ "[SYS/TEMP] try later", 1 * MINUTE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("%s\n", cases[i].said);
		assert_int_equal(throttling_pause(slice_of(cases[i].said)),
		    cases[i].pause_ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_words),
	};

	return cmocka_run_group_tests_name("throttling", tests, NULL, NULL);
}
