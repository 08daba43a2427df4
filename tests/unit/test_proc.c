/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct buf out;
static struct error err;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, 4096);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_clear(&out);
	return 0;
}

static bool
shell(const char *script, int64_t timeout_ms)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };

	return proc_run(argv, timeout_ms, &out, &err);
}

static void
collects_output(void **state)
{
	(void)state;
	assert_true(shell("echo one; echo two", 10000));
	assert_string_equal(buf_string(&out), "one\ntwo\n");
}

/* More than a pipe holds, and to one who reads none of it. */
static void
gives_input_and_takes_every_exit(void **state)
{
	static uint8_t much[300000];
	const char *count[] = { "/bin/sh", "-c", "wc -c; echo no >&2; exit 3",
		NULL };
	const char *deaf[] = { "/bin/true", NULL };
	struct buf said;
	struct proc_talk talk = { .argv = count,
		.in = { much, sizeof(much) },
		.timeout_ms = 10000,
		.out = &out,
		.said = &said };

	(void)state;
	buf_init(&said, 100);
	assert_true(proc_talk(&talk, &err));
	assert_string_equal(buf_string(&out), "300000\n");
	assert_string_equal(buf_string(&said), "no\n");
	assert_int_equal(WEXITSTATUS(talk.status), 3);
	talk.argv = deaf;
	assert_true(proc_talk(&talk, &err));
	assert_int_equal(talk.status, 0);
	buf_clear(&said);
}

static void
passes_arguments_as_they_are(void **state)
{
	const char *argv[] = { "/bin/echo", "$HOME; `id`", "", "b", NULL };

	(void)state;
	assert_true(proc_run(argv, 10000, &out, &err));
	assert_string_equal(buf_string(&out), "$HOME; `id`  b\n");
}

static void
tells_why_it_failed(void **state)
{
	(void)state;
	assert_false(shell("echo first >&2; echo second >&2; exit 3", 10000));
	assert_int_equal(err.kind, ERROR_LOCAL);
	assert_string_equal(err.text, "/bin/sh: exit status 3: first");
	assert_false(shell("kill -9 $$", 10000));
	assert_string_equal(err.text, "/bin/sh: signal 9");
}

static void
tells_what_cannot_be_run(void **state)
{
	const char *argv[] = { "/nowhere/program", NULL };

	(void)state;
	assert_false(proc_run(argv, 10000, &out, &err));
	assert_int_equal(err.kind, ERROR_LOCAL);
	assert_string_equal(
	    err.text, "cannot run /nowhere/program: No such file or directory");
	argv[0] = "/etc/passwd";
	assert_false(proc_run(argv, 10000, &out, &err));
	assert_non_null(strstr(err.text, "Permission denied"));
}

static void
kills_the_whole_group_at_the_deadline(void **state)
{
	int64_t before = clock_monotonic_ms();
	long grandchild = 0;

	(void)state;
	/* It takes its time to begin, too. */
	for (int64_t ms = 300; grandchild == 0; ms *= 4) {
		assert_true(ms < 30000);
		buf_reset(&out);
		assert_false(shell("sleep 120 & echo $!; wait", ms));
		assert_non_null(strstr(err.text, "timed out"));
		grandchild = strtol(buf_string(&out), NULL, 10);
	}
	assert_true(clock_monotonic_ms() - before < 60000);
	assert_true(grandchild > 1);
	/* Killed; perhaps still waiting for init to reap it. */
	for (int i = 0; i < 1000 && kill((pid_t)grandchild, 0) == 0; i++) {
		char path[64], line[512] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%ld/stat", grandchild);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			break;
		assert_true(read(fd, line, sizeof(line) - 1) >= 0);
		close(fd);
		if (strstr(line, ") Z ") != NULL)
			return;
		usleep(20000);
	}
	assert_int_equal(kill((pid_t)grandchild, 0), -1);
}

static void
grandchild_with_the_pipe_does_not_hang_it(void **state)
{
	int64_t before = clock_monotonic_ms();

	(void)state;
	assert_true(shell("sleep 30 & echo done", 60000));
	assert_true(clock_monotonic_ms() - before < 25000);
	assert_string_equal(buf_string(&out), "done\n");
}

static void
too_much_output_is_an_error(void **state)
{
	(void)state;
	assert_false(shell("while :; do echo yyyyyyyyyyyyyyy; done", 30000));
	assert_string_equal(err.text, "/bin/sh: printed more than 4096 bytes");
	buf_reset(&out);
	/* Standard error is cut, and read to its end. */
	assert_true(shell("head -c 300000 /dev/zero >&2; echo ok", 10000));
}

static void
inherits_only_standard_descriptors(void **state)
{
	int leak = open("/dev/null", O_RDONLY); /* not close-on-exec */

	(void)state;
	assert_true(leak > 2);
	assert_true(shell("for f in /proc/self/fd/*; do "
			  "[ -e $f ] && echo ${f##*/}; done; readlink "
			  "/proc/self/fd/0",
	    10000));
	close(leak);
	assert_string_equal(buf_string(&out), "0\n1\n2\n/dev/null\n");
}

static void
signals_are_at_their_defaults(void **state)
{
	unsigned long long blocked, ignored;
	sigset_t all, old;
	char *rest;
	bool ok;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	signal(SIGPIPE, SIG_IGN);
	ok = shell("sed -n 's/^Sig[BI][lg][kn]:.//p' /proc/self/status", 10000);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_true(ok);
	blocked = strtoull(buf_string(&out), &rest, 16);
	ignored = strtoull(rest, &rest, 16);
	assert_string_equal(rest, "\n");
	assert_int_equal(blocked, 0);
	/* glibc leaves its own two, 32 and 33, ignored. */
	assert_int_equal(ignored & 0x7fffffff, 0);
}

static void
starts_with_the_given_files(void **state)
{
	const char *argv[] = { "/bin/cat", NULL };
	int in[2], back[2], status;
	char got[8] = "";
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(back, O_CLOEXEC), 0);
	assert_true(proc_start(
	    argv, (struct proc_files){ in[0], back[1], -1 }, &pid, &err));
	assert_int_equal(getpgid(pid), pid);
	close(in[0]);
	close(back[1]);
	assert_int_equal(write(in[1], "hello", 5), 5);
	close(in[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(back[0], got, sizeof(got) - 1), 5);
	close(back[0]);
	assert_string_equal(got, "hello");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(collects_output),
		TEST(gives_input_and_takes_every_exit),
		TEST(passes_arguments_as_they_are),
		TEST(tells_why_it_failed),
		TEST(tells_what_cannot_be_run),
		TEST(kills_the_whole_group_at_the_deadline),
		TEST(grandchild_with_the_pipe_does_not_hang_it),
		TEST(too_much_output_is_an_error),
		TEST(inherits_only_standard_descriptors),
		TEST(signals_are_at_their_defaults),
		TEST(starts_with_the_given_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
