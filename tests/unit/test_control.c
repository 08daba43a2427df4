/* SPDX-License-Identifier: Apache-2.0 */
/* The fetcher's control socket, its loop in a thread; asked as the admin's
 * command asks. */
#include "fetcher/control.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/socket_client.h"

struct place {
	char folder[48], path[64];
	struct loop *loop;
	struct control *control;
	struct control_client *late; /* waits for somebody's "go" */
	atomic_bool waits;
	pthread_t thread;
	struct buf got;
	struct error err;
};

static void
say(struct control_client *client, const char *text)
{
	control_answer(client, slice_of(text));
}

static void
on_line(void *arg, struct control_client *client, struct slice line)
{
	struct place *p = arg;

	if (slice_equal(line, SLICE("late"))) {
		p->late = client;
		p->waits = true;
	} else if (slice_equal(line, SLICE("go"))) {
		say(client, "OK going\n");
		say(p->late, "OK at last\n");
		p->late = NULL;
	} else if (slice_equal(line, SLICE("report"))) {
		say(client, "a 1\nb two words\n\n");
	} else {
		say(client, "ERROR what?\n");
	}
}

static void *
run(void *arg)
{
	struct place *p = arg;

	loop_run(p->loop);
	return NULL;
}

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	*state = p;
	snprintf(p->folder, sizeof(p->folder), "/tmp/test_control.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/ctl", p->folder);
	buf_init(&p->got, 100000);
	p->loop = loop_new();
	p->control = control_new(p->loop, p->path, on_line, p, &p->err);
	assert_non_null(p->control);
	return pthread_create(&p->thread, NULL, run, p);
}

static void
stop(void *arg)
{
	struct place *p = arg;

	control_free(p->control);
	loop_stop(p->loop);
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	loop_call(p->loop, stop, p);
	pthread_join(p->thread, NULL);
	loop_free(p->loop);
	buf_clear(&p->got);
	/* the socket's file has gone */
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

static const char *
ask(struct place *p, const char *question)
{
	buf_reset(&p->got);
	if (!control_socket_ask(p->path, question, 10000, &p->got, &p->err))
		return p->err.text;
	return buf_string(&p->got);
}

/* Reads to the end of the stream. */
static void
expect(int fd, const char *text)
{
	char got[256] = "";
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, got + len, sizeof(got) - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	assert_string_equal(got, text);
	close(fd);
}

static void
answers_lines_and_reports(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_string_equal(ask(p, "hm"), "ERROR what?\n");
	assert_string_equal(ask(p, "report"), "a 1\nb two words\n\n");
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

/* Also to one who has said its last word. */
static void
answers_questions_in_their_order(void **state)
{
	struct place *p = *state;
	int fd = client_dial(p->path), other;

	client_say(fd, "late\nreport\nhm\n");
	shutdown(fd, SHUT_WR);
	while (!p->waits)
		usleep(1000);
	other = client_dial(p->path);
	client_say(other, "go\n");
	shutdown(other, SHUT_WR);
	expect(other, "OK going\n");
	expect(fd, "OK at last\na 1\nb two words\n\nERROR what?\n");
}

static void
an_answer_may_come_after_its_client_has_gone(void **state)
{
	struct place *p = *state;
	int fd = client_dial(p->path);

	client_say(fd, "late\n");
	while (!p->waits)
		usleep(1000);
	close(fd);
	assert_string_equal(ask(p, "go"), "OK going\n");
	assert_string_equal(ask(p, "hm"), "ERROR what?\n");
}

static void
a_line_has_an_end(void **state)
{
	struct place *p = *state;
	char line[CONTROL_LINE_MAX + 1];
	int fd = client_dial(p->path);
	char got;

	memset(line, 'x', CONTROL_LINE_MAX);
	line[CONTROL_LINE_MAX] = '\0';
	client_say(fd, line);
	assert_true(read(fd, &got, 1) <= 0);
	close(fd);
}

static void
a_full_house_serves_the_next_when_one_leaves(void **state)
{
	struct place *p = *state;
	int fds[CONTROL_CLIENTS_MAX], late;
	char got[16];

	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = client_dial(p->path);
		client_say(fds[i], "hm\n");
		assert_int_equal(read(fds[i], got, sizeof(got)), 12);
	}
	late = client_dial(p->path);
	client_say(late, "hm\n");
	assert_int_equal(recv(late, got, 1, MSG_DONTWAIT), -1);
	close(fds[3]);
	assert_int_equal(read(late, got, sizeof(got)), 12);
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (i != 3)
			close(fds[i]);
	close(late);
}

static void
says_why_there_is_no_answer(void **state)
{
	struct place *p = *state;

	assert_false(
	    control_socket_ask("/nowhere/ctl", "hm", 1000, &p->got, &p->err));
	assert_int_equal(p->err.kind, ERROR_REFUSED);
	assert_false(control_socket_ask(p->path, "late", 50, &p->got, &p->err));
	assert_int_equal(p->err.kind, ERROR_RETRY);
	while (!p->waits)
		usleep(1000);
	assert_string_equal(ask(p, "go"), "OK going\n");
}

static void
a_second_one_is_refused(void **state)
{
	struct place *p = *state;

	assert_null(control_new(p->loop, p->path, on_line, p, &p->err));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_string_equal(ask(p, "hm"), "ERROR what?\n");
}

static void
finds_the_end_of_an_answer(void **state)
{
	static const struct {
		const char *bytes;
		size_t end;
	} cases[] = { { "", 0 }, { "OK", 0 }, { "OK\n", 3 },
		{ "OK 5\nmore", 5 }, { "WAIT for\n", 9 }, { "ERROR\n", 6 },
		{ "OKAY 1\n", 0 }, { "OKAY 1\n\n", 8 }, { "\n", 1 },
		{ "a 1\nb 2\n", 0 }, { "a 1\nb 2\n\nc", 9 } };
	struct slice report = SLICE("a 1\nb two words\nc\n\nd 4\n"), key, value;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
		    control_answer_end(slice_of(cases[i].bytes)), cases[i].end);
	assert_true(control_cut_pair(&report, &key, &value));
	assert_true(slice_equal(key, SLICE("a")));
	assert_true(control_cut_pair(&report, &key, &value));
	assert_true(slice_equal(value, SLICE("two words")));
	assert_true(control_cut_pair(&report, &key, &value));
	assert_true(slice_equal(key, SLICE("c")) && value.len == 0);
	assert_false(control_cut_pair(&report, &key, &value));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(answers_lines_and_reports),
		TEST(answers_questions_in_their_order),
		TEST(an_answer_may_come_after_its_client_has_gone),
		TEST(a_line_has_an_end),
		TEST(a_full_house_serves_the_next_when_one_leaves),
		TEST(says_why_there_is_no_answer),
		TEST(a_second_one_is_refused),
		cmocka_unit_test(finds_the_end_of_an_answer),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
