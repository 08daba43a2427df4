/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/source.h"

#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char folder[64];
	char path[80];
	struct directory_source settings;
	void *source;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/directory-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/users.txt", f->folder);
	f->settings = (struct directory_source){ .kind = DIRECTORY_FILE,
		.file = f->path };
	f->source = source_file.open(NULL, &f->settings);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	source_file.close(f->source);
	unlink(f->path);
	rmdir(f->path);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void
write_users(const struct fixture *f, const char *text)
{
	FILE *out = fopen(f->path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static struct directory_answer
ask(const struct fixture *f, const char *text)
{
	struct directory_answer answer;
	struct address address;

	assert_int_equal(address_parse(slice_of(text), &address), ADDRESS_OK);
	source_file.lookup(f->source,
	    &(struct directory_question){ &address, 1, INT64_MAX }, &answer);
	return answer;
}

static void
test_lines(void **state)
{
	struct fixture *f = *state;

	write_users(f, "# staff\r\n\r\n"
		       "Anna@Example.org\r\n"
		       "  bert@example.org   # the boss\n"
		       "a#b@example.org\n"
		       "#carl@example.org\n"
		       "dora@B\xc3\xbc"
		       "cher.example\n"
		       "last@example.org");
	assert_int_equal(ask(f, "anna@example.org").existence, EXISTS);
	assert_int_equal(ask(f, "BERT@EXAMPLE.ORG").existence, EXISTS);
	assert_int_equal(ask(f, "a#b@example.org").existence, EXISTS);
	assert_int_equal(ask(f, "carl@example.org").existence, ABSENT);
	assert_int_equal(
	    ask(f, "dora@xn--bcher-kva.example").existence, EXISTS);
	assert_int_equal(ask(f, "last@example.org").existence, EXISTS);
	assert_int_equal(ask(f, "a@example.org").existence, ABSENT);
}

static void
test_bad_line_spoils_no_other(void **state)
{
	struct fixture *f = *state;

	write_users(f, "anna@example.org\nno address\nbert@example.org\n");
	assert_int_equal(ask(f, "anna@example.org").existence, EXISTS);
	assert_int_equal(ask(f, "bert@example.org").existence, EXISTS);
}

static void
test_byte_order_mark(void **state)
{
	struct fixture *f = *state;

	write_users(f, "\xef\xbb\xbf"
		       "anna@example.org\r\nbert@example.org\r\n");
	assert_int_equal(ask(f, "anna@example.org").existence, EXISTS);
	assert_int_equal(ask(f, "bert@example.org").existence, EXISTS);
}

/* A script that failed, a full disk: no empty company. */
static void
test_nobody_is_unknown(void **state)
{
	static const char *const cut[] = { "", "\n \r\n", "\xef\xbb\xbf",
		"no address\n", "# staff\nERROR: cannot connect\n" };
	struct fixture *f = *state;
	struct directory_answer answer;

	for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
		write_users(f, cut[i]);
		answer = ask(f, "anna@example.org");
		assert_int_equal(answer.existence, UNKNOWN);
		assert_non_null(strstr(answer.reason, "no address in it"));
	}
	write_users(f, "# nobody yet\n");
	assert_int_equal(ask(f, "anna@example.org").existence, ABSENT);
}

static void
test_missing_is_unknown(void **state)
{
	struct fixture *f = *state;
	struct directory_answer answer = ask(f, "anna@example.org");

	assert_int_equal(answer.existence, UNKNOWN);
	assert_non_null(strstr(answer.reason, f->path));
	assert_non_null(strstr(answer.reason, "No such file"));
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(ask(f, "anna@example.org").existence, UNKNOWN);
}

static void
test_goes_and_comes_back(void **state)
{
	struct fixture *f = *state;

	write_users(f, "anna@example.org\n");
	assert_int_equal(ask(f, "anna@example.org").existence, EXISTS);
	assert_int_equal(ask(f, "bert@example.org").existence, ABSENT);
	unlink(f->path);
	assert_int_equal(ask(f, "anna@example.org").existence, UNKNOWN);
	assert_int_equal(ask(f, "bert@example.org").existence, UNKNOWN);
	write_users(f, "bert@example.org\n");
	assert_int_equal(ask(f, "anna@example.org").existence, ABSENT);
	assert_int_equal(ask(f, "bert@example.org").existence, EXISTS);
}

/* Same length, and the modification time set back. */
static void
test_sees_each_change(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct timespec times[2];

	write_users(f, "anna@example.org\n");
	assert_int_equal(ask(f, "anna@example.org").existence, EXISTS);
	assert_int_equal(stat(f->path, &st), 0);
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	write_users(f, "bert@example.org\n");
	assert_int_equal(utimensat(AT_FDCWD, f->path, times, 0), 0);
	assert_int_equal(ask(f, "bert@example.org").existence, EXISTS);
	assert_int_equal(ask(f, "anna@example.org").existence, ABSENT);
}

struct writer {
	const char *path;
	int64_t longest_ms; /* between two lines */
};

/* A script that writes the list line by line, in place. */
static void *
rewrite_slowly(void *argument)
{
	struct writer *w = argument;
	FILE *out = fopen(w->path, "w");
	int64_t last_ms = clock_monotonic_ms();

	for (int i = 0; i < 10; i++) {
		int64_t before_ms = clock_monotonic_ms(), gap_ms;

		fprintf(out, "user%d@example.org\n", i);
		fflush(out);
		gap_ms = clock_monotonic_ms() - last_ms;
		if (gap_ms > w->longest_ms)
			w->longest_ms = gap_ms;
		last_ms = before_ms;
		usleep(40000);
	}
	fclose(out);
	return NULL;
}

static void
test_half_written_turns_nobody_away(void **state)
{
	struct fixture *f = *state;
	struct writer w = { .path = f->path };
	int64_t end_ms;
	unsigned absent = 0;
	pthread_t writer;

	write_users(f, "user9@example.org\n");
	assert_int_equal(ask(f, "user9@example.org").existence, EXISTS);
	pthread_create(&writer, NULL, rewrite_slowly, &w);
	for (end_ms = clock_monotonic_ms() + 600; clock_monotonic_ms() < end_ms;
	     usleep(5000))
		absent += ask(f, "user9@example.org").existence == ABSENT;
	pthread_join(writer, NULL);
	/* On a busy machine it may pause for longer than is waited. */
	assert_true(absent == 0 || w.longest_ms > 90);
	assert_int_equal(ask(f, "user9@example.org").existence, EXISTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_bad_line_spoils_no_other),
		TEST(test_byte_order_mark),
		TEST(test_nobody_is_unknown),
		TEST(test_missing_is_unknown),
		TEST(test_goes_and_comes_back),
		TEST(test_sees_each_change),
		TEST(test_half_written_turns_nobody_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
