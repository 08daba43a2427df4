/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "admin/setup_record.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OURS                                                                   \
	"{ unix:mailhaul/milter.sock, default_action=tempfail, "               \
	"connect_timeout=5s, command_timeout=30s, content_timeout=60s }"
#define CLASSES "resource, software"

static struct setup_facts
facts_of(const char *milters, const char *classes, const char *listener)
{
	struct setup_facts facts = {
		.now = {
			[SETUP_MILTERS] = { milters,
				milters == NULL ? "" : milters },
			[SETUP_CLASSES] = { classes,
				classes == NULL ? CLASSES : classes },
			[SETUP_UTF8] = { "verify", "verify" },
			[SETUP_LISTENER] = { listener, NULL },
		},
		.smtpd_milters = "",
		.chroot = "y",
		.place = { "unix:/var/spool/postfix/mailhaul/milter.sock",
			SLICE("/var/spool/postfix") },
	};

	return facts;
}

static const char *
after(const struct setup_changes *changes, enum setup_setting setting)
{
	for (size_t i = 0; i < changes->n; i++)
		if (changes->list[i].setting == setting)
			return changes->list[i].after;
	return "unchanged";
}

static void
plans_main_cf(void **state)
{
	static const struct {
		const char *milters, *classes, *milters_after, *classes_after;
	} cases[] = {
		{ NULL, NULL, OURS, "bounce, 2bounce, " CLASSES },
		{ "", "", OURS, "bounce, 2bounce" },
		{ "inet:a:1", "bounce, policy", OURS ", inet:a:1",
		    "2bounce, bounce, policy" },
		{ OURS, "2bounce BOUNCE", "unchanged", "unchanged" },
		{ OURS ", inet:a:1", "bounces", "unchanged",
		    "bounce, 2bounce, bounces" },
	};
	struct setup_changes changes;
	struct setup_facts facts;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		facts = facts_of(cases[i].milters, cases[i].classes, NULL);
		setup_plan(&facts, false, &changes);
		assert_string_equal(
		    after(&changes, SETUP_MILTERS), cases[i].milters_after);
		assert_string_equal(
		    after(&changes, SETUP_CLASSES), cases[i].classes_after);
		assert_string_equal(
		    after(&changes, SETUP_LISTENER), "unchanged");
		setup_changes_clear(&changes);
	}
}

static void
plans_smtputf8(void **state)
{
	static const struct {
		const char *text, *all, *after;
	} cases[] = {
		{ NULL, "sendmail, verify", "verify" },
		{ "all", "all", "verify" },
		{ "$mine", "verify,sendmail", "verify" },
		{ "verify", "verify", "unchanged" },
		{ "", "", "unchanged" },
	};
	struct setup_changes changes;
	struct setup_facts facts = facts_of(OURS, "bounce, 2bounce", NULL);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		facts.now[SETUP_UTF8].text = cases[i].text;
		facts.now[SETUP_UTF8].all = cases[i].all;
		setup_plan(&facts, false, &changes);
		assert_string_equal(
		    after(&changes, SETUP_UTF8), cases[i].after);
		setup_changes_clear(&changes);
	}
}

static void
accepts_another_parameter_that_names_us(void **state)
{
	struct setup_facts facts = facts_of("$my_milters", "$my_classes", NULL);
	struct setup_changes changes;

	(void)state;
	facts.now[SETUP_MILTERS].all = OURS;
	facts.now[SETUP_CLASSES].all = "2bounce, bounce";
	setup_plan(&facts, false, &changes);
	assert_int_equal(changes.n, 0);
	/* Only half of it there: the reference stays. */
	facts.now[SETUP_CLASSES].all = "bounce";
	setup_plan(&facts, false, &changes);
	assert_string_equal(after(&changes, SETUP_MILTERS), "unchanged");
	assert_string_equal(
	    after(&changes, SETUP_CLASSES), "2bounce, $my_classes");
	setup_changes_clear(&changes);
}

