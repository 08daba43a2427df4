/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/socket_client.h"

struct place {
	char dir[48], path[64];
	struct control *control;
};

static void
echo(void *context, struct slice line, struct buf *reply)
{
	(void)context;
	buf_printf(reply, "got %.*s\n", SLICE_ARG(line));
}

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct error err;

	*state = p;
	snprintf(p->dir, sizeof(p->dir), "/tmp/test_milter_control.XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		return -1;
	snprintf(p->path, sizeof(p->path), "%s/ctl", p->dir);
	p->control = control_start(p->path, echo, NULL, &err);
	return p->control == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	control_stop(p->control);
	/* its file went with it */
	if (rmdir(p->dir) != 0)
		return -1;
	free(p);
	return 0;
}

static void
expect(int fd, const char *text)
{
	char got[256] = "";
	size_t len = 0;

	while (len < strlen(text)) {
		ssize_t n = read(fd, got + len, strlen(text) - len);

		assert_true(n > 0);
		len += (size_t)n;
	}
	assert_string_equal(got, text);
}

static void
several_clients_ask_line_by_line(void **state)
{
	struct place *p = *state;
	int a = client_dial(p->path), b = client_dial(p->path);

	client_say(b, "ha");
	client_say(a, "READY\n");
	expect(a, "got READY\n");
	client_say(a, "one\r\ntwo\nthr");
	expect(a, "got one\ngot two\n");
	client_say(b, "lf\n");
	expect(b, "got half\n");
	client_say(a, "ee\n");
	expect(a, "got three\n");
	close(a);
	close(b);
}

static void
an_endless_line_ends_the_client_only(void **state)
{
	struct place *p = *state;
	char line[CONTROL_LINE_MAX + 1], got[8];
	int a = client_dial(p->path), b = client_dial(p->path);

	memset(line, 'x', CONTROL_LINE_MAX);
	line[CONTROL_LINE_MAX] = '\0';
	client_say(a, line);
	assert_int_equal(read(a, got, sizeof(got)), 0);
	client_say(b, "READY\n");
	expect(b, "got READY\n");
	close(a);
	close(b);
}

/* More than there is room for: the rest waits in the backlog. */
static void
a_full_house_serves_the_next_when_one_leaves(void **state)
{
	struct place *p = *state;
	int fds[CONTROL_CLIENTS_MAX], late;

	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		fds[i] = client_dial(p->path);
		client_say(fds[i], "x\n");
		expect(fds[i], "got x\n");
	}
	late = client_dial(p->path);
	client_say(late, "late\n");
	close(fds[3]);
	expect(late, "got late\n");
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (i != 3)
			close(fds[i]);
	close(late);
}

static void
the_file_is_for_owner_and_group(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
}

static void
a_second_one_is_refused(void **state)
{
	struct place *p = *state;
	struct error err;
	int fd;

	assert_null(control_start(p->path, echo, NULL, &err));
	assert_int_equal(err.kind, ERROR_CONFIG);
	fd = client_dial(p->path);
	client_say(fd, "still\n");
	expect(fd, "got still\n");
	close(fd);
}

static void
a_file_left_from_a_crash_is_replaced(void **state)
{
	struct place *p = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct error err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	control_stop(p->control);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", p->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	p->control = control_start(p->path, echo, NULL, &err);
	assert_non_null(p->control);
	fd = client_dial(p->path);
	client_say(fd, "new\n");
	expect(fd, "got new\n");
	close(fd);
}

static void
what_is_no_socket_stays(void **state)
{
	struct place *p = *state;
	char path[80];
	struct error err;
	FILE *file;

	snprintf(path, sizeof(path), "%s/file", p->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_null(control_start(path, echo, NULL, &err));
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_int_equal(unlink(path), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(several_clients_ask_line_by_line),
		TEST(an_endless_line_ends_the_client_only),
		TEST(a_full_house_serves_the_next_when_one_leaves),
		TEST(the_file_is_for_owner_and_group),
		TEST(a_second_one_is_refused),
		TEST(a_file_left_from_a_crash_is_replaced),
		TEST(what_is_no_socket_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
