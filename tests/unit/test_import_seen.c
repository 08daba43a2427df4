/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State files of the old programs, as lines for `mailhaul seen import`.
 */
#include "tests/support/scratch.h"

#include "tests/support/import_text.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static char folder[SCRATCH_SIZE];

static int
make_folder(void **state)
{
	*state = folder;
	scratch_make(folder);
	return 0;
}

static char *
seen_of(struct import *import, enum import_state state, const char *path)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	import_seen(import, state, path, out);
	fclose(out);
	return text;
}

static void
test_fetchids(void **state)
{
	struct import import;
	char *text, *report;
	int status;

	(void)state;
	scratch_put(folder, "fetchids",
	    SLICE("u@h.example UID-1\n"
		  "a b@c@h.example  1@2 3\n"
		  "u@h.example 100%\n"
		  "x@h.example 7\n"
		  "nonsense\n"),
	    0600);
	import_text(&import, import_fetchmailrc,
	    "poll h.example via v.example proto pop3 user u user 'a b@c' "
	    "poll none.example proto pop3 user w");
	text = seen_of(
	    &import, IMPORT_STATE_FETCHIDS, scratch_path(folder, "fetchids"));
	assert_string_equal(text, "# ACCOUNT[/FOLDER], UID, state, time\n"
				  "h.example-u\tUID-1\tinjected\t-\n"
				  "a-b@c\t1@2%203\tinjected\t-\n"
				  "h.example-u\t100%25\tinjected\t-\n");
	report = import_text_report(&import, "rc", &status);
	assert_non_null(strstr(report,
	    "fetchids:4: dropped: this line, and 1 more like it, belong to no "
	    "account"));
	assert_non_null(strstr(report,
	    "taken: account h.example-u: 2 messages are not collected again"));
	assert_non_null(strstr(report, "mailhaul seen baseline none.example"));
	free(report);
	free(text);
	import_clear(&import);
}

static void
test_uidls(void **state)
{
	struct import import;
	char *text, *report;
	int status;

	(void)state;
	scratch_put(folder, "uidls",
	    SLICE(" 2 h.example u v\nA-1\nA-2 1700000000\n"
		  " 1 other.example u\nB-1\n"
		  " 1 h.example w\nC-1\n"),
	    0600);
	import_text(&import, import_mpoprc,
	    "account one\nhost h.example\nuser u v\n"
	    "account two\nhost h.example\nuser w\n");
	text =
	    seen_of(&import, IMPORT_STATE_UIDLS, scratch_path(folder, "uidls"));
	assert_string_equal(text, "# ACCOUNT[/FOLDER], UID, state, time\n"
				  "one\tA-1\tinjected\t-\n"
				  "one\tA-2\tinjected\t2023-11-14T22:13:20Z\n"
				  "two\tC-1\tinjected\t-\n");
	report = import_text_report(&import, "rc", &status);
	assert_non_null(strstr(report, "uidls:5: dropped: this line, and 0"));
	free(report);
	free(text);
	import_clear(&import);
}

/* mpop has a file for each account, of which some may not be there yet. */
static void
test_uidls_folder(void **state)
{
	struct import import;
	char *text;

	(void)state;
	scratch_put(
	    folder, "u_at_h.example", SLICE(" 1 h.example u\nA\n"), 0600);
	scratch_put(folder, "other", SLICE(" 1 h.example w\nB\n"), 0600);
	import_text(&import, import_mpoprc,
	    "account one\nhost h.example\nuser u\n"
	    "account two\nhost h.example\nuser w\nuidls_file ~/x/other\n"
	    "account three\nhost h.example\nuser x\n");
	text = seen_of(&import, IMPORT_STATE_UIDLS, folder);
	assert_non_null(strstr(text, "\none\tA\tinjected\t-\n"));
	assert_non_null(strstr(text, "\ntwo\tB\tinjected\t-\n"));
	free(text);
	import_clear(&import);
}

static void
test_oldmail_pop3(void **state)
{
	struct import import;
	char *text;

	(void)state;
	scratch_put(folder, "oldmail-h.example-995-u-v",
	    SLICE("A\0"
		  "1700000000\nB-+-\0"
		  "1700000001\nnonsense\n"),
	    0600);
	scratch_put(folder, "oldmail-h.example-995-u-v-INBOX",
	    SLICE("C\0"
		  "1\n"),
	    0600);
	import_text(&import, import_getmailrc,
	    "[retriever]\ntype=SimplePOP3SSLRetriever\nserver=h.example\n"
	    "username=u:/v\n");
	text = seen_of(&import, IMPORT_STATE_OLDMAIL, folder);
	assert_string_equal(text,
	    "# ACCOUNT[/FOLDER], UID, state, time\n"
	    "u--v\tA\tinjected\t2023-11-14T22:13:20Z\n"
	    "u--v\tB-+-\tinjected\t2023-11-14T22:13:21Z\n"
	    "u--v\tB/+/\tinjected\t2023-11-14T22:13:21Z\n");
	assert_int_equal(import.accounts[0]->n_seen, 2);
	free(text);
	import_clear(&import);
}

static void
test_oldmail_imap(void **state)
{
	struct import import;
	char *text;

	(void)state;
	scratch_put(folder, "oldmail-i.example-993-u-inbox",
	    SLICE("76/1\0"
		  "0\n"),
	    0600);
	scratch_put(folder, "oldmail-i.example-993-u-Lists.one",
	    SLICE("77/5\0"
		  "1700000000\n77/Lists/6\0"
		  "0\nx/y\0"
		  "0\n"),
	    0600);
	import_text(&import, import_getmailrc,
	    "[retriever]\ntype=SimpleIMAPSSLRetriever\nserver=i.example\n"
	    "username=u\nmailboxes=('inbox', 'Lists/one')\n");
	text = seen_of(&import, IMPORT_STATE_OLDMAIL,
	    scratch_path(folder, "oldmail-i.example-993-u-Lists.one"));
	assert_string_equal(text,
	    "# ACCOUNT[/FOLDER], UID, state, time\n"
	    "u/Lists/one\t77.5\tinjected\t2023-11-14T22:13:20Z\n"
	    "u/Lists/one\t77.6\tinjected\t-\n");
	free(text);
	text = seen_of(&import, IMPORT_STATE_OLDMAIL,
	    scratch_path(folder, "oldmail-i.example-993-u-inbox"));
	assert_string_equal(text, "# ACCOUNT[/FOLDER], UID, state, time\n"
				  "u/INBOX\t76.1\tinjected\t-\n");
	free(text);
	import_clear(&import);
}

static void
test_missing_state(void **state)
{
	struct import import;
	char *text, *report;
	int status;

	(void)state;
	import_text(&import, import_fetchmailrc,
	    "poll h.example proto pop3 user u is x");
	text = seen_of(
	    &import, IMPORT_STATE_FETCHIDS, scratch_path(folder, "nothing"));
	report = import_text_report(&import, "rc", &status);
	assert_int_equal(status, EX_DATAERR);
	assert_non_null(strstr(report, "refused: "));
	free(report);
	free(text);
	import_clear(&import);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fetchids),
		cmocka_unit_test(test_uidls),
		cmocka_unit_test(test_uidls_folder),
		cmocka_unit_test(test_oldmail_pop3),
		cmocka_unit_test(test_oldmail_imap),
		cmocka_unit_test(test_missing_state),
	};

	return cmocka_run_group_tests(tests, make_folder, scratch_tear_down);
}
