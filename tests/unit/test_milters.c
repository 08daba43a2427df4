/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "postfix/milters.h"
#include "postfix/words.h"

#include <string.h>

#define OURS "unix:/var/spool/postfix/mailhaul/milter.sock"

static bool
names(const char *value, const char *socket)
{
	return milters_name(slice_of(value),
	    &(struct milter_place){ socket, SLICE("/var/spool/postfix") });
}

static void
finds_our_socket(void **state)
{
	static const char *const values[] = {
		"unix:mailhaul/milter.sock",
		"local:mailhaul/milter.sock",
		"unix:/mailhaul/milter.sock",
		"unix:/var/spool/postfix/mailhaul/milter.sock",
		"unix:/var/spool/postfix//mailhaul/./milter.sock",
		"{ unix:mailhaul/milter.sock, default_action=tempfail }",
		"{unix:mailhaul/milter.sock,default_action=tempfail}",
		"{unix:mailhaul/milter.sock}",
		"inet:localhost:8891, unix:mailhaul/milter.sock",
		"inet:localhost:8891 unix:mailhaul/milter.sock",
		"inet:localhost:8891,unix:mailhaul/milter.sock,unix:x",
		"{ inet:h:8891, a=b }, { unix:mailhaul/milter.sock, c=d }",
		"\tunix:a,\n { unix:mailhaul/milter.sock }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (!names(values[i], OURS))
			fail_msg("not found in: %s", values[i]);
		assert_true(names(
		    values[i], "/var/spool/postfix/mailhaul/milter.sock"));
		assert_true(names(values[i],
		    "local:/var/spool/postfix/mailhaul/milter.sock"));
	}
}

static void
finds_nothing_else(void **state)
{
	static const char *const values[] = {
		"",
		" , ,",
		"unix:mailhaul/milter.sock2",
		"unix:mailhaul/Milter.sock",
		"unix:postfix/mailhaul/milter.sock",
		"unix:",
		"mailhaul/milter.sock",
		"inet:mailhaul/milter.sock",
		"{ unix:other, default_action=unix:mailhaul/milter.sock }",
		"{ unix:mailhaul/milter.sock", /* Postfix refuses it too */
		"{ }",
		"{}",
		"xunix:mailhaul/milter.sock",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (names(values[i], OURS))
			fail_msg("found in: %s", values[i]);
	}
}

static void
compares_network_sockets(void **state)
{
	static const struct {
		const char *value, *socket;
		bool same;
	} cases[] = {
		{ "inet:localhost:8891", "inet:8891@localhost", true },
		{ "inet:localhost:8891", "inet:8892@localhost", false },
		{ "inet:127.0.0.1:8891", "inet:8891@localhost", true },
		{ "inet:[::1]:8891", "inet6:8891@[::1]", true },
		{ "inet:[::1]:8891", "inet6:8891@localhost", true },
		{ "inet:mx.example.org:8891", "inet:8891", true },
		{ "inet:mx.example.org:8891", "inet:8891@0.0.0.0", true },
		{ "inet:MX.example.org:8891", "inet:8891@mx.example.org",
		    true },
		{ "inet:10.0.0.1:8891", "inet:8891@10.0.0.2", false },
		{ "inet:10.0.0.1:8891", "inet:8891@localhost", false },
		{ "inet:8891", "inet:8891@localhost", false },
		{ "unix:8891", "inet:8891@localhost", false },
		{ "{ inet:localhost:8891, default_action=tempfail }",
		    "inet:8891@127.0.0.1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (names(cases[i].value, cases[i].socket) != cases[i].same)
			fail_msg("%s, %s", cases[i].value, cases[i].socket);
	}
}

#define QUEUE SLICE("/var/spool/postfix")
#define NEW                                                                    \
	"{ unix:mailhaul/milter.sock, default_action=tempfail, "               \
	"connect_timeout=5s, command_timeout=30s, content_timeout=60s }"
#define NEW_AND(others) NEW ", " others

static const struct {
	const char *before, *after, *without;
} edits[] = {
	{ "", NEW, "" },
	{ " \n", NEW, "" },
	{ "inet:localhost:8891", NEW_AND("inet:localhost:8891"),
	    "inet:localhost:8891" },
	/* What is not ours keeps its spelling to the byte. */
	{ " inet:a:1,inet:b:2\tunix:c ", NEW_AND("inet:a:1,inet:b:2\tunix:c"),
	    "inet:a:1,inet:b:2\tunix:c" },
	{ "$smtpd_milters", NEW_AND("$smtpd_milters"), "$smtpd_milters" },
	{ "${x?{inet:a:1, inet:b:2}:{}}, $smtpd_milters",
	    NEW_AND("${x?{inet:a:1, inet:b:2}:{}}, $smtpd_milters"),
	    "${x?{inet:a:1, inet:b:2}:{}}, $smtpd_milters" },
	{ "{ inet:a:1, default_action=accept }, unix:b",
	    NEW_AND("{ inet:a:1, default_action=accept }, unix:b"),
	    "{ inet:a:1, default_action=accept }, unix:b" },
	/* Ours in another form, in another place, more than once. */
	{ "unix:mailhaul/milter.sock", NEW, "" },
	{ "inet:a:1, unix:mailhaul/milter.sock", NEW_AND("inet:a:1"),
	    "inet:a:1" },
	{ "unix:mailhaul/milter.sock, inet:a:1", NEW_AND("inet:a:1"),
	    "inet:a:1" },
	{ "{ unix:mailhaul/milter.sock, default_action=accept } "
	  "{ inet:a:1, connect_timeout=3s },$smtpd_milters",
	    NEW_AND("{ inet:a:1, connect_timeout=3s },$smtpd_milters"),
	    "{ inet:a:1, connect_timeout=3s },$smtpd_milters" },
	{ "unix:mailhaul/milter.sock inet:a:1 "
	  "local:/var/spool/postfix/mailhaul/milter.sock",
	    NEW_AND("inet:a:1"), "inet:a:1" },
	{ NEW_AND("inet:a:1"), NEW_AND("inet:a:1"), "inet:a:1" },
	/* A brace that does not close: Postfix complains, not we. */
	{ "{ inet:a:1", NEW_AND("{ inet:a:1"), "{ inet:a:1" },
};
enum { N_EDITS = sizeof(edits) / sizeof(edits[0]) };

static void
edits_lists(void **state)
{
	const struct milter_place place = { OURS, QUEUE };
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < N_EDITS; i++) {
		buf_reset(&out);
		milters_with_ours_first(
		    slice_of(edits[i].before), &place, &out);
		assert_string_equal(buf_string(&out), edits[i].after);
		assert_true(milters_are_right(buf_slice(&out), &place));
		buf_reset(&out);
		milters_without_ours(slice_of(edits[i].before), &place, &out);
		assert_string_equal(buf_string(&out), edits[i].without);
		buf_reset(&out);
		milters_without_ours(slice_of(edits[i].after), &place, &out);
		assert_string_equal(buf_string(&out), edits[i].without);
	}
	buf_clear(&out);
}

