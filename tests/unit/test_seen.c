/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "state/seen_mailbox.h"
#include "state/seen_revise.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OFFICE "yaml:office"

struct place {
	char folder[64];
	char db[96];
	struct seen *seen;
	struct error err;
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->folder, sizeof(p->folder), "/tmp/test_seen.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->db, sizeof(p->db), "%s/state.db", p->folder);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const endings[] = { "", "-wal", "-shm", ".new" };
	struct place *p = *state;
	char path[128];

	seen_close(p->seen);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", p->db, endings[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

static void
open_it(struct place *p)
{
	p->seen = seen_open(p->folder, &p->err);
	if (p->seen == NULL)
		fail_msg("%s", p->err.text);
}

static void
close_it(struct place *p)
{
	seen_close(p->seen);
	p->seen = NULL;
}

static void
begin(struct place *p)
{
	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_mailbox_claim(
	    p->seen, OFFICE, "pop.isp.example", "box17", &p->err));
}

static void
commit(struct place *p)
{
	assert_true(seen_commit(p->seen, &p->err));
}

static void
find(struct place *p, const char *mailbox, const char *host, const char *user,
    struct seen_mailbox *m)
{
	*m = (struct seen_mailbox){ mailbox, host, user, .known = true };
	assert_true(seen_mailbox_find(p->seen, m, &p->err));
}

static bool
put(struct place *p, const char *account, struct slice uid,
    enum seen_status status)
{
	struct seen_entry entry = {
		.mailbox = account,
		.uid = uid,
		.row = { .status = status, .injected_ms = 7, .tries = 3 },
		.id = "id",
		.reason = "because",
	};

	entry.row.size = UINT64_MAX;
	return seen_put(p->seen, &entry, &p->err);
}

static enum seen_status
status_of(struct place *p, const char *account, struct slice uid)
{
	struct seen_row row;

	assert_true(seen_get(p->seen, account, uid, &row, &p->err));
	return row.status;
}

