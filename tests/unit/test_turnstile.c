/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fetcher/turnstile.h"

enum { TURNS = 8, ROUNDS = 20 };

struct hall {
	struct loop *loop;
	struct timer *end;
	int rounds; /* of the loop that are left */
	struct turnstile *turnstile;
	struct one {
		struct hall *hall;
		char name;
		struct turn *turn;
	} one[TURNS];
	char log[64]; /* who went in: "a"; was asked to leave: "-a" */
};

static void
note(struct hall *h, const char *mark, char name)
{
	size_t len = strlen(h->log);

	snprintf(h->log + len, sizeof(h->log) - len, "%s%c", mark, name);
}

static void
go(void *arg)
{
	struct one *one = arg;

	note(one->hall, "", one->name);
}

static void
yield(void *arg)
{
	struct one *one = arg;

	note(one->hall, "-", one->name);
}

static void
yield_at_once(void *arg)
{
	struct one *one = arg;

	yield(arg);
	turn_leave(one->turn);
	one->turn = NULL;
}

static void
stop(void *arg)
{
	struct hall *h = arg;

	if (--h->rounds == 0)
		loop_stop(h->loop);
	else
		timer_start(h->end, 0);
}

/* Lets the turnstile do what it wants to, and tells what that was. */
static const char *
happened(struct hall *h)
{
	h->log[0] = '\0';
	h->rounds = ROUNDS;
	timer_start(h->end, 0);
	loop_run(h->loop);
	return h->log;
}

static void
enter(struct hall *h, int i, const char *host)
{
	struct one *one = &h->one[i];

	*one = (struct one){ .hall = h, .name = (char)('a' + i) };
	one->turn = turnstile_enter(h->turnstile, host, go, one);
}

static void
leave(struct hall *h, int i)
{
	turn_leave(h->one[i].turn);
	h->one[i].turn = NULL;
}

static int
open_hall(void **state)
{
	static struct hall h;

	h = (struct hall){ .loop = loop_new() };
	h.end = timer_new(h.loop, stop, &h);
	h.turnstile = turnstile_new(h.loop);
	*state = &h;
	return 0;
}

static int
close_hall(void **state)
{
	struct hall *h = *state;

	for (int i = 0; i < TURNS; i++)
		turn_leave(h->one[i].turn);
	turnstile_free(h->turnstile);
	timer_free(h->end);
	loop_free(h->loop);
	return 0;
}

static void
no_more_than_the_host_may_have(void **state)
{
	struct hall *h = *state;

	turnstile_limit(h->turnstile, 100, 2);
	for (int i = 0; i < 4; i++)
		enter(h, i, i == 2 ? "POP.isp.example" : "pop.isp.example");
	assert_true(turn_waits(h->one[0].turn));
	assert_string_equal(happened(h), "ab");
	assert_false(turn_waits(h->one[0].turn));
	assert_true(turn_waits(h->one[2].turn));
	leave(h, 1);
	assert_string_equal(happened(h), "c");
	leave(h, 3); /* gives up waiting */
	leave(h, 0);
	assert_string_equal(happened(h), "");
}

static void
hosts_take_turns(void **state)
{
	struct hall *h = *state;

	turnstile_limit(h->turnstile, 1, 100);
	enter(h, 0, "big");
	assert_string_equal(happened(h), "a");
	for (int i = 1; i < 5; i++)
		enter(h, i, "big");
	enter(h, 5, "small");
	enter(h, 6, "other");
	for (int i = 0; i < 4; i++) {
		static const int inside[] = { 0, 1, 5, 6 };
		static const char *const next[] = { "b", "f", "g", "c" };

		leave(h, inside[i]);
		assert_string_equal(happened(h), next[i]);
	}
}

static void
who_rests_counts_in_all_only(void **state)
{
	struct hall *h = *state;

	turnstile_limit(h->turnstile, 3, 1);
	enter(h, 0, "imap");
	enter(h, 1, "imap");
	assert_string_equal(happened(h), "a");
	turn_rest(h->one[0].turn, yield, &h->one[0]);
	assert_string_equal(happened(h), "b");
	turn_resume(h->one[0].turn, go, &h->one[0]);
	assert_string_equal(happened(h), "");
	assert_true(turn_waits(h->one[0].turn));
	leave(h, 1);
	assert_string_equal(happened(h), "a");
}

