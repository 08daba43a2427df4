/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
	char folder[64];
	char file[96];
	char other[96];
	struct buf got;
	struct error err;
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	snprintf(p->folder, sizeof(p->folder), "/tmp/test_file.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->file, sizeof(p->file), "%s/file", p->folder);
	snprintf(p->other, sizeof(p->other), "%s/other", p->folder);
	buf_init(&p->got, 64);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	buf_clear(&p->got);
	unlink(p->file);
	unlink(p->other);
	/* Fails when a temporary file was left over. */
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
reads_whole_files(void **state)
{
	struct place *p = *state;

	put(p->file, "one\ntwo\n", 0644);
	assert_true(file_read(p->file, &p->got, &p->err));
	assert_string_equal(buf_string(&p->got), "one\ntwo\n");
}

static void
refuses_what_is_too_large(void **state)
{
	struct place *p = *state;
	char text[66] = "";

	memset(text, 'x', 64);
	put(p->file, text, 0644);
	assert_true(file_read(p->file, &p->got, &p->err));
	text[64] = 'x';
	put(p->file, text, 0644);
	buf_reset(&p->got);
	assert_false(file_read(p->file, &p->got, &p->err));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_non_null(strstr(p->err.text, "limit of 64 bytes"));
}

static void
refuses_what_is_no_file(void **state)
{
	struct place *p = *state;

	assert_false(file_read(p->file, &p->got, &p->err));
	assert_non_null(strstr(p->err.text, "/file: No such file"));
	assert_int_equal(mkfifo(p->file, 0600), 0);
	assert_false(file_read(p->file, &p->got, &p->err));
	assert_non_null(strstr(p->err.text, "not a regular file"));
}

static void
secret_loses_one_line_end(void **state)
{
	static const char *const cases[][2] = {
		{ "pass word", "pass word" },
		{ "a\n", "a" },
		{ "a\r\n", "a" },
		{ "a\n\n", "a\n" },
		{ "a \r", "a \r" },
		{ "\n", "" },
		{ "", "" },
	};
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put(p->file, cases[i][0], 0640);
		buf_reset(&p->got);
		assert_true(file_read_secret(p->file, &p->got, &p->err));
		assert_string_equal(buf_string(&p->got), cases[i][1]);
	}
}

static void
secret_keeps_what_stood_before_it(void **state)
{
	struct place *p = *state;

	buf_add_string(&p->got, "x\n");
	put(p->file, "", 0600);
	assert_true(file_read_secret(p->file, &p->got, &p->err));
	assert_string_equal(buf_string(&p->got), "x\n");
}

static void
secret_must_be_secret(void **state)
{
	static const mode_t open_modes[] = { 0644, 0604, 0660, 0602, 0620 };
	struct place *p = *state;

	for (size_t i = 0; i < sizeof(open_modes) / sizeof(mode_t); i++) {
		put(p->file, "secret", open_modes[i]);
		assert_false(file_read_secret(p->file, &p->got, &p->err));
		assert_int_equal(p->err.kind, ERROR_CONFIG);
		assert_non_null(strstr(p->err.text, "chmod 0640"));
		assert_int_equal(p->got.len, 0);
	}
}

static void
replace_is_whole_and_has_its_mode(void **state)
{
	struct place *p = *state;
	struct stat st;

	put(p->file, "old", 0644);
	assert_true(file_replace(p->file, SLICE("new"), 0640, &p->err));
	assert_true(file_read(p->file, &p->got, &p->err));
	assert_string_equal(buf_string(&p->got), "new");
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void
replace_does_not_follow_a_link(void **state)
{
	struct place *p = *state;

	put(p->other, "precious", 0644);
	assert_int_equal(symlink(p->other, p->file), 0);
	assert_true(file_replace(p->file, SLICE("new"), 0600, &p->err));
	assert_true(file_read(p->other, &p->got, &p->err));
	assert_string_equal(buf_string(&p->got), "precious");
}

static void
replace_needs_its_folder(void **state)
{
	struct place *p = *state;

	assert_false(
	    file_replace("/nowhere/at/all", SLICE("new"), 0600, &p->err));
	assert_int_equal(p->err.kind, ERROR_LOCAL);
}

static void
create_lets_the_first_win(void **state)
{
	struct place *p = *state;
	bool existed;

	assert_true(
	    file_create(p->file, SLICE("first"), 0640, &existed, &p->err));
	assert_false(existed);
	assert_true(
	    file_create(p->file, SLICE("second"), 0640, &existed, &p->err));
	assert_true(existed);
	assert_true(file_read(p->file, &p->got, &p->err));
	assert_string_equal(buf_string(&p->got), "first");
}

static void
create_does_not_follow_a_dangling_link(void **state)
{
	struct place *p = *state;
	bool existed;

	assert_int_equal(symlink(p->other, p->file), 0);
	assert_true(
	    file_create(p->file, SLICE("first"), 0640, &existed, &p->err));
	assert_true(existed);
	assert_int_equal(access(p->other, F_OK), -1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(reads_whole_files),
		TEST(refuses_what_is_too_large),
		TEST(refuses_what_is_no_file),
		TEST(secret_loses_one_line_end),
		TEST(secret_keeps_what_stood_before_it),
		TEST(secret_must_be_secret),
		TEST(replace_is_whole_and_has_its_mode),
		TEST(replace_does_not_follow_a_link),
		TEST(replace_needs_its_folder),
		TEST(create_lets_the_first_win),
		TEST(create_does_not_follow_a_dangling_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
