/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fetcher/readiness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	struct loop *loop;
	struct readiness *readiness;
	int kept_stderr;
	FILE *log;
	bool ready;
	struct error reason;
};

static int
set_up(void **state)
{
	static const char text[] =
	    "postmaster: postmaster@example.org\n"
	    "accepted_domains: [example.org]\n"
	    "inject: {require_milter: false, postconf: /nonexistent}\n"
	    "accounts: []\n";
	struct place *p = mem_new(sizeof(*p));
	char path[] = "/tmp/test_readiness.XXXXXX";
	struct config *config;
	int fd = mkstemp(path);

	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	config = config_load(path, NULL);
	unlink(path);
	assert_non_null(config);
	p->loop = loop_new();
	p->readiness = readiness_new(p->loop, config);
	config_unref(config);
	p->log = tmpfile();
	p->kept_stderr = dup(STDERR_FILENO);
	dup2(fileno(p->log), STDERR_FILENO);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	dup2(p->kept_stderr, STDERR_FILENO);
	close(p->kept_stderr);
	fclose(p->log);
	readiness_free(p->readiness);
	loop_free(p->loop);
	free(p);
	return 0;
}

static void
on_answer(void *arg, bool ready, const struct error *reason)
{
	struct place *p = arg;

	p->ready = ready;
	if (!ready)
		p->reason = *reason;
	loop_stop(p->loop);
}

static bool
ask(struct place *p)
{
	readiness_ask(p->readiness, on_answer, p);
	loop_run(p->loop);
	return p->ready;
}

static void
fault(struct place *p, const char *text)
{
	struct error err;

	error_set(&err, ERROR_LOCAL, "%s", text);
	readiness_fault(p->readiness, &err);
}

/* How often the log has these words. */
static int
logged(struct place *p, const char *words)
{
	char line[4096];
	int n = 0;

	rewind(p->log);
	while (fgets(line, sizeof(line), p->log) != NULL)
		n += strstr(line, words) != NULL;
	return n;
}

static void
what_fails_during_a_pause_does_not_make_it_longer(void **state)
{
	struct place *p = *state;

	assert_true(ask(p));
	fault(p, "disk full");
	fault(p, "no sendmail");
	fault(p, "no sendmail");
	assert_false(ask(p));
	assert_string_equal(p->reason.text, "no sendmail");
	assert_int_equal(logged(p, "disk full; collecting pauses for 5 s"), 1);
	assert_int_equal(
	    logged(p, "no sendmail; collecting pauses for 5 s"), 1);
	assert_int_equal(logged(p, "pauses for"), 2);
}

static void
what_works_ends_the_pause(void **state)
{
	struct place *p = *state;

	fault(p, "disk full");
	readiness_works(p->readiness);
	assert_true(ask(p));
	fault(p, "disk full");
	assert_false(ask(p));
	assert_int_equal(logged(p, "disk full; collecting pauses for 5 s"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_fails_during_a_pause_does_not_make_it_longer),
		TEST(what_works_ends_the_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