static void
who_rests_longest_makes_room(void **state)
{
	struct hall *h = *state;

	turnstile_limit(h->turnstile, 2, 100);
	enter(h, 0, "imap");
	enter(h, 1, "imap");
	assert_string_equal(happened(h), "ab");
	turn_rest(h->one[1].turn, yield, &h->one[1]);
	turn_rest(h->one[0].turn, yield, &h->one[0]);
	enter(h, 2, "pop");
	assert_string_equal(happened(h), "-b");
	assert_string_equal(happened(h), ""); /* once is enough */
	leave(h, 1);
	assert_string_equal(happened(h), "c");
}

static void
another_connection_counts_too(void **state)
{
	struct hall *h = *state;
	struct one *second = &h->one[1];

	turnstile_limit(h->turnstile, 100, 1);
	enter(h, 0, "imap");
	*second = (struct one){ .hall = h, .name = 'b' };
	second->turn = turn_another(h->one[0].turn, go, second);
	assert_string_equal(happened(h), "a");
	turn_rest(h->one[0].turn, yield, &h->one[0]);
	assert_string_equal(happened(h), "b");
	leave(h, 1);
	/* it drives nobody out … */
	turnstile_limit(h->turnstile, 1, 1);
	*second = (struct one){ .hall = h, .name = 'b' };
	second->turn = turn_another(h->one[0].turn, go, second);
	assert_string_equal(happened(h), "");
	/* … and goes first */
	turnstile_limit(h->turnstile, 2, 2);
	assert_string_equal(happened(h), "b");
	turn_rest(second->turn, yield, second);
	enter(h, 2, "pop");
	assert_string_equal(happened(h), "-b");
}

/* It has its connection already: it need not wait for one. */
static void
who_resumes_passes_those_without_a_connection(void **state)
{
	struct hall *h = *state;

	turnstile_limit(h->turnstile, 1, 100);
	enter(h, 0, "imap");
	assert_string_equal(happened(h), "a");
	turn_rest(h->one[0].turn, yield_at_once, &h->one[0]);
	turn_resume(h->one[0].turn, go, &h->one[0]);
	enter(h, 1, "imap");
	assert_string_equal(happened(h), "a");
	turn_rest(h->one[0].turn, yield_at_once, &h->one[0]);
	assert_string_equal(happened(h), "-ab");
}

static void
limits_may_change(void **state)
{
	struct hall *h = *state;

	turnstile_limit(h->turnstile, 2, 2);
	for (int i = 0; i < 4; i++)
		enter(h, i, "pop");
	assert_string_equal(happened(h), "ab");
	turnstile_limit(h->turnstile, 3, 3);
	assert_string_equal(happened(h), "c");
	turnstile_limit(h->turnstile, 1, 1);
	leave(h, 0);
	leave(h, 1);
	assert_string_equal(happened(h), "");
	leave(h, 2);
	assert_string_equal(happened(h), "d");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    no_more_than_the_host_may_have, open_hall, close_hall),
		cmocka_unit_test_setup_teardown(
		    hosts_take_turns, open_hall, close_hall),
		cmocka_unit_test_setup_teardown(
		    who_rests_counts_in_all_only, open_hall, close_hall),
		cmocka_unit_test_setup_teardown(
		    who_rests_longest_makes_room, open_hall, close_hall),
		cmocka_unit_test_setup_teardown(
		    who_resumes_passes_those_without_a_connection, open_hall,
		    close_hall),
		cmocka_unit_test_setup_teardown(
		    another_connection_counts_too, open_hall, close_hall),
		cmocka_unit_test_setup_teardown(
		    limits_may_change, open_hall, close_hall),
	};

	return cmocka_run_group_tests_name("turnstile", tests, NULL, NULL);
}
