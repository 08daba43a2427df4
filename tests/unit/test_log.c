/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
safe_text_stays_as_it_is(void **state)
{
	char out[32], again[32];

	(void)state;
	assert_string_equal(log_safe(out, sizeof(out), SLICE("a \"b\" \\x07~")),
	    "a \"b\" \\x07~");
	assert_string_equal(log_safe(again, sizeof(again), slice_of(out)), out);
	assert_string_equal(
	    log_safe(out, sizeof(out), (struct slice){ NULL, 0 }), "");
}

static void
other_bytes_become_hexadecimal(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(
	    log_safe(out, sizeof(out), SLICE("\0\t\n\x1f\x7f\x80\xff")),
	    "\\x00\\x09\\x0a\\x1f\\x7f\\x80\\xff");
	assert_string_equal(log_quotable(out, sizeof(out), SLICE("a\"\\b\0c")),
	    "a\\x22\\x5cb\\x00c");
}

static void
only_what_does_not_fit_is_cut(void **state)
{
	char out[9];

	(void)state;
	assert_string_equal(
	    log_safe(out, sizeof(out), SLICE("12345678")), "12345678");
	assert_string_equal(
	    log_safe(out, sizeof(out), SLICE("123456789")), "12345...");
	assert_string_equal(
	    log_safe(out, sizeof(out), SLICE("\n\n")), "\\x0a\\x0a");
	assert_string_equal(
	    log_safe(out, sizeof(out), SLICE("\n\n\n")), "\\x0a...");
	assert_string_equal(
	    log_safe(out, sizeof(out), SLICE("1234\n\n")), "1234...");
	assert_string_equal(log_safe(out, 4, SLICE("1234")), "...");
	assert_string_equal(log_safe(out, 3, SLICE("1234")), "12");
	assert_string_equal(log_safe(out, 3, SLICE("\n")), "");
	assert_string_equal(log_safe(out, 1, SLICE("1")), "");
}

/* What `write` sends to standard error. */
static char *
captured(void (*write_lines)(void), char *out, size_t size)
{
	char path[] = "/tmp/test_log.XXXXXX";
	int file = mkostemp(path, O_CLOEXEC);
	int old = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	ssize_t len;

	assert_true(file >= 0 && old >= 0);
	unlink(path);
	dup2(file, STDERR_FILENO);
	write_lines();
	dup2(old, STDERR_FILENO);
	len = pread(file, out, size - 1, 0);
	assert_true(len >= 0);
	out[len] = '\0';
	close(file);
	close(old);
	return out;
}

static void
write_each_level(void)
{
	log_error("no %s", "disk");
	log_warning("slow\ninjected: line");
	log_info("plain");
	log_debug("not shown");
}

static void
a_line_names_program_process_and_level(void **state)
{
	char out[1024], expected[1024];
	long pid = (long)getpid();

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("prog", false);
	snprintf(expected, sizeof(expected),
	    "prog[%ld]: error: no disk\n"
	    "prog[%ld]: warning: slow\\x0ainjected: line\n"
	    "prog[%ld]: plain\n",
	    pid, pid, pid);
	assert_string_equal(
	    captured(write_each_level, out, sizeof(out)), expected);
}

static void
the_level_decides_what_is_shown(void **state)
{
	char out[1024];

	(void)state;
	unsetenv("JOURNAL_STREAM");
	log_open("prog", false);
	log_set_level(LOG_LEVEL_ERROR);
	captured(write_each_level, out, sizeof(out));
	assert_non_null(strstr(out, "no disk"));
	assert_null(strstr(out, "slow"));
	log_set_level(LOG_LEVEL_DEBUG);
	captured(write_each_level, out, sizeof(out));
	assert_non_null(strstr(out, "debug: not shown"));
	log_set_level(LOG_LEVEL_INFO);
}

static void
the_journal_gets_priorities(void **state)
{
	char out[1024];

	(void)state;
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open("prog", true);
	assert_string_equal(captured(write_each_level, out, sizeof(out)),
	    "<3>error: no disk\n"
	    "<4>warning: slow\\x0ainjected: line\n"
	    "<6>plain\n");
	unsetenv("JOURNAL_STREAM");
	log_open("prog", false);
}

static void
write_too_much(void)
{
	char text[10000];

	memset(text, 0x80, sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
}

static void
a_long_line_is_one_line(void **state)
{
	char out[20000];
	size_t len;

	(void)state;
	captured(write_too_much, out, sizeof(out));
	len = strlen(out);
	assert_true(len > 4000 && len < 4500);
	assert_ptr_equal(strchr(out, '\n'), out + len - 1);
	assert_string_equal(out + len - 4, "...\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(safe_text_stays_as_it_is),
		cmocka_unit_test(other_bytes_become_hexadecimal),
		cmocka_unit_test(only_what_does_not_fit_is_cut),
		cmocka_unit_test(a_line_names_program_process_and_level),
		cmocka_unit_test(the_level_decides_what_is_shown),
		cmocka_unit_test(the_journal_gets_priorities),
		cmocka_unit_test(a_long_line_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
