/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include "base/clock.h"
#include "state/archive.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { HOUR_MS = 3600 * 1000 };

struct place {
	char folder[SCRATCH_SIZE];
	char path[128]; /* the last one that in() made */
	uint64_t removed;
	struct error err;
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
	struct place *p = calloc(1, sizeof(*p));

	scratch_make(p->folder);
	assert_int_equal(mkdir(in(p, "archive"), 0700), 0);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	scratch_remove(p->folder);
	free(p);
	return 0;
}

static void
make(struct place *p, const char *name, off_t size, int64_t age_ms)
{
	int64_t at_ms = clock_wall_ms() - age_ms;
	struct timespec times[2] = { { .tv_sec = at_ms / 1000 },
		{ .tv_sec = at_ms / 1000 } };
	int fd = open(in(p, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static bool
there(struct place *p, const char *name)
{
	return access(in(p, name), F_OK) == 0;
}

static void
takes_by_rename_and_counts_from_now(void **state)
{
	struct place *p = *state;
	char spool[128];
	struct stat st;

	make(p, "spooled", 10, 48 * HOUR_MS);
	snprintf(spool, sizeof(spool), "%s/spooled", p->folder);
	assert_true(archive_take(p->folder, "id-1", spool, &p->err));
	assert_false(there(p, "spooled"));
	assert_int_equal(stat(in(p, "archive/id-1"), &st), 0);
	assert_true(clock_wall_ms() / 1000 - st.st_mtim.tv_sec < 60);
}

static void
tells_what_cannot_be_taken(void **state)
{
	struct place *p = *state;

	assert_false(archive_take(p->folder, "id-1", "/nowhere", &p->err));
	assert_int_equal(p->err.kind, ERROR_LOCAL);
	assert_non_null(strstr(p->err.text, "archive/id-1: No such file"));
}

static void
removes_what_is_old(void **state)
{
	struct place *p = *state;

	make(p, "archive/old", 10, 3 * HOUR_MS);
	make(p, "archive/young", 10, HOUR_MS);
	make(p, "archive/future", 10, -HOUR_MS);
	assert_true(
	    archive_expire(p->folder, 2 * HOUR_MS, 1000, &p->removed, &p->err));
	assert_int_equal(p->removed, 1);
	assert_false(there(p, "archive/old"));
	assert_true(there(p, "archive/young"));
	assert_true(there(p, "archive/future"));
}

static void
removes_the_oldest_above_the_size(void **state)
{
	struct place *p = *state;

	make(p, "archive/b", 400, 2 * HOUR_MS);
	make(p, "archive/a", 400, HOUR_MS);
	make(p, "archive/c", 400, 3 * HOUR_MS);
	assert_true(
	    archive_expire(p->folder, 9 * HOUR_MS, 1200, &p->removed, &p->err));
	assert_int_equal(p->removed, 0);
	assert_true(
	    archive_expire(p->folder, 9 * HOUR_MS, 1199, &p->removed, &p->err));
	assert_int_equal(p->removed, 1);
	assert_false(there(p, "archive/c"));
	assert_true(
	    archive_expire(p->folder, 9 * HOUR_MS, 400, &p->removed, &p->err));
	assert_int_equal(p->removed, 1);
	assert_true(there(p, "archive/a"));
}

static void
keeping_nothing_empties_it(void **state)
{
	struct place *p = *state;

	make(p, "archive/a", 400, 0);
	assert_true(archive_expire(p->folder, 0, 1000, &p->removed, &p->err));
	assert_int_equal(p->removed, 1);
	assert_false(there(p, "archive/a"));
}

static void
tells_when_the_folder_is_missing(void **state)
{
	struct place *p = *state;

	assert_false(archive_expire("/nowhere", 0, 1000, &p->removed, &p->err));
	assert_int_equal(p->err.kind, ERROR_LOCAL);
}

/* The folder belongs to a user with fewer rights than its readers may have. */
static void
what_lies_there_is_opened_without_surprise(void **state)
{
	struct place *p = *state;
	int fd;

	make(p, "archive/a", 400, 0);
	assert_true(archive_open(p->folder, "a", &fd, &p->err));
	close(fd);
	assert_false(archive_open(p->folder, "none", &fd, &p->err));
	assert_int_equal(p->err.kind, ERROR_REFUSED);
	assert_false(archive_open(p->folder, "../archive/a", &fd, &p->err));
	assert_int_equal(p->err.kind, ERROR_REFUSED);
	assert_int_equal(symlink("a", in(p, "archive/link")), 0);
	assert_false(archive_open(p->folder, "link", &fd, &p->err));
	assert_int_equal(p->err.kind, ERROR_LOCAL);
	assert_int_equal(mkfifo(in(p, "archive/pipe"), 0600), 0);
	alarm(10);
	assert_true(archive_open(p->folder, "pipe", &fd, &p->err));
	alarm(0);
	close(fd);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(takes_by_rename_and_counts_from_now),
		TEST(tells_what_cannot_be_taken),
		TEST(removes_what_is_old),
		TEST(removes_the_oldest_above_the_size),
		TEST(keeping_nothing_empties_it),
		TEST(tells_when_the_folder_is_missing),
		TEST(what_lies_there_is_opened_without_surprise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
