/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "fetcher/inject.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 300000 };

/* Scripts stand in for sendmail(1): they do what no real one can be made to. */
struct place {
	char folder[64];
	char sendmail[96], spool[96], seen[96];
	struct loop *loop;
	struct inject *inject;
	struct inject_settings settings;
	struct inject_job job;
	struct error err;
	enum inject_outcome outcome;
	int answers, awaited;
};

static void
write_file(const char *path, struct slice content, mode_t mode)
{
	struct error err;

	if (!file_replace(path, content, mode, &err))
		fail_msg("%s", err.text);
}

static void
on_done(void *arg, const struct inject_result *result)
{
	struct place *p = arg;

	p->outcome = result->outcome;
	if (result->outcome != INJECT_ACCEPTED)
		p->err = result->error;
	if (++p->answers == p->awaited)
		loop_stop(p->loop);
}

static int
set_up(void **state)
{
	struct place *p = mem_new(sizeof(*p));
	char *mail = mem_new(MESSAGE_SIZE);

	snprintf(p->folder, sizeof(p->folder), "/tmp/test_inject.XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->sendmail, sizeof(p->sendmail), "%s/sendmail", p->folder);
	snprintf(p->spool, sizeof(p->spool), "%s/spool", p->folder);
	snprintf(p->seen, sizeof(p->seen), "%s/seen", p->folder);
	memset(mail, 'x', MESSAGE_SIZE);
	write_file(p->spool,
	    (struct slice){ (const uint8_t *)mail, MESSAGE_SIZE }, 0600);
	free(mail);
	p->loop = loop_new();
	p->settings = (struct inject_settings){
		.sendmail = p->sendmail,
		.parallel = 1,
		.timeout_ms = 20000,
	};
	p->inject = inject_new(p->loop, &p->settings);
	p->job = (struct inject_job){
		.spool_path = p->spool,
		.sender = { "anna", "outside.example" },
		.recipient = { "office", "example.org" },
		.size = MESSAGE_SIZE,
		.done = on_done,
		.arg = p,
	};
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	inject_free(p->inject);
	loop_free(p->loop);
	unlink(p->sendmail);
	unlink(p->spool);
	unlink(p->seen);
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

/* The script runs in a shell; $D is the test's folder. */
static void
script(struct place *p, const char *body)
{
	char *text = NULL;
	int len = asprintf(&text, "#!/bin/sh\nD=%s\n%s\n", p->folder, body);

	assert_true(len > 0);
	write_file(p->sendmail, slice_of(text), 0700);
	free(text);
}

static void
await(struct place *p, int n)
{
	p->answers = 0;
	p->awaited = n;
	loop_run(p->loop);
}

static enum inject_outcome
inject_one(struct place *p)
{
	inject_submit(p->inject, &p->job);
	await(p, 1);
	return p->outcome;
}

static void
expect_seen(struct place *p, const char *expected)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	assert_true(file_read(p->seen, &b, &p->err));
	assert_string_equal(buf_string(&b), expected);
	buf_clear(&b);
}

static void
gives_the_file_and_exactly_these_arguments(void **state)
{
	struct place *p = *state;

	script(p, "for a in \"$@\"; do echo \"[$a]\"; done >$D/seen; "
		  "cat | cmp - $D/spool >>$D/seen 2>&1");
	assert_int_equal(inject_one(p), INJECT_ACCEPTED);
	expect_seen(p, "[-G]\n[-i]\n[-N]\n[never]\n[-f]\n"
		       "[anna@outside.example]\n[--]\n[office@example.org]\n");
}

static void
null_sender_is_an_empty_argument(void **state)
{
	struct place *p = *state;

	p->job.sender = (struct address){ "", "" };
	script(p, "echo \"[$6]\" >$D/seen; cat >/dev/null");
	assert_int_equal(inject_one(p), INJECT_ACCEPTED);
	expect_seen(p, "[]\n");
}

/* What ls sees is what the script got: files of the loop would be there. */
static void
child_inherits_nothing_of_the_loop(void **state)
{
	struct place *p = *state;

	script(p, "cat >/dev/null; ls -l /proc/self/fd >$D/all; "
		  "grep -c 'socket\\|anon_inode' $D/all >$D/seen; rm $D/all; "
		  "exit 0");
	assert_int_equal(inject_one(p), INJECT_ACCEPTED);
	expect_seen(p, "0\n");
}

static void
unread_message_is_no_success(void **state)
{
	struct place *p = *state;

	script(p, "head -c 1000 >/dev/null; exit 0");
	assert_int_equal(inject_one(p), INJECT_FAILED);
	assert_non_null(
	    strstr(p->err.text, "sendmail exited 0 but read only "));
	assert_non_null(strstr(p->err.text, " of 300000 bytes"));
}

static void
refusal_says_what_sendmail_said(void **state)
{
	char expected[256];
	struct place *p = *state;

	script(p, "echo 'sendmail: fatal: no' >&2; echo >&2; echo two >&2; "
		  "cat >/dev/null; exit 75");
	assert_int_equal(inject_one(p), INJECT_FAILED);
	snprintf(expected, sizeof(expected),
	    "%s: exit status 75: sendmail: fatal: no; two", p->sendmail);
	assert_string_equal(p->err.text, expected);
	assert_int_equal(p->err.kind, ERROR_REFUSED);
	script(p, "kill -9 $$");
	assert_int_equal(inject_one(p), INJECT_FAILED);
	assert_non_null(strstr(p->err.text, ": signal 9"));
}

static void
loud_sendmail_does_not_block(void **state)
{
	struct place *p = *state;

	script(p, "head -c 1000000 /dev/zero >&2; "
		  "head -c 1000000 /dev/zero; cat >/dev/null");
	assert_int_equal(inject_one(p), INJECT_ACCEPTED);
}

static void
missing_sendmail_is_a_local_fault(void **state)
{
	struct place *p = *state;

	assert_int_equal(inject_one(p), INJECT_LOCAL);
	assert_non_null(strstr(p->err.text, "cannot run "));
	assert_non_null(strstr(p->err.text, "No such file or directory"));
	script(p, "exit 0");
	assert_int_equal(chmod(p->sendmail, 0600), 0);
	assert_int_equal(inject_one(p), INJECT_LOCAL);
	assert_non_null(strstr(p->err.text, "Permission denied"));
	script(p, "exit 127");
	assert_int_equal(inject_one(p), INJECT_LOCAL);
	script(p, "exit 126");
	assert_int_equal(inject_one(p), INJECT_LOCAL);
	script(p, "exit 125");
	assert_int_equal(inject_one(p), INJECT_FAILED);
}

static void
hung_sendmail_is_killed_with_its_children(void **state)
{
	struct place *p = *state;
	int64_t before = clock_monotonic_ms();

	p->settings.timeout_ms = 300;
	inject_configure(p->inject, &p->settings);
	/* The grandchild holds standard error: unkilled, it would show. */
	script(p, "sleep 30 & wait");
	assert_int_equal(inject_one(p), INJECT_LOCAL);
	assert_non_null(strstr(p->err.text, "timed out and was killed"));
	assert_true(clock_monotonic_ms() - before < 25000);
}

static void
grandchild_with_the_pipe_does_not_hang_it(void **state)
{
	struct place *p = *state;
	int64_t before = clock_monotonic_ms();

	script(p, "cat >/dev/null; sleep 30 & exit 0");
	assert_int_equal(inject_one(p), INJECT_ACCEPTED);
	assert_true(clock_monotonic_ms() - before < 25000);
}

static void
changed_spool_file_is_not_handed_over(void **state)
{
	struct place *p = *state;
	struct stat st;

	script(p, "echo ran >$D/seen; cat >/dev/null");
	assert_int_equal(truncate(p->spool, MESSAGE_SIZE - 1), 0);
	assert_int_equal(inject_one(p), INJECT_LOCAL);
	assert_non_null(strstr(p->err.text, "300000 bytes"));
	unlink(p->spool);
	assert_int_equal(inject_one(p), INJECT_LOCAL);
	assert_non_null(strstr(p->err.text, "No such file"));
	assert_int_equal(symlink(p->sendmail, p->spool), 0);
	assert_int_equal(stat(p->spool, &st), 0);
	p->job.size = (uint64_t)st.st_size;
	assert_int_equal(inject_one(p), INJECT_LOCAL);
	assert_int_equal(access(p->seen, F_OK), -1);
}

static void
runs_no_more_than_allowed(void **state)
{
	struct place *p = *state;
	struct slice rest, line;
	struct buf b;
	int running = 0, most = 0;

	p->settings.parallel = 2;
	inject_configure(p->inject, &p->settings);
	/* The first waits for the second. */
	script(p, "echo begin >>$D/seen; cat >/dev/null; "
		  "until [ $(grep -c begin $D/seen) -ge 2 ]; do sleep 0.02; "
		  "done; sleep 0.1; echo end >>$D/seen");
	for (int i = 0; i < 7; i++)
		inject_submit(p->inject, &p->job);
	await(p, 7);
	buf_init(&b, 4096);
	assert_true(file_read(p->seen, &b, &p->err));
	/* Never three begun and not ended. */
	rest = buf_slice(&b);
	while (slice_cut_line(&rest, &line)) {
		running += slice_equal(line, SLICE("begin")) ? 1 : -1;
		most = running > most ? running : most;
	}
	buf_clear(&b);
	assert_int_equal(most, 2);
}

static void
order_is_that_of_submission(void **state)
{
	struct place *p = *state;
	char local[2] = "a";

	script(p, "cat >/dev/null; echo $8 >>$D/seen");
	for (; local[0] < 'e'; local[0]++) {
		snprintf(p->job.recipient.local, sizeof(p->job.recipient.local),
		    "%s", local);
		inject_submit(p->inject, &p->job);
	}
	await(p, 4);
	expect_seen(p, "a@example.org\nb@example.org\nc@example.org\n"
		       "d@example.org\n");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(gives_the_file_and_exactly_these_arguments),
		TEST(null_sender_is_an_empty_argument),
		TEST(child_inherits_nothing_of_the_loop),
		TEST(unread_message_is_no_success),
		TEST(refusal_says_what_sendmail_said),
		TEST(loud_sendmail_does_not_block),
		TEST(missing_sendmail_is_a_local_fault),
		TEST(hung_sendmail_is_killed_with_its_children),
		TEST(grandchild_with_the_pipe_does_not_hang_it),
		TEST(changed_spool_file_is_not_handed_over),
		TEST(runs_no_more_than_allowed),
		TEST(order_is_that_of_submission),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
