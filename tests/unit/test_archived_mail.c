/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin's command reads from the archive, and how it says it. */
#include "tests/support/scratch.h"

#include "admin/archived_mail.h"
#include "base/readable.h"
#include "state/archive.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
read_text(const char *text, struct archived_mail *m)
{
	FILE *file = tmpfile();
	struct error err;

	assert_non_null(file);
	fputs(text, file);
	rewind(file);
	assert_true(archived_mail_read(fileno(file), m, &err));
	fclose(file);
}

static void
finds_ticket_trace_and_header(void **state)
{
	struct archived_mail m;
	(void)state;

	read_text("X-Mailhaul-Ticket: v=1;\n\tk=1\n"
		  "X-Mailhaul: account=office; id=1a; source=envelope\n"
		  "Return-Path: <x@y>\nX-Mailhaul: account=forged; source=no\n"
		  "X-Mailhaul-Ticket: forged\n\nSubject: body\n",
	    &m);
	assert_true(
	    slice_equal(slice_trim(m.trace.ticket), SLICE("v=1;\n\tk=1")));
	assert_true(slice_equal(m.trace.account, SLICE("office")));
	assert_true(slice_equal(m.trace.source, SLICE("envelope")));
	assert_true(slice_starts(
	    archived_mail_header(&m), SLICE("Return-Path: <x@y>\n")));
	assert_null(strstr(
	    (const char *)archived_mail_header(&m).data, "account=office"));
	assert_int_equal(
	    m.header_end, m.head.len - strlen("\nSubject: body\n"));
	assert_int_equal(
	    m.trace.ticket_end, strlen("X-Mailhaul-Ticket: v=1;\n\tk=1\n"));
	archived_mail_clear(&m);
}

static void
takes_what_it_gets(void **state)
{
	static const char *const odd[] = { "", "\n", "no header\n",
		"Subject: a\nX-Mailhaul-Ticket: late\n\n" };
	struct archived_mail m;
	(void)state;

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		read_text(odd[i], &m);
		assert_int_equal(m.trace.ticket.len, 0);
		assert_int_equal(m.trace.ticket_end, 0);
		assert_int_equal(m.trace.account.len, 0);
		archived_mail_clear(&m);
	}
}

static void
make_file(const char *folder, const char *id, int age_s)
{
	struct timespec times[2] = { { .tv_sec = 1000000 - age_s },
		{ .tv_sec = 1000000 - age_s } };
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/archive/%s", folder, id);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "abc", 3), 3);
	futimens(fd, times);
	close(fd);
}

static void
the_archive_is_listed_oldest_first_and_opened_by_id(void **state)
{
	static const char *const bad[] = { "", ".", "..", "../state.db",
		"archive/a", "b1 ", "c" };
	char folder[SCRATCH_SIZE], path[128];
	struct archive_list list;
	struct error err;
	int fd;
	(void)state;

	scratch_make(folder);
	assert_true(archive_read(folder, &list, &err));
	assert_int_equal(list.n, 0);
	snprintf(path, sizeof(path), "%s/archive", folder);
	assert_int_equal(symlink("archive", path), 0);
	assert_false(archive_read(folder, &list, &err));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	make_file(folder, "a1", 10);
	make_file(folder, "b1", 30);
	assert_true(archive_read(folder, &list, &err));
	assert_int_equal(list.n, 2);
	assert_string_equal(list.all[0].id, "b1");
	assert_int_equal(list.all[1].size, 3);
	assert_int_equal(list.all[1].taken_ms, (1000000 - 10) * 1000);
	archive_list_clear(&list);
	assert_true(archive_open(folder, "a1", &fd, &err));
	close(fd);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(archive_open(folder, bad[i], &fd, &err));
		assert_int_equal(err.kind, ERROR_REFUSED);
	}
	scratch_remove(folder);
}

static void
spans_and_sizes_can_be_read(void **state)
{
	char out[READABLE_SIZE];
	(void)state;

	assert_string_equal(readable_span(-5, out), "0s");
	assert_string_equal(readable_span(59999, out), "59s");
	assert_string_equal(readable_span(303000, out), "5m 3s");
	assert_string_equal(readable_span(7500000, out), "2h 5m");
	assert_string_equal(readable_span(266400000, out), "3d 2h");
	assert_string_equal(readable_size(0, out), "0");
	assert_string_equal(readable_size(1023, out), "1023");
	assert_string_equal(readable_size(1536, out), "1.5K");
	assert_string_equal(readable_size(1048575, out), "1023.9K");
	assert_string_equal(readable_size(1073741824, out), "1.0G");
	assert_string_equal(readable_time(0, out), "-");
	assert_int_equal(strlen(readable_time(1700000000000, out)), 19);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_ticket_trace_and_header),
		cmocka_unit_test(takes_what_it_gets),
		cmocka_unit_test(
		    the_archive_is_listed_oldest_first_and_opened_by_id),
		cmocka_unit_test(spans_and_sizes_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