static void
judges_lists(void **state)
{
	static const struct {
		const char *value;
		bool right;
	} cases[] = {
		{ NEW, true },
		{ NEW_AND("inet:a:1"), true },
		/* Other times are the administrator's business. */
		{ "{unix:mailhaul/milter.sock command_timeout=9s "
		  "default_action=tempfail}",
		    true },
		{ "{ unix:mailhaul/milter.sock, { default_action = tempfail } "
		  "}",
		    true },
		{ "", false },
		{ "unix:mailhaul/milter.sock", false },
		{ "{ unix:mailhaul/milter.sock, default_action=accept }",
		    false },
		{ "inet:a:1, " NEW, false },
		{ NEW_AND("unix:mailhaul/milter.sock"), false },
		{ "{ inet:a:1, default_action=tempfail }", false },
	};
	const struct milter_place place = { OURS, QUEUE };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (milters_are_right(slice_of(cases[i].value), &place) !=
		    cases[i].right)
			fail_msg("%s", cases[i].value);
}

static void
spells_our_socket_as_postfix_does(void **state)
{
	static const struct {
		const char *socket, *entry;
		bool reachable;
	} cases[] = {
		{ OURS, "{ unix:mailhaul/milter.sock, ", true },
		{ "/var/spool/postfix//mailhaul/./milter.sock",
		    "{ unix:mailhaul/milter.sock, ", true },
		{ "local:/run/mailhaul/milter.sock",
		    "{ unix:/run/mailhaul/milter.sock, ", false },
		{ "unix:/var/spool/postfix2/m", "{ unix:/var/spool/postfix2/m,",
		    false },
		{ "inet:8891@localhost", "{ inet:localhost:8891, ", true },
		{ "inet:8891", "{ inet:127.0.0.1:8891, ", true },
		{ "inet:8891@0.0.0.0", "{ inet:127.0.0.1:8891, ", true },
		{ "inet6:8891@[2001:db8::1]", "{ inet:[2001:db8::1]:8891, ",
		    true },
		{ "inet6:8891@[::]", "{ inet:[::1]:8891, ", true },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct milter_place place = { cases[i].socket, QUEUE };

		buf_reset(&out);
		milter_write(&place, &out);
		if (!slice_starts(buf_slice(&out), slice_of(cases[i].entry)))
			fail_msg("%s: %s", cases[i].socket, buf_string(&out));
		assert_true(milters_are_right(buf_slice(&out), &place));
		assert_int_equal(
		    milter_is_reachable(&place), cases[i].reachable);
	}
	buf_clear(&out);
}

static void
reads_words_and_times(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: none */
	} times[] = { { "5d", 432000000 }, { "2W", 1209600000 },
		{ " 3 ", 259200000 }, { "90s", 90000 }, { "1h", 3600000 },
		{ "10m", 600000 }, { "", -1 }, { "d", -1 }, { "5x", -1 },
		{ "5dd", -1 } };
	int64_t ms;

	(void)state;
	assert_true(words_have(SLICE("a, Bounce\n2bounce"), SLICE("bounce")));
	assert_false(words_have(SLICE("2bounce bounces"), SLICE("bounce")));
	assert_false(words_have(SLICE(" , "), SLICE("")));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		bool good = words_time_ms(slice_of(times[i].text), 86400, &ms);

		assert_int_equal(good, times[i].ms >= 0);
		if (good)
			assert_int_equal(ms, times[i].ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_words_and_times),
		cmocka_unit_test(finds_our_socket),
		cmocka_unit_test(finds_nothing_else),
		cmocka_unit_test(compares_network_sockets),
		cmocka_unit_test(edits_lists),
		cmocka_unit_test(judges_lists),
		cmocka_unit_test(spells_our_socket_as_postfix_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
