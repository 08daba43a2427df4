/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "fetcher/storage.h"
#include "state/seen_mailbox.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define OFFICE "yaml:office"

struct place {
	char folder[SCRATCH_SIZE];
	char path[128]; /* the last one that in() made */
	struct loop *loop;
	struct storage *storage;
	struct error err;
	int answers, awaited, accepted;
	bool ok; /* of the last answer */
};

static char *
in(struct place *p, const char *name)
{
	snprintf(p->path, sizeof(p->path), "%s/%s", p->folder, name);
	return p->path;
}

static int
set_up(void **state)
{
	struct place *p = mem_new(sizeof(*p));

	scratch_make(p->folder);
	p->loop = loop_new();
	p->storage = storage_start(p->loop, p->folder, &p->err);
	assert_non_null(p->storage);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	if (p->storage != NULL)
		storage_stop(p->storage);
	loop_free(p->loop);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static void
on_answer(void *arg, bool ok, const struct error *err)
{
	struct place *p = arg;

	p->ok = ok;
	p->accepted += ok;
	if (!ok)
		p->err = *err;
	if (++p->answers == p->awaited)
		loop_stop(p->loop);
}

static bool
await(struct place *p, int n)
{
	p->answers = p->accepted = 0;
	p->awaited = n;
	loop_run(p->loop);
	return p->ok;
}

static void
make(struct place *p, const char *name)
{
	int fd = open(in(p, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "mail", 4), 4);
	close(fd);
}

static bool
there(struct place *p, const char *name)
{
	return access(in(p, name), F_OK) == 0;
}

static void
submit_fate(struct place *p, const char *uid, const char *spool, bool archive)
{
	struct storage_fate fate = {
		.mailbox = OFFICE,
		.uid = slice_of(uid),
		.row = { .status = SEEN_INJECTED, .injected_ms = 5 },
		.id = uid,
		.reason = "",
		.archive = archive,
	};

	if (spool != NULL)
		fate.spool_path = in(p, spool);
	storage_record(p->storage, &fate, on_answer, p);
}

static struct storage_listing
listing_of(struct listed *entries, size_t n, const char *uids)
{
	struct storage_listing listing = {
		.mailbox = OFFICE,
		.host = "pop.isp.example",
		.user = "box17",
		.entries = entries,
		.n = n,
		.uids = (const uint8_t *)uids,
	};

	/* UIDs of one letter. */
	for (size_t i = 0; i < n; i++) {
		entries[i] = (struct listed){
			.number = (uint32_t)i + 1,
			.uid_offset = (uint32_t)i,
			.uid_len = 1,
		};
	}
	return listing;
}

static bool
list(struct place *p, struct listed *entries, const char *uids)
{
	struct storage_listing listing =
	    listing_of(entries, strlen(uids), uids);

	storage_compare(p->storage, &listing, on_answer, p);
	return await(p, 1);
}

static void
recorded_messages_are_known_in_the_next_listing(void **state)
{
	struct place *p = *state;
	struct listed entries[3];

	assert_true(list(p, entries, "abc"));
	for (int i = 0; i < 3; i++)
		assert_int_equal(entries[i].row.status, SEEN_NEW);
	submit_fate(p, "b", NULL, false);
	assert_true(await(p, 1));
	assert_true(list(p, entries, "cab"));
	assert_int_equal(entries[0].row.status, SEEN_NEW);
	assert_int_equal(entries[1].row.status, SEEN_NEW);
	assert_int_equal(entries[2].row.status, SEEN_INJECTED);
	assert_int_equal(entries[2].row.injected_ms, 5);
	/* A complete listing without it: forgotten. */
	assert_true(list(p, entries, "a"));
	assert_true(list(p, entries, "b"));
	assert_int_equal(entries[0].row.status, SEEN_NEW);
}

static void
twins_are_never_known(void **state)
{
	struct place *p = *state;
	struct listed entries[4];

	assert_true(list(p, entries, "ab"));
	submit_fate(p, "a", NULL, false);
	submit_fate(p, "b", NULL, false);
	assert_true(await(p, 2));
	assert_true(list(p, entries, "abca"));
	assert_true(entries[0].duplicate);
	assert_false(entries[1].duplicate);
	assert_false(entries[2].duplicate);
	assert_true(entries[3].duplicate);
	assert_int_equal(entries[0].row.status, SEEN_NEW);
	assert_int_equal(entries[1].row.status, SEEN_INJECTED);
	assert_int_equal(entries[3].row.status, SEEN_NEW);
	/* The one that is left may be the other one: it is new. */
	assert_true(list(p, entries, "a"));
	assert_false(entries[0].duplicate);
	assert_int_equal(entries[0].row.status, SEEN_NEW);
}

static void
another_mailbox_under_the_name_fails_alone(void **state)
{
	struct place *p = *state;
	struct listed entries[2], others[1];
	struct storage_listing moved = listing_of(others, 1, "b");

	assert_true(list(p, entries, "ab"));
	moved.user = "box18";
	submit_fate(p, "a", NULL, false);
	storage_compare(p->storage, &moved, on_answer, p);
	assert_false(await(p, 2));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_true(list(p, entries, "ab"));
	assert_int_equal(entries[0].row.status, SEEN_INJECTED);
}

static void
spool_files_are_archived_or_removed(void **state)
{
	struct place *p = *state;
	struct listed entries[2];
	struct stat st;

	assert_int_equal(stat(in(p, "archive"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(in(p, "spool"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_true(list(p, entries, "ab"));
	make(p, "spool/1");
	make(p, "spool/2");
	submit_fate(p, "a", "spool/1", true);
	submit_fate(p, "b", "spool/2", false);
	assert_true(await(p, 2));
	assert_false(there(p, "spool/1"));
	assert_false(there(p, "spool/2"));
	assert_true(there(p, "archive/a"));
	assert_false(there(p, "archive/b"));
	storage_expire(p->storage, 0, 0);
	make(p, "spool/3");
	storage_discard(p->storage, in(p, "spool/3"));
	assert_true(list(p, entries, "ab"));
	storage_stop(p->storage);
	p->storage = NULL;
	assert_false(there(p, "archive/a"));
	assert_false(there(p, "spool/3"));
}

static void
a_full_archive_does_not_undo_the_commit(void **state)
{
	struct place *p = *state;
	struct listed entries[1];

	assert_true(list(p, entries, "a"));
	assert_int_equal(rmdir(in(p, "archive")), 0);
	make(p, "spool/1");
	submit_fate(p, "a", "spool/1", true);
	assert_true(await(p, 1));
	assert_false(there(p, "spool/1"));
	assert_true(list(p, entries, "a"));
	assert_int_equal(entries[0].row.status, SEEN_INJECTED);
}

/* EFBIG stands for a full disk. */
static void
limit_files(rlim_t max)
{
	struct rlimit limit = { .rlim_cur = max, .rlim_max = RLIM_INFINITY };

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_failed_commit_fails_all_and_keeps_the_files(void **state)
{
	struct place *p = *state;
	struct listed entries[2];

	assert_true(list(p, entries, "ab"));
	make(p, "spool/1");
	make(p, "spool/2");
	limit_files(0);
	submit_fate(p, "a", "spool/1", true);
	submit_fate(p, "b", "spool/2", false);
	await(p, 2);
	limit_files(RLIM_INFINITY);
	assert_int_equal(p->accepted, 0);
	assert_int_equal(p->err.kind, ERROR_LOCAL);
	assert_non_null(strstr(p->err.text, "/state.db: "));
	assert_true(there(p, "spool/1"));
	assert_true(there(p, "spool/2"));
	assert_true(list(p, entries, "ab"));
	assert_int_equal(entries[0].row.status, SEEN_NEW);
	/* The disk has room again: the next try succeeds. */
	submit_fate(p, "a", "spool/1", true);
	assert_true(await(p, 1));
	assert_true(there(p, "archive/a"));
	assert_true(list(p, entries, "ab"));
	assert_int_equal(entries[0].row.status, SEEN_INJECTED);
}

static void
stop_finishes_what_was_submitted(void **state)
{
	struct place *p = *state;
	struct listed entries[1];
	char uid[12];

	assert_true(list(p, entries, "a"));
	p->answers = 0;
	for (int i = 0; i < 500; i++) {
		snprintf(uid, sizeof(uid), "%d", i);
		submit_fate(p, uid, NULL, false);
	}
	storage_stop(p->storage);
	assert_int_equal(p->answers, 0);
	p->storage = storage_start(p->loop, p->folder, &p->err);
	assert_non_null(p->storage);
	assert_true(list(p, entries, "7"));
	assert_int_equal(entries[0].row.status, SEEN_INJECTED);
}

static void
start_removes_remnants(void **state)
{
	struct place *p = *state;

	storage_stop(p->storage);
	make(p, "spool/left");
	make(p, "archive/kept");
	p->storage = storage_start(p->loop, p->folder, &p->err);
	assert_non_null(p->storage);
	assert_false(there(p, "spool/left"));
	assert_true(there(p, "archive/kept"));
}

static void
start_refuses_a_damaged_state_and_touches_nothing(void **state)
{
	struct place *p = *state;

	storage_stop(p->storage);
	make(p, "spool/left");
	assert_int_equal(truncate(in(p, "state.db"), 0), 0);
	p->storage = storage_start(p->loop, p->folder, &p->err);
	assert_null(p->storage);
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_true(there(p, "spool/left"));
}

/* All of them known; UIDs of 9 bytes. */
static void
compares_a_large_mailbox(void **state)
{
	enum { N = 100000, LEN = 9 };
	struct place *p = *state;
	struct listed *entries = mem_new_array(N, sizeof(*entries));
	struct storage_listing listing;
	char *uids = mem_new(N * LEN + 1);
	struct error *err = &p->err;
	int64_t before;
	struct seen *seen;

	storage_stop(p->storage);
	seen = seen_open(p->folder, err);
	assert_non_null(seen);
	assert_true(seen_begin(seen, err));
	assert_true(
	    seen_mailbox_claim(seen, OFFICE, "pop.isp.example", "box17", err));
	listing = listing_of(entries, N, uids);
	for (int i = 0; i < N; i++) {
		struct seen_entry entry = { .mailbox = OFFICE,
			.row = { .status = SEEN_INJECTED },
			.id = "id",
			.reason = "" };

		snprintf(uids + i * LEN, LEN + 1, "%09d", i * 7919 % N);
		entries[i].uid_offset = (uint32_t)(i * LEN);
		entries[i].uid_len = LEN;
		entry.uid = (struct slice){ listing.uids + i * LEN, LEN };
		assert_true(seen_put(seen, &entry, err));
	}
	assert_true(seen_commit(seen, err));
	seen_close(seen);
	p->storage = storage_start(p->loop, p->folder, err);
	assert_non_null(p->storage);
	before = clock_monotonic_ms();
	storage_compare(p->storage, &listing, on_answer, p);
	assert_true(await(p, 1));
	print_message("100000 compared in %lld ms\n",
	    (long long)(clock_monotonic_ms() - before));
	for (int i = 0; i < N; i++) {
		assert_int_equal(entries[i].row.status, SEEN_INJECTED);
		assert_false(entries[i].duplicate);
	}
	free(entries);
	free(uids);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(recorded_messages_are_known_in_the_next_listing),
		TEST(twins_are_never_known),
		TEST(another_mailbox_under_the_name_fails_alone),
		TEST(spool_files_are_archived_or_removed),
		TEST(a_full_archive_does_not_undo_the_commit),
		TEST(a_failed_commit_fails_all_and_keeps_the_files),
		TEST(stop_finishes_what_was_submitted),
		TEST(start_removes_remnants),
		TEST(start_refuses_a_damaged_state_and_touches_nothing),
		TEST(compares_a_large_mailbox),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