/* What comes twice to the milter is taken apart twice. */
static void
names_our_milter_once(void **state)
{
	static const struct {
		const char *text, *all, *after;
	} cases[] = {
		{ "$smtpd_milters", "unix:mailhaul/milter.sock", OURS },
		{ "$smtpd_milters", "inet:a:1, " OURS, OURS ", inet:a:1" },
		{ OURS ", $smtpd_milters", OURS ", " OURS ", inet:a:1",
		    OURS ", inet:a:1" },
		{ "$a, $b", "inet:a:1, " OURS ", inet:b:1",
		    OURS ", inet:a:1, inet:b:1" },
		/* They name others only. */
		{ "$smtpd_milters", "inet:a:1", OURS ", $smtpd_milters" },
		{ "$smtpd_milters, unix:mailhaul/milter.sock",
		    "inet:a:1, unix:mailhaul/milter.sock",
		    OURS ", $smtpd_milters" },
		{ OURS ", $smtpd_milters", OURS ", inet:a:1", "unchanged" },
	};
	struct setup_facts facts = facts_of(NULL, "bounce, 2bounce", NULL);
	struct setup_changes changes;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		facts.now[SETUP_MILTERS].text = cases[i].text;
		facts.now[SETUP_MILTERS].all = cases[i].all;
		setup_plan(&facts, false, &changes);
		assert_string_equal(
		    after(&changes, SETUP_MILTERS), cases[i].after);
		setup_changes_clear(&changes);
	}
}

static void
plans_the_listener_once(void **state)
{
	struct setup_facts facts = facts_of(OURS, "bounce 2bounce", NULL);
	struct setup_changes changes, again;
	const char *line;

	(void)state;
	facts.smtpd_milters = "unix:mailhaul/milter.sock,\n  inet:rspamd:1";
	setup_plan(&facts, true, &changes);
	assert_int_equal(changes.n, 1);
	line = after(&changes, SETUP_LISTENER);
	assert_non_null(strstr(line, "mailhaul unix n - y - - smtpd -o "));
	assert_non_null(
	    strstr(line, "-o {smtpd_milters=" OURS ", inet:rspamd:1} -o "));
	assert_non_null(strstr(line,
	    " -o smtpd_recipient_restrictions=reject_unauth_destination "));
	facts.now[SETUP_LISTENER].text = line;
	setup_plan(&facts, true, &again);
	assert_int_equal(again.n, 0);
	/* Somebody put a filter into smtpd_milters since. */
	facts.smtpd_milters = "inet:dkim:1, inet:rspamd:1";
	setup_plan(&facts, true, &again);
	assert_int_equal(again.n, 1);
	setup_changes_clear(&again);
	setup_changes_clear(&changes);
}

/* `made` changed `before` into `made`; now it is `now`; undo makes `left`. */
static const struct undo_case {
	enum setup_setting setting;
	const char *before, *made, *now, *left;
} undos[] = {
	/* Nobody else: to the byte. */
	{ SETUP_UTF8, NULL, "verify", "verify", NULL },
	{ SETUP_UTF8, "all", "verify", "verify, notify", "verify, notify" },
	{ SETUP_MILTERS, NULL, OURS, OURS, NULL },
	{ SETUP_MILTERS, "", OURS, OURS, "" },
	{ SETUP_MILTERS, "inet:a:1,unix:mailhaul/milter.sock",
	    OURS ", inet:a:1", OURS ", inet:a:1",
	    "inet:a:1,unix:mailhaul/milter.sock" },
	{ SETUP_CLASSES, NULL, "bounce, 2bounce, " CLASSES,
	    "bounce, 2bounce, " CLASSES, NULL },
	{ SETUP_LISTENER, NULL, "made", "made", NULL },
	/* Changed since: only our part goes. */
	{ SETUP_MILTERS, NULL, OURS, OURS ", inet:b:1", "inet:b:1" },
	{ SETUP_MILTERS, "inet:a:1", OURS ", inet:a:1",
	    "inet:c:1, " OURS ", inet:a:1", "inet:c:1, inet:a:1" },
	{ SETUP_CLASSES, "bounce", "2bounce, bounce", "policy, 2bounce, bounce",
	    "policy, bounce" },
	{ SETUP_CLASSES, NULL, "bounce, 2bounce, " CLASSES,
	    "bounce 2bounce resource software data",
	    "resource, software, data" },
	{ SETUP_LISTENER, NULL, "made", "made -o more=yes", NULL },
	/* Taken out by hand: stays so. */
	{ SETUP_MILTERS, "inet:a:1", OURS ", inet:a:1", "inet:d:1",
	    "inet:d:1" },
	{ SETUP_MILTERS, "inet:a:1", OURS ", inet:a:1", NULL, NULL },
	{ SETUP_LISTENER, NULL, "made", NULL, NULL },
};

