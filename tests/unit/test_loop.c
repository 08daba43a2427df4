/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fetcher/loop.h"

struct seen {
	struct loop *loop;
	struct timer *late;
	int count, status;
};

static void
count_and_stop(void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	loop_stop(seen->loop);
}

static void
on_child(void *arg, int status)
{
	struct seen *seen = arg;

	seen->status = status;
	count_and_stop(seen);
}

static void
moves_the_late_timer(void *arg)
{
	struct seen *seen = arg;

	timer_start(seen->late, 1);
}

static void
a_running_timer_is_moved(void **state)
{
	struct seen seen = { .loop = loop_new() };
	struct timer *early = timer_new(seen.loop, moves_the_late_timer, &seen);

	(void)state;
	seen.late = timer_new(seen.loop, count_and_stop, &seen);
	timer_start(seen.late, 3600000);
	timer_start(early, 1);
	loop_run(seen.loop);
	assert_int_equal(seen.count, 1);
	timer_free(early);
	timer_free(seen.late);
	timer_free(NULL);
	loop_free(seen.loop);
}

static void
a_stopped_timer_stays_silent(void **state)
{
	struct seen seen = { .loop = loop_new() };
	struct seen never = { .loop = seen.loop };
	struct timer *silent = timer_new(seen.loop, count_and_stop, &never);
	struct timer *end = timer_new(seen.loop, count_and_stop, &seen);

	(void)state;
	timer_start(silent, 1);
	timer_stop(silent);
	timer_start(end, 20);
	loop_run(seen.loop);
	assert_int_equal(never.count, 0);
	timer_free(silent);
	timer_free(end);
	loop_free(seen.loop);
}

static void
a_stop_before_the_run_counts(void **state)
{
	struct loop *loop = loop_new();

	(void)state;
	loop_stop(loop);
	loop_run(loop);
	loop_free(loop);
}

enum { CALLS = 10000 };

static void
count_to_the_last(void *arg)
{
	struct seen *seen = arg;

	if (++seen->count == CALLS)
		loop_stop(seen->loop);
}

static void *
call_often(void *arg)
{
	struct seen *seen = arg;

	for (int i = 0; i < CALLS; i++)
		loop_call(seen->loop, count_to_the_last, seen);
	return NULL;
}

static void
calls_from_another_thread_all_arrive(void **state)
{
	struct seen seen = { .loop = loop_new() };
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, call_often, &seen);
	loop_run(seen.loop);
	pthread_join(thread, NULL);
	assert_int_equal(seen.count, CALLS);
	/* One that nobody runs any more. */
	loop_call(seen.loop, count_and_stop, &seen);
	loop_free(seen.loop);
	assert_int_equal(seen.count, CALLS);
}

static pid_t
child_that_exits(int status)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(status);
	assert_true(pid > 0);
	return pid;
}

static void
a_child_gone_before_registration_is_told(void **state)
{
	struct seen seen = { 0 };
	pid_t pid = child_that_exits(75);
	siginfo_t info;

	(void)state;
	/* Its SIGCHLD comes before anybody listens. */
	assert_int_equal(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	seen.loop = loop_new();
	loop_on_child(seen.loop, pid, on_child, &seen);
	assert_int_equal(seen.count, 0);
	loop_run(seen.loop);
	assert_int_equal(seen.count, 1);
	assert_int_equal(WEXITSTATUS(seen.status), 75);
	loop_free(seen.loop);
}

static void
only_registered_children_are_waited_for(void **state)
{
	struct seen seen = { .loop = loop_new() };
	pid_t other = child_that_exits(1), pid;
	int status;

	(void)state;
	pid = fork();
	if (pid == 0) {
		usleep(20000);
		_exit(3);
	}
	loop_on_child(seen.loop, pid, on_child, &seen);
	loop_run(seen.loop);
	assert_int_equal(WEXITSTATUS(seen.status), 3);
	assert_int_equal(waitpid(other, &status, 0), other);
	loop_free(seen.loop);
}

static void
signals_arrive_as_calls(void **state)
{
	struct seen seen = { .loop = loop_new() };

	(void)state;
	loop_on_signal(seen.loop, SIGUSR1, count_and_stop, &seen);
	kill(getpid(), SIGUSR1);
	loop_run(seen.loop);
	kill(getpid(), SIGUSR1);
	loop_run(seen.loop);
	assert_int_equal(seen.count, 2);
	loop_free(seen.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_timer_is_moved),
		cmocka_unit_test(a_stopped_timer_stays_silent),
		cmocka_unit_test(a_stop_before_the_run_counts),
		cmocka_unit_test(calls_from_another_thread_all_arrive),
		cmocka_unit_test(a_child_gone_before_registration_is_told),
		cmocka_unit_test(only_registered_children_are_waited_for),
		cmocka_unit_test(signals_arrive_as_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
