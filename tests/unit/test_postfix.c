/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/file.h"
#include "fetcher/postfix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OURS "unix:/var/spool/postfix/mailhaul/milter.sock"

#define OUTPUT                                                                 \
	"message_size_limit = 10240000\n"                                      \
	"hopcount_limit = 50\n"                                                \
	"queue_directory = /var/spool/postfix\n"                               \
	"smtpd_milters = inet:localhost:11332\n"

static const struct postfix_question by_sendmail = { .milter_socket = OURS };

static void
reads_the_output_of_postconf(void **state)
{
	struct postfix_facts facts;
	struct error err;

	(void)state;
	assert_true(postfix_read(SLICE(OUTPUT "non_smtpd_milters = unix:a, "
					      "unix:mailhaul/milter.sock\n"),
	    &by_sendmail, &facts, &err));
	assert_int_equal(facts.message_size_limit, 10240000);
	assert_int_equal(facts.hopcount_limit, 50);
	assert_true(facts.has_milter);
	assert_true(postfix_read(
	    SLICE(OUTPUT "non_smtpd_milters =\n"), &by_sendmail, &facts, &err));
	assert_false(facts.has_milter);
	/* A value may hold "=". */
	assert_true(postfix_read(
	    SLICE(OUTPUT "non_smtpd_milters = { unix:mailhaul/milter.sock, "
			 "default_action = tempfail }"),
	    &by_sendmail, &facts, &err));
	assert_true(facts.has_milter);
}

#define LISTENERS                                                              \
	"smtp/inet/smtpd_milters = unix:mailhaul/milter.sock\n"                \
	"127.0.0.1:10025/inet/smtpd_milters = unix:mailhaul/milter.sock\n"     \
	"10026/inet/smtpd_milters = unix:mailhaul/milter.sock\n"               \
	"other/unix/smtpd_milters = unix:mailhaul/milter.sock\n"               \
	"mailhaul/unix/smtpd_milters = unix:mailhaul/milter.sock\n"            \
	"mailhaul/unix/smtpd_milters_x =\n"                                    \
	"none/unix/smtpd_milters =\n"

static void
reads_the_milters_of_the_listener(void **state)
{
	static const struct {
		const char *listener;
		uint16_t port;
		bool found;
	} cases[] = {
		{ "/var/spool/postfix/public/mailhaul", 0, true },
		{ "/var/spool/postfix/public/none", 0, false },
		{ "/var/spool/postfix/public/10026", 0, false },
		/* As main.cf has it. */
		{ "/var/spool/postfix/public/absent", 0, false },
		{ NULL, 10025, true },
		{ NULL, 10026, true },
		{ NULL, 25, true },
		{ NULL, 10027, false },
	};
	struct postfix_facts facts;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct postfix_question question = {
			.milter_socket = OURS,
			.method = METHOD_SMTP,
			.listener = cases[i].listener,
			.port = cases[i].port,
		};

		assert_true(postfix_read(
		    SLICE(OUTPUT "non_smtpd_milters =\n" LISTENERS), &question,
		    &facts, &err));
		if (facts.has_milter != cases[i].found)
			fail_msg("case %zu", i);
	}
	assert_true(
	    postfix_read(SLICE("smtpd_milters = unix:mailhaul/milter.sock\n"
			       "queue_directory = /var/spool/postfix\n"
			       "message_size_limit = 1\nhopcount_limit = 50\n"
			       "non_smtpd_milters =\nx/unix/smtpd_milters =\n"),
		&(struct postfix_question){ OURS, METHOD_SMTP, "/public/y", 0 },
		&facts, &err));
	assert_true(facts.has_milter);
}

static void
names_what_postconf_did_not_tell(void **state)
{
	struct postfix_facts facts;
	struct error err;

	(void)state;
	assert_false(postfix_read(SLICE(OUTPUT), &by_sendmail, &facts, &err));
	assert_string_equal(
	    err.text, "postconf did not tell non_smtpd_milters");
	assert_false(
	    postfix_read(SLICE("message_size_limit = 10MB\n"
			       "hopcount_limit = 50\nqueue_directory = /q\n"
			       "smtpd_milters =\nnon_smtpd_milters = \n"),
		&by_sendmail, &facts, &err));
	assert_string_equal(
	    err.text, "postconf: message_size_limit = 10MB is not a number");
	assert_int_equal(err.kind, ERROR_CONFIG);
}