static void
assert_text(const char *is, const char *wanted)
{
	assert_int_equal(is == NULL, wanted == NULL);
	if (is != NULL)
		assert_string_equal(is, wanted);
}

static char *
copy(const char *text)
{
	return text == NULL ? NULL : mem_string(text);
}

static void
takes_back_what_was_made(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(undos) / sizeof(undos[0]); i++) {
		const struct undo_case *c = &undos[i];
		struct setup_facts facts = facts_of(NULL, NULL, NULL);
		struct setup_change made = { c->setting, copy(c->before),
			copy(c->made) };
		struct setup_change undo;

		facts.now[c->setting].text = c->now;
		if (setup_plan_undo(&facts, &made, &undo)) {
			assert_text(undo.before, c->now);
			assert_text(undo.after, c->left);
			setup_change_clear(&undo);
		} else {
			assert_text(c->now, c->left);
		}
		setup_change_clear(&made);
	}
}

static void
remembers_the_first_state(void **state)
{
	struct setup_changes made = { .n = 0 }, now;
	struct setup_facts facts = facts_of("inet:a:1", "bounce", NULL);

	(void)state;
	setup_plan(&facts, false, &now);
	setup_record_add(&made, &now, &facts);
	assert_int_equal(made.n, 2);
	assert_string_equal(made.list[0].before, "inet:a:1");
	setup_changes_clear(&now);
	/* The administrator moved ours back and added one. */
	facts = facts_of("inet:b:1, inet:a:1, " OURS, "2bounce, bounce", NULL);
	setup_plan(&facts, false, &now);
	assert_int_equal(now.n, 1);
	setup_record_add(&made, &now, &facts);
	assert_int_equal(made.n, 2);
	assert_string_equal(made.list[0].before, "inet:b:1, inet:a:1");
	assert_string_equal(made.list[0].after, OURS ", inet:b:1, inet:a:1");
	setup_changes_clear(&now);
	setup_changes_clear(&made);
}

static void
writes_and_reads_the_record(void **state)
{
	char folder[] = "/tmp/mailhaul-setup-XXXXXX", path[64];
	struct setup_facts facts = facts_of(NULL, "bounce", NULL);
	struct setup_changes made, read;
	struct error err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/record", folder);
	assert_true(setup_record_read(path, &read, &err));
	assert_int_equal(read.n, 0);
	setup_plan(&facts, true, &made);
	assert_true(setup_record_write(path, &made, &err));
	assert_true(setup_record_read(path, &read, &err));
	assert_int_equal(read.n, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(read.list[i].setting, made.list[i].setting);
		assert_text(read.list[i].before, made.list[i].before);
		assert_text(read.list[i].after, made.list[i].after);
	}
	setup_changes_clear(&read);
	setup_changes_clear(&made);
	assert_int_equal(truncate(path, 5), 0);
	assert_false(setup_record_read(path, &read, &err));
	assert_non_null(strstr(err.text, "is not a record of mailhaul setup"));
	unlink(path);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_main_cf),
		cmocka_unit_test(plans_smtputf8),
		cmocka_unit_test(accepts_another_parameter_that_names_us),
		cmocka_unit_test(names_our_milter_once),
		cmocka_unit_test(plans_the_listener_once),
		cmocka_unit_test(takes_back_what_was_made),
		cmocka_unit_test(remembers_the_first_state),
		cmocka_unit_test(writes_and_reads_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
