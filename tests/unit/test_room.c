/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetcher/room.h"

enum { MESSAGES = 2, BYTES = 1000, ROUNDS = 20 };

static struct loop *loop;
static struct room *room;
static struct timer *soon;
static int rounds; /* of the loop that are left */
static unsigned told;

static int
make(void **state)
{
	(void)state;
	loop = loop_new();
	room = room_new(loop);
	room_limit(room, MESSAGES, BYTES);
	told = 0;
	return 0;
}

static int
end(void **state)
{
	(void)state;
	room_free(room);
	loop_free(loop);
	return 0;
}

static void
stop(void *arg)
{
	(void)arg;
	if (--rounds == 0)
		loop_stop(loop);
	else
		timer_start(soon, 0);
}

static void
tell(void *arg)
{
	unsigned *which = arg;

	told = told * 10 + *which;
	room_enter(room, 0);
}

/* Whom it tells, in this order, when it may; each then brings a message. */
static unsigned
run(void)
{
	told = 0;
	rounds = ROUNDS;
	soon = timer_new(loop, stop, NULL);
	timer_start(soon, 0);
	loop_run(loop);
	timer_free(soon);
	return told;
}

static void
messages_are_limited(void **state)
{
	unsigned one = 1, two = 2, three = 3;

	(void)state;
	room_enter(room, 10);
	assert_true(room_is_there(room));
	room_enter(room, 0);
	assert_false(room_is_there(room));
	room_await(room, tell, &one);
	room_await(room, tell, &two);
	room_await(room, tell, &three);
	assert_int_equal(run(), 0);
	room_leave(room, 10);
	assert_int_equal(run(), 1);
	room_forget(room, &two);
	room_leave(room, 0);
	assert_int_equal(run(), 3);
	assert_int_equal(room_messages(room), 2);
	assert_int_equal(room_spooled(room), 0);
}

static void
what_is_to_come_counts(void **state)
{
	unsigned one = 1;

	(void)state;
	room_expect(room, 0, BYTES);
	assert_false(room_is_there(room));
	assert_false(room_is_full(room));
	room_await(room, tell, &one);
	assert_int_equal(run(), 0);
	assert_true(room_is_full(room));
	/* Here is less than was announced; it is told when a tenth is free. */
	room_expect(room, BYTES, 0);
	room_enter(room, BYTES - 1);
	assert_int_equal(run(), 1);
	assert_true(room_is_full(room));
	room_leave(room, BYTES - 1);
	room_await(room, tell, &one);
	assert_int_equal(run(), 1);
	assert_false(room_is_full(room));
}

static void
closed_is_closed(void **state)
{
	unsigned one = 1;

	(void)state;
	room_close(room);
	room_close(room);
	room_await(room, tell, &one);
	room_open(room);
	assert_true(room_is_closed(room));
	assert_int_equal(run(), 0);
	room_open(room);
	assert_int_equal(run(), 1);
}

static void
an_empty_spool_takes_any_message(void **state)
{
	(void)state;
	room_enter(room, 0);
	assert_true(room_is_there(room));
	room_expect(room, 0, 50 * (uint64_t)BYTES);
	assert_int_equal(room_spooled(room), 50 * BYTES);
	assert_false(room_is_there(room));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    messages_are_limited, make, end),
		cmocka_unit_test_setup_teardown(
		    what_is_to_come_counts, make, end),
		cmocka_unit_test_setup_teardown(closed_is_closed, make, end),
		cmocka_unit_test_setup_teardown(
		    an_empty_spool_takes_any_message, make, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
