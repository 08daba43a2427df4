/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "milter/control.h"
#include "milter/watchdog.h"

/* A stand-in for systemd's end of the socket. */
struct place {
	char dir[48], socket[64], control[64];
	int fd;
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	*state = p;
	snprintf(p->dir, sizeof(p->dir), "/tmp/test_notify.XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		return -1;
	snprintf(p->socket, sizeof(p->socket), "%s/notify", p->dir);
	snprintf(p->control, sizeof(p->control), "%s/ctl", p->dir);
	memcpy(at.sun_path, p->socket, sizeof(p->socket));
	p->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(p->fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
		return -1;
	setenv("NOTIFY_SOCKET", p->socket, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	close(p->fd);
	unlink(p->socket);
	if (rmdir(p->dir) != 0)
		return -1;
	free(p);
	return 0;
}

/* The next notification, or "" when none comes within the time. */
static const char *
heard(const struct place *p, int wait_ms, char text[64])
{
	struct timeval limit = { wait_ms / 1000, wait_ms % 1000 * 1000 };
	ssize_t n;

	setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	n = recv(p->fd, text, 63, 0);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void
test_one_datagram(void **state)
{
	char text[64];

	notify_send("READY=1");
	assert_string_equal(heard(*state, 60000, text), "READY=1");
	unsetenv("NOTIFY_SOCKET");
	notify_send("READY=1");
	assert_string_equal(heard(*state, 20, text), "");
}

static void
test_watchdog_period(void **state)
{
	char self[16];

	(void)state;
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	assert_int_equal(notify_watchdog_ms(), 30000);
	setenv("WATCHDOG_USEC", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 1);
	setenv("WATCHDOG_USEC", "60000000s", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	setenv("WATCHDOG_USEC", "60000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_ms(), 0);
	snprintf(self, sizeof(self), "%d", (int)getpid());
	setenv("WATCHDOG_PID", self, 1);
	assert_int_equal(notify_watchdog_ms(), 30000);
}

static void
wait_for_directory(void *context, struct slice line, struct buf *reply)
{
	(void)context;
	assert_true(slice_equal(line, SLICE("READY")));
	buf_printf(reply, "WAIT no directory\n");
}

static void
test_milter_that_answers_lives(void **state)
{
	const struct place *p = *state;
	struct control *control;
	struct error err;
	char text[64];
	int late = 0;

	assert_true(watchdog_start(p->control)); /* nobody watches: nothing */
	assert_string_equal(heard(p, 50, text), "");
	control = control_start(p->control, wait_for_directory, NULL, &err);
	assert_non_null(control);
	setenv("WATCHDOG_USEC", "100000", 1);
	assert_true(watchdog_start(p->control));
	assert_string_equal(heard(p, 60000, text), "WATCHDOG=1");
	assert_string_equal(heard(p, 60000, text), "WATCHDOG=1");
	control_stop(control);
	while (recv(p->fd, text, sizeof(text), MSG_DONTWAIT) >= 0)
		;
	/* One may be on its way still. */
	for (int i = 0; i < 3; i++)
		late += heard(p, 200, text)[0] != '\0';
	assert_in_range(late, 0, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_one_datagram, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_watchdog_period, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    test_milter_that_answers_lives, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