/* A state with one injected message, closed. */
static void
make_state(struct place *p)
{
	open_it(p);
	begin(p);
	assert_true(put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	commit(p);
	close_it(p);
}

static void
remembers_over_a_restart(void **state)
{
	struct place *p = *state;
	struct seen_row row;
	struct stat st;

	make_state(p);
	assert_int_equal(stat(p->db, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	open_it(p);
	assert_true(seen_get(p->seen, OFFICE, SLICE("a"), &row, &p->err));
	assert_int_equal(row.status, SEEN_INJECTED);
	assert_int_equal(row.injected_ms, 7);
	assert_int_equal(row.tries, 3);
	assert_true(row.size == INT64_MAX);
	assert_int_equal(status_of(p, OFFICE, SLICE("b")), SEEN_NEW);
	assert_int_equal(status_of(p, "yaml:other", SLICE("a")), SEEN_NEW);
}

static void
uids_are_opaque_bytes(void **state)
{
	static const uint8_t odd[] = { 0, '\'', 0xff, '\n', 0 };
	uint8_t longest[SEEN_UID_MAX + 1];
	struct place *p = *state;
	struct slice uid = { odd, sizeof(odd) };

	open_it(p);
	begin(p);
	assert_true(put(p, OFFICE, uid, SEEN_PARKED));
	assert_int_equal(status_of(p, OFFICE, uid), SEEN_PARKED);
	assert_int_equal(status_of(p, OFFICE, slice_first(uid, 4)), SEEN_NEW);
	memset(longest, 'x', sizeof(longest));
	uid = (struct slice){ longest, SEEN_UID_MAX };
	assert_true(put(p, OFFICE, uid, SEEN_RETRY));
	assert_int_equal(status_of(p, OFFICE, uid), SEEN_RETRY);
	uid.len++;
	assert_false(put(p, OFFICE, uid, SEEN_RETRY));
	assert_int_equal(p->err.kind, ERROR_PROTOCOL);
	assert_false(put(p, OFFICE, SLICE(""), SEEN_RETRY));
	commit(p);
}

static void
rollback_undoes_the_group(void **state)
{
	struct place *p = *state;

	open_it(p);
	begin(p);
	commit(p);
	begin(p);
	assert_true(put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	seen_rollback(p->seen);
	seen_rollback(p->seen);
	assert_int_equal(status_of(p, OFFICE, SLICE("a")), SEEN_NEW);
}

static void
refuses_changes_outside_a_group(void **state)
{
	struct place *p = *state;

	open_it(p);
	begin(p);
	commit(p);
	assert_false(put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	assert_int_equal(p->err.kind, ERROR_LOCAL);
	assert_false(seen_commit(p->seen, &p->err));
	assert_int_equal(status_of(p, OFFICE, SLICE("a")), SEEN_NEW);
}

static void
refuses_a_status_or_account_it_does_not_know(void **state)
{
	struct place *p = *state;

	open_it(p);
	begin(p);
	assert_false(put(p, OFFICE, SLICE("a"), SEEN_NEW));
	assert_false(put(p, "yaml:nobody", SLICE("a"), SEEN_INJECTED));
	commit(p);
}

static void
a_mailbox_belongs_to_one_host_and_user(void **state)
{
	struct place *p = *state;
	struct seen_mailbox m;

	make_state(p);
	open_it(p);
	find(p, OFFICE, "POP.isp.example", "box17", &m);
	assert_true(m.known);
	assert_false(m.foreign);
	find(p, OFFICE, "pop.isp.example", "Box17", &m);
	assert_true(m.foreign);
	assert_string_equal(m.owner, "user box17 at pop.isp.example");
	find(p, OFFICE, "pop.isp.exampl", "box17", &m);
	assert_true(m.foreign);
	find(p, "yaml:other", "pop.isp.example", "box17", &m);
	assert_false(m.known || m.foreign);
	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_mailbox_claim(p->seen, OFFICE, "new", "u", &p->err));
	assert_true(seen_mailbox_expect(p->seen, "yaml:more", &p->err));
	commit(p);
	find(p, OFFICE, "new", "u", &m);
	assert_false(m.foreign);
	/* Imported: nobody knows whose it was. */
	find(p, "yaml:more", "any", "u", &m);
	assert_true(m.known);
	assert_false(m.foreign);
}

/* Overwrites `len` bytes at `offset` of state.db. */
static void
poke(struct place *p, off_t offset, const void *bytes, size_t len)
{
	int fd = open(p->db, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, offset), len);
	close(fd);
}

static void
content(struct place *p, struct buf *b)
{
	buf_init(b, 1 << 20);
	assert_true(file_read(p->db, b, &p->err));
}

/* Refused, with this in the text, and not one byte changed. */
static void
expect_refusal(struct place *p, const char *text)
{
	struct buf before, after;

	content(p, &before);
	p->seen = seen_open(p->folder, &p->err);
	assert_null(p->seen);
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	if (strstr(p->err.text, text) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", p->err.text, text);
	assert_non_null(strstr(p->err.text, p->db));
	content(p, &after);
	assert_true(slice_equal(buf_slice(&before), buf_slice(&after)));
	buf_clear(&before);
	buf_clear(&after);
}

static void
refuses_a_newer_version(void **state)
{
	struct place *p = *state;

	make_state(p);
	poke(p, 60, "\0\0\0\x63", 4); /* user_version in the file's header */
	expect_refusal(p, "is of version 99, written by a newer mailhaul");
}

static void
refuses_an_empty_file(void **state)
{
	struct place *p = *state;

	make_state(p);
	assert_int_equal(truncate(p->db, 0), 0);
	expect_refusal(p, "is empty: restore it from a backup");
}

static void
refuses_a_foreign_file(void **state)
{
	struct place *p = *state;
	char text[4096];

	make_state(p);
	memset(text, 'x', sizeof(text));
	poke(p, 0, text, sizeof(text));
	expect_refusal(p, "restore it from a backup");
	close_it(p);
}

static void
refuses_a_database_without_our_tables(void **state)
{
	struct place *p = *state;

	make_state(p);
	poke(p, 60, "\0\0\0\0", 4);
	expect_refusal(p, "is no state of mailhaul");
}

static void
refuses_damaged_pages(void **state)
{
	struct place *p = *state;
	struct stat st;
	char junk[512];

	open_it(p);
	begin(p);
	for (int i = 0; i < 2000; i++) {
		char uid[16];

		snprintf(uid, sizeof(uid), "uid-%d", i);
		assert_true(put(p, OFFICE, slice_of(uid), SEEN_INJECTED));
	}
	commit(p);
	close_it(p);
	assert_int_equal(stat(p->db, &st), 0);
	memset(junk, 0x55, sizeof(junk));
	poke(p, st.st_size / 4096 / 2 * 4096, junk, sizeof(junk));
	expect_refusal(p, "is damaged");
	assert_non_null(strstr(p->err.text, "restore it from a backup"));
}

static void
refuses_a_cut_file(void **state)
{
	struct place *p = *state;
	struct stat st;

	make_state(p);
	assert_int_equal(stat(p->db, &st), 0);
	assert_int_equal(truncate(p->db, st.st_size - 4096), 0);
	expect_refusal(p, "restore it from a backup");
}

static void
refuses_a_lost_file_with_its_journal_left(void **state)
{
	struct place *p = *state;
	char wal[128];

	snprintf(wal, sizeof(wal), "%s-wal", p->db);
	close(open(wal, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_null(seen_open(p->folder, &p->err));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_non_null(strstr(p->err.text, "is missing and"));
	assert_int_equal(access(p->db, F_OK), -1);
}

static void
needs_its_folder(void **state)
{
	struct place *p = *state;

	assert_null(seen_open("/nowhere/at/all", &p->err));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_non_null(strstr(p->err.text, "/nowhere/at/all/state.db"));
}

static void
begins_anew_after_an_unfinished_creation(void **state)
{
	struct place *p = *state;
	char half[128];
	int fd;

	snprintf(half, sizeof(half), "%s.new", p->db);
	fd = open(half, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	make_state(p);
	assert_int_equal(access(half, F_OK), -1);
}

static void
committed_means_committed(void **state)
{
	struct place *p = *state;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		open_it(p);
		begin(p);
		put(p, OFFICE, SLICE("committed"), SEEN_INJECTED);
		commit(p);
		begin(p);
		put(p, OFFICE, SLICE("not"), SEEN_INJECTED);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	open_it(p);
	assert_int_equal(
	    status_of(p, OFFICE, SLICE("committed")), SEEN_INJECTED);
	assert_int_equal(status_of(p, OFFICE, SLICE("not")), SEEN_NEW);
}

static void
another_may_read_meanwhile(void **state)
{
	struct place *p = *state;
	uint64_t count[SEEN_STATUSES];
	struct seen *reader;

	make_state(p);
	open_it(p);
	begin(p);
	assert_true(put(p, OFFICE, SLICE("b"), SEEN_INJECTED));
	reader = seen_open(p->folder, &p->err);
	assert_non_null(reader);
	assert_true(seen_count(reader, OFFICE, count, &p->err));
	assert_int_equal(count[SEEN_INJECTED], 1);
	commit(p);
	assert_true(seen_count(reader, OFFICE, count, &p->err));
	assert_int_equal(count[SEEN_INJECTED], 2);
	seen_close(reader);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(remembers_over_a_restart),
		TEST(uids_are_opaque_bytes),
		TEST(rollback_undoes_the_group),
		TEST(refuses_changes_outside_a_group),
		TEST(refuses_a_status_or_account_it_does_not_know),
		TEST(a_mailbox_belongs_to_one_host_and_user),
		TEST(refuses_a_newer_version),
		TEST(refuses_an_empty_file),
		TEST(refuses_a_foreign_file),
		TEST(refuses_a_database_without_our_tables),
		TEST(refuses_damaged_pages),
		TEST(refuses_a_cut_file),
		TEST(refuses_a_lost_file_with_its_journal_left),
		TEST(needs_its_folder),
		TEST(begins_anew_after_an_unfinished_creation),
		TEST(committed_means_committed),
		TEST(another_may_read_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
