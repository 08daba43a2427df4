/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/seen_place.h"

#include "base/clock.h"
#include "base/file.h"
#include "state/seen_revise.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A state with one injected message, closed. */
static void
make_state(struct place *p)
{
	place_open(p);
	place_begin(p, OFFICE);
	assert_true(place_put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	place_commit(p);
	place_close(p);
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
	place_open(p);
	assert_true(seen_get(p->seen, OFFICE, SLICE("a"), &row, &p->err));
	assert_int_equal(row.status, SEEN_INJECTED);
	assert_int_equal(row.injected_ms, 7);
	assert_int_equal(row.tries, 3);
	assert_true(row.size == INT64_MAX);
	assert_int_equal(place_status(p, OFFICE, SLICE("b")), SEEN_NEW);
	assert_int_equal(place_status(p, "yaml:other", SLICE("a")), SEEN_NEW);
}

static void
uids_are_opaque_bytes(void **state)
{
	static const uint8_t odd[] = { 0, '\'', 0xff, '\n', 0 };
	uint8_t longest[SEEN_UID_MAX + 1];
	struct place *p = *state;
	struct slice uid = { odd, sizeof(odd) };

	place_open(p);
	place_begin(p, OFFICE);
	assert_true(place_put(p, OFFICE, uid, SEEN_PARKED));
	assert_int_equal(place_status(p, OFFICE, uid), SEEN_PARKED);
	assert_int_equal(
	    place_status(p, OFFICE, slice_first(uid, 4)), SEEN_NEW);
	memset(longest, 'x', sizeof(longest));
	uid = (struct slice){ longest, SEEN_UID_MAX };
	assert_true(place_put(p, OFFICE, uid, SEEN_RETRY));
	assert_int_equal(place_status(p, OFFICE, uid), SEEN_RETRY);
	uid.len++;
	assert_false(place_put(p, OFFICE, uid, SEEN_RETRY));
	assert_int_equal(p->err.kind, ERROR_PROTOCOL);
	assert_false(place_put(p, OFFICE, SLICE(""), SEEN_RETRY));
	place_commit(p);
}

static void
rollback_undoes_the_group(void **state)
{
	struct place *p = *state;

	place_open(p);
	place_begin(p, OFFICE);
	place_commit(p);
	place_begin(p, OFFICE);
	assert_true(place_put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	seen_rollback(p->seen);
	seen_rollback(p->seen);
	assert_int_equal(place_status(p, OFFICE, SLICE("a")), SEEN_NEW);
}

static void
refuses_changes_outside_a_group(void **state)
{
	struct place *p = *state;

	place_open(p);
	place_begin(p, OFFICE);
	place_commit(p);
	assert_false(place_put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	assert_int_equal(p->err.kind, ERROR_LOCAL);
	assert_false(seen_commit(p->seen, &p->err));
	assert_int_equal(place_status(p, OFFICE, SLICE("a")), SEEN_NEW);
}

static void
refuses_a_status_or_account_it_does_not_know(void **state)
{
	struct place *p = *state;

	place_open(p);
	place_begin(p, OFFICE);
	assert_false(place_put(p, OFFICE, SLICE("a"), SEEN_NEW));
	assert_false(place_put(p, "yaml:nobody", SLICE("a"), SEEN_INJECTED));
	place_commit(p);
}

static void
a_mailbox_belongs_to_one_host_and_user(void **state)
{
	struct place *p = *state;
	struct seen_mailbox m;

	make_state(p);
	place_open(p);
	m = place_mailbox(p, OFFICE, "POP.isp.example", "box17");
	assert_true(m.known);
	assert_false(m.foreign);
	m = place_mailbox(p, OFFICE, "pop.isp.example", "Box17");
	assert_true(m.foreign);
	assert_string_equal(m.owner, "user box17 at pop.isp.example");
	m = place_mailbox(p, OFFICE, "pop.isp.exampl", "box17");
	assert_true(m.foreign);
	m = place_mailbox(p, "yaml:other", "pop.isp.example", "box17");
	assert_false(m.known || m.foreign);
	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_mailbox_claim(p->seen, OFFICE, "new", "u", &p->err));
	assert_true(seen_mailbox_expect(p->seen, "yaml:more", &p->err));
	place_commit(p);
	m = place_mailbox(p, OFFICE, "new", "u");
	assert_false(m.foreign);
	/* Imported: nobody knows whose it was. */
	m = place_mailbox(p, "yaml:more", "any", "u");
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
	place_close(p);
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

	place_open(p);
	place_begin(p, OFFICE);
	for (int i = 0; i < 2000; i++) {
		char uid[16];

		snprintf(uid, sizeof(uid), "uid-%d", i);
		assert_true(place_put(p, OFFICE, slice_of(uid), SEEN_INJECTED));
	}
	place_commit(p);
	place_close(p);
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
		place_open(p);
		place_begin(p, OFFICE);
		place_put(p, OFFICE, SLICE("committed"), SEEN_INJECTED);
		place_commit(p);
		place_begin(p, OFFICE);
		place_put(p, OFFICE, SLICE("not"), SEEN_INJECTED);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	place_open(p);
	assert_int_equal(
	    place_status(p, OFFICE, SLICE("committed")), SEEN_INJECTED);
	assert_int_equal(place_status(p, OFFICE, SLICE("not")), SEEN_NEW);
}

static void
another_may_read_meanwhile(void **state)
{
	struct place *p = *state;
	uint64_t count[SEEN_STATUSES];
	struct seen *reader;

	make_state(p);
	place_open(p);
	place_begin(p, OFFICE);
	assert_true(place_put(p, OFFICE, SLICE("b"), SEEN_INJECTED));
	reader = seen_open(p->folder, &p->err);
	assert_non_null(reader);
	assert_true(seen_count(reader, OFFICE, count, &p->err));
	assert_int_equal(count[SEEN_INJECTED], 1);
	place_commit(p);
	assert_true(seen_count(reader, OFFICE, count, &p->err));
	assert_int_equal(count[SEEN_INJECTED], 2);
	seen_close(reader);
}

int
main(void)
{
#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, place_set_up, place_tear_down)
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