static bool
wants_smtputf8(const char *enabled, const char *classes)
{
	struct postfix_facts facts;
	struct error err;
	char text[512];

	snprintf(text, sizeof(text),
	    OUTPUT "non_smtpd_milters =\nsmtputf8_enable = %s\n"
		   "smtputf8_autodetect_classes = %s\n",
	    enabled, classes);
	assert_true(postfix_read(slice_of(text), &by_sendmail, &facts, &err));
	assert_int_equal(facts.smtputf8, strcmp(enabled, "yes") == 0);
	return facts.wants_smtputf8;
}

static void
knows_what_becomes_of_8_bit_headers(void **state)
{
	(void)state;
	assert_true(wants_smtputf8("yes", "sendmail, verify"));
	assert_true(wants_smtputf8("yes", "verify sendmail"));
	assert_true(wants_smtputf8("yes", "all"));
	assert_false(wants_smtputf8("yes", "verify"));
	assert_false(wants_smtputf8("yes", ""));
	assert_false(wants_smtputf8("no", "sendmail, verify"));
}

struct answer {
	struct loop *loop;
	bool known;
	struct postfix_facts facts;
	struct error err;
};

static void
on_answer(void *arg, bool known, const struct postfix_facts *facts,
    const struct error *err)
{
	struct answer *a = arg;

	a->known = known;
	if (known)
		a->facts = *facts;
	else
		a->err = *err;
	loop_stop(a->loop);
}

static void
runs_postconf(void **state)
{
	char folder[] = "/tmp/test_postfix.XXXXXX", path[64];
	struct answer a = { .loop = loop_new() };
	struct config config = { .milter.socket = OURS,
		.inject.postconf = path };

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/postconf", folder);
	assert_true(file_replace(path,
	    SLICE("#!/bin/sh\n"
		  "if [ \"$1\" = -Px ]; then\n"
		  "  [ \"$*\" = '-Px */*/smtpd_milters' ] || exit 9\n"
		  "  echo mailhaul/unix/smtpd_milters = "
		  "unix:mailhaul/milter.sock\n"
		  "  exit 0\n"
		  "fi\n"
		  "[ \"$1\" = -x ] || exit 9\n"
		  "shift\n"
		  "for name; do case $name in\n"
		  "queue_directory) echo \"$name = /var/spool/postfix\";;\n"
		  "non_smtpd_milters)\n"
		  "  echo \"$name = unix:mailhaul/milter.sock\";;\n"
		  "*) echo \"$name = 77\";;\n"
		  "esac; done\n"),
	    0700, &a.err));
	postfix_ask(a.loop, &config, on_answer, &a);
	loop_run(a.loop);
	assert_true(a.known);
	assert_int_equal(a.facts.message_size_limit, 77);
	assert_true(a.facts.has_milter);

	config.inject.method = METHOD_SMTP;
	config.inject.smtp.socket = "/public/mailhaul";
	postfix_ask(a.loop, &config, on_answer, &a);
	config.inject.smtp.socket = NULL;
	loop_run(a.loop);
	assert_true(a.known);
	assert_true(a.facts.has_milter);

	assert_true(file_replace(path,
	    SLICE("#!/bin/sh\necho 'postconf: fatal: no main.cf' >&2; exit 1"),
	    0700, &a.err));
	postfix_ask(a.loop, &config, on_answer, &a);
	loop_run(a.loop);
	assert_false(a.known);
	assert_non_null(
	    strstr(a.err.text, ": exit status 1: postconf: fatal: no main.cf"));

	unlink(path);
	postfix_ask(a.loop, &config, on_answer, &a);
	loop_run(a.loop);
	assert_false(a.known);
	assert_non_null(strstr(a.err.text, "cannot run /tmp/"));
	rmdir(folder);
	loop_free(a.loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_output_of_postconf),
		cmocka_unit_test(reads_the_milters_of_the_listener),
		cmocka_unit_test(names_what_postconf_did_not_tell),
		cmocka_unit_test(knows_what_becomes_of_8_bit_headers),
		cmocka_unit_test(runs_postconf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
