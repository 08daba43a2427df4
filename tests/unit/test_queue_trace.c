/* SPDX-License-Identifier: Apache-2.0 */
/* Queue ids, and what lines of a log say of them. */
#include "tests/support/scratch.h"

#include "admin/log_files.h"
#include "admin/queue_trace.h"
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
queue_ids_of_both_forms(void **state)
{
	static const struct {
		const char *text, *id; /* NULL: none */
	} cases[] = {
		{ "4AB12C", "4AB12C" },
		{ "4AB12C*", "4AB12C" },
		{ "4AB12C!", "4AB12C" },
		{ "4ZbX2k1tYz7q:", "4ZbX2k1tYz7q" },
		{ "4AB1", NULL },
		{ "", NULL },
		{ "*", NULL },
		{ "-q 4AB12C", NULL },
		{ "4AB12C;", NULL },
		{ "4AB12C4AB12C4AB12C4AB12C4AB12C4AB12C", NULL },
	};
	char id[QUEUE_ID_MAX];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool is = queue_id_parse(cases[i].text, id);

		assert_int_equal(is, cases[i].id != NULL);
		if (is)
			assert_string_equal(id, cases[i].id);
	}
}

#define MILTER "Nov 22 05:16:00 mx mailhaul-milter[7]: "
#define CLEANUP "2026-11-22T05:16:00+01:00 mx postfix/cleanup[7]: "

static void
lines_of_a_log(void **state)
{
	static const struct {
		const char *line;
		bool alone;
		const char *id, *message_id;
	} cases[] = {
		{ MILTER "4AB12C: id=1a account=office", false, "1a", NULL },
		{ "4AB12C: id=1a account=office", true, "1a", NULL },
		{ "4AB12C: id=1a account=office", false, "", NULL },
		{ MILTER "4AB12C: id=../etc account=office", false, "", NULL },
		{ MILTER "44AB12C: id=1a account=office", false, "", NULL },
		{ CLEANUP "4AB12C: message-id=<a@b>", false, "", "<a@b>" },
		{ CLEANUP "4AB12C: message-id=", false, "", NULL },
		{ CLEANUP "4AB12C: resent-message-id=<a@b>", false, "", NULL },
		/* What a stranger has a program say. */
		{ CLEANUP "x " MILTER "4AB12C: id=1a", false, "", NULL },
		{ "mx postfix/smtpd[7]: 4AB12C: id=1a", false, "", NULL },
		{ "mx postfix/smtpd[7]: 4AB12C: message-id=<a>", false, "",
		    NULL },
		{ "", false, "", NULL },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct queue_trace trace = { .id = "" };

		queue_trace_take(
		    &trace, "4AB12C", slice_of(cases[i].line), cases[i].alone);
		assert_string_equal(trace.id, cases[i].id);
		assert_int_equal(
		    trace.message_id == NULL, cases[i].message_id == NULL);
		if (trace.message_id != NULL)
			assert_string_equal(
			    trace.message_id, cases[i].message_id);
		queue_trace_clear(&trace);
	}
}

/* Short ids are used again: what comes later is another message. */
static void
the_later_message_of_an_id(void **state)
{
	struct queue_trace trace = { .id = "" };
	(void)state;

	queue_trace_take(
	    &trace, "4AB12C", SLICE(MILTER "4AB12C: id=1a"), false);
	queue_trace_take(&trace, "4AB12C",
	    SLICE(CLEANUP "4AB12C: message-id=<later>"), false);
	assert_string_equal(trace.id, "");
	assert_string_equal(trace.message_id, "<later>");
	queue_trace_take(
	    &trace, "4AB12C", SLICE(MILTER "4AB12C: id=2b"), false);
	assert_string_equal(trace.id, "2b");
	queue_trace_clear(&trace);
}

static bool
count_line(void *arg, struct slice line)
{
	size_t *n = arg;

	assert_true(slice_equal(line, SLICE("has the needle here")));
	return ++*n == 4;
}

/* Wherever the pieces that are read end. */
static void
every_line_is_seen(void **state)
{
	size_t n = 0;
	const struct log_search search = { SLICE("needle"), count_line, &n,
		clock_monotonic_ms() + 10000 };
	const char *const sleeping[] = { "/bin/sleep", "60", NULL };
	struct log_search late = search;
	FILE *file = tmpfile();
	struct error err;
	(void)state;

	for (int i = 0; i < 3; i++) {
		fputs("has the needle here\n", file);
		for (int j = 0; j < 5000; j++)
			fprintf(file, "line %d without %d\n", i, j);
	}
	fputs("has the needle here", file);
	rewind(file);
	assert_true(log_search_fd(&search, fileno(file), &err));
	assert_int_equal(n, 4);
	fclose(file);
	late.deadline_ms = clock_monotonic_ms() + 50;
	assert_false(log_search_program(&late, sleeping, -1, &err));
	assert_int_equal(err.kind, ERROR_RETRY);
}

static void
make_file(const char *folder, const char *name, int age_s)
{
	struct timespec times[2] = { { 0 }, { 0 } };
	char path[256];
	int fd;

	times[0].tv_sec = times[1].tv_sec = clock_wall_ms() / 1000 - age_s;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	futimens(fd, times);
	close(fd);
}

static void
rotated_logs_newest_first(void **state)
{
	static const char *const names[] = { "own.log", "own.log.1",
		"own.log-20260101.gz", "own.log.3.gz", "owner", "own.err" };
	char folder[SCRATCH_SIZE];
	struct log_files files;
	(void)state;

	scratch_make(folder);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		make_file(folder, names[i], (int)i * 100);
	log_files_find(scratch_path(folder, "own.log"), 250 * 1000, &files);
	for (size_t i = 0; i < 3; i++) {
		assert_true(i < files.n);
		assert_string_equal(strrchr(files.all[i], '/') + 1, names[i]);
	}
	for (size_t i = 3; i < files.n; i++)
		assert_null(strstr(files.all[i], folder));
	log_files_clear(&files);
	scratch_remove(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queue_ids_of_both_forms),
		cmocka_unit_test(lines_of_a_log),
		cmocka_unit_test(the_later_message_of_an_id),
		cmocka_unit_test(every_line_is_seen),
		cmocka_unit_test(rotated_logs_newest_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
