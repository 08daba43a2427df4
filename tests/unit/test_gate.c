/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fetcher/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The milter's side lives in the same loop. */
struct place {
	char folder[64];
	char control[96];
	struct loop *loop;
	struct config config;
	struct gate *gate;
	struct timer *timer;

	int listener;
	struct watch *watch;
	const char *reply; /* NULL: hang up */
	int connections;

	int answers, awaited;
	bool open;
	struct error reason;
};

static int
set_up(void **state)
{
	struct place *p = mem_new(sizeof(*p));

	snprintf(p->folder, sizeof(p->folder), "/tmp/test_gate.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->control, sizeof(p->control), "%s/milter.ctl", p->folder);
	p->loop = loop_new();
	p->listener = -1;
	p->config.milter.control = p->control;
	p->config.inject.require_milter = true;
	p->gate = gate_new(p->loop, &p->config);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	gate_free(p->gate);
	watch_free(p->watch);
	timer_free(p->timer);
	if (p->listener >= 0)
		close(p->listener);
	loop_free(p->loop);
	unlink(p->control);
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

static void
on_connection(void *arg)
{
	struct place *p = arg;
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	char question[16] = "";

	assert_true(fd >= 0);
	p->connections++;
	assert_int_equal(read(fd, question, sizeof(question) - 1), 6);
	assert_string_equal(question, "READY\n");
	if (p->reply != NULL)
		assert_int_equal(
		    write(fd, p->reply, strlen(p->reply)), strlen(p->reply));
	close(fd);
}

static void
start_milter(struct place *p, const char *reply)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", p->control);
	p->reply = reply;
	p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    bind(p->listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(p->listener, 10), 0);
	p->watch = watch_new(p->loop, p->listener, on_connection, p);
}

static void
on_answer(void *arg, bool open, const struct error *reason)
{
	struct place *p = arg;

	p->open = open;
	if (!open)
		p->reason = *reason;
	if (++p->answers == p->awaited)
		loop_stop(p->loop);
}

static bool
ask(struct place *p, int times)
{
	p->answers = 0;
	p->awaited = times;
	for (int i = 0; i < times; i++)
		gate_ask(p->gate, on_answer, p);
	assert_int_equal(p->answers, 0);
	loop_run(p->loop);
	return p->open;
}

static void
opens_when_the_milter_is_ready(void **state)
{
	struct place *p = *state;

	start_milter(p, "OK\n");
	assert_true(ask(p, 1));
}

static void
passes_on_why_to_wait(void **state)
{
	struct place *p = *state;

	start_milter(p, "WAIT directory ldaps://dc1: no answer\n");
	assert_false(ask(p, 1));
	assert_int_equal(p->reason.kind, ERROR_RETRY);
	assert_string_equal(
	    p->reason.text, "milter: directory ldaps://dc1: no answer");
}

static void
says_that_the_milter_is_not_running(void **state)
{
	char expected[256];
	struct place *p = *state;

	assert_false(ask(p, 1));
	assert_int_equal(p->reason.kind, ERROR_RETRY);
	snprintf(expected, sizeof(expected),
	    "milter is not running (control socket %s: No such file or "
	    "directory)",
	    p->control);
	assert_string_equal(p->reason.text, expected);
}

static void
says_that_nobody_listens_any_more(void **state)
{
	struct place *p = *state;

	start_milter(p, "OK\n");
	watch_free(p->watch);
	p->watch = NULL;
	close(p->listener);
	p->listener = -1;
	assert_false(ask(p, 1));
	assert_non_null(strstr(p->reason.text, "Connection refused"));
}

static void
stays_shut_without_a_clear_answer(void **state)
{
	static const char *const replies[] = { NULL, "", "OK", "OKAY\n", "\n",
		"ok\n", "WAIT\n", "OK \n" };
	struct place *p = *state;

	start_milter(p, "OK\n");
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		p->reply = replies[i];
		gate_configure(p->gate, &p->config);
		/* "OK" without its LF may have lost a word. */
		if (ask(p, 1))
			fail_msg("reply %zu opened the gate", i);
	}
}

static void
floods_do_not_open_it(void **state)
{
	struct place *p = *state;
	char *flood = mem_new(5001);

	memset(flood, 'O', 5000);
	start_milter(p, flood);
	assert_false(ask(p, 1));
	free(flood);
}

/* False: nothing is known, the second was over before the later questions. */
static bool
later_questions_share_it(struct place *p)
{
	int64_t begun_ms = clock_monotonic_ms();
	int before = p->connections;
	bool open;

	gate_configure(p->gate, &p->config);
	p->reply = "OK\n";
	assert_true(ask(p, 5));
	assert_int_equal(p->connections, before + 1);
	p->reply = "WAIT now\n";
	open = ask(p, 2);
	if (clock_monotonic_ms() - begun_ms >= 1000)
		return false;
	assert_true(open);
	assert_int_equal(p->connections, before + 1);
	return true;
}

static void
questions_share_an_answer_for_a_second(void **state)
{
	struct place *p = *state;
	int before;

	start_milter(p, "OK\n");
	while (!later_questions_share_it(p))
		;
	before = p->connections;
	usleep(1010000);
	assert_false(ask(p, 1));
	assert_int_equal(p->connections, before + 1);
}

static void
always_open_when_no_milter_is_required(void **state)
{
	struct place *p = *state;

	p->config.inject.require_milter = false;
	gate_configure(p->gate, &p->config);
	assert_true(ask(p, 3));
}

static void
reload_asks_anew(void **state)
{
	struct place *p = *state;

	assert_false(ask(p, 1));
	start_milter(p, "OK\n");
	gate_configure(p->gate, &p->config);
	assert_true(ask(p, 1));
	/* Also in the middle of a question. */
	gate_ask(p->gate, on_answer, p);
	p->config.inject.require_milter = false;
	gate_configure(p->gate, &p->config);
	p->answers = 0;
	p->awaited = 1;
	loop_run(p->loop);
	assert_true(p->open);
}

static void
may_be_freed_while_asking(void **state)
{
	struct place *p = *state;

	start_milter(p, "OK\n");
	gate_ask(p->gate, on_answer, p);
	gate_free(p->gate);
	p->gate = NULL;
	assert_int_equal(p->answers, 0);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(opens_when_the_milter_is_ready),
		TEST(passes_on_why_to_wait),
		TEST(says_that_the_milter_is_not_running),
		TEST(says_that_nobody_listens_any_more),
		TEST(stays_shut_without_a_clear_answer),
		TEST(floods_do_not_open_it),
		TEST(questions_share_an_answer_for_a_second),
		TEST(always_open_when_no_milter_is_required),
		TEST(reload_asks_anew),
		TEST(may_be_freed_while_asking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
