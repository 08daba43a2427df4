/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/catch_all.h"
#include "base/mem.h"
#include "mail/header.h"

/* A message that mx.isp.example took from outside; `top` stands above. */
#define MAIL(top, id, rest)                                                    \
	top "Received: from mail.other.example (mail.other.example "           \
	    "[192.0.2.1])\n\tby mx.isp.example (Postfix) with ESMTPS id 2\n"   \
	    "Message-ID: <" id "@other.example>\n"                             \
	    "Date: Mon, 1 Jan 2024 10:00:00 +0100\n" rest
#define OFFICE                                                                 \
	"host: pop.isp.example, user: box17@isp.example, "                     \
	"password: {file: secret}"

struct fixture {
	char folder[SCRATCH_SIZE];
	struct config *config;
	struct directory *directory;
	struct catch_all *found;
	struct buf files[4];
	size_t n_files;
};

static int
set_up(void **state)
{
	struct fixture *f = mem_new(sizeof(*f));

	*state = f;
	scratch_make(f->folder);
	scratch_put(f->folder, "secret", SLICE("x\n"), 0600);
	return 0;
}

static void
forget(struct fixture *f)
{
	if (f->found != NULL)
		catch_all_free(f->found);
	f->found = NULL;
	while (f->n_files > 0)
		buf_clear(&f->files[--f->n_files]);
	if (f->directory != NULL)
		directory_free(f->directory);
	f->directory = NULL;
	config_unref(f->config);
	f->config = NULL;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	forget(f);
	scratch_remove(f->folder);
	free(f);
	return 0;
}

/* Without a directory everybody in example.org exists. */
static void
configure(struct fixture *f, const char *account)
{
	struct buf yaml;

	forget(f);
	buf_init(&yaml, 4096);
	buf_printf(&yaml,
	    "postmaster: postmaster@example.org\n"
	    "accepted_domains: [example.org]\n"
	    "accounts: [{name: office, %s}]\n",
	    account);
	scratch_put(f->folder, "mailhaul.yaml", buf_slice(&yaml), 0644);
	buf_clear(&yaml);
	f->config = config_load(scratch_path(f->folder, "mailhaul.yaml"), NULL);
	assert_non_null(f->config);
	f->directory = directory_new(f->config);
}

static void
look_at(struct fixture *f, const struct slice *headers, size_t n)
{
	if (f->found != NULL)
		catch_all_free(f->found);
	f->found = catch_all_new(
	    f->config, &f->config->accounts[0], headers, n, f->directory);
}

static void
look(struct fixture *f, const char *const *texts)
{
	struct slice headers[8];
	size_t n = 0;

	for (; texts[n] != NULL; n++)
		headers[n] = slice_of(texts[n]);
	look_at(f, headers, n);
}

static void
look_at_file(struct fixture *f, const char *name)
{
	struct buf *text = &f->files[f->n_files++];
	struct slice header;
	struct error err;
	char path[100];

	snprintf(path, sizeof(path), "tests/data/recipients/%s.eml", name);
	buf_init(text, HEADER_HELD_MAX);
	assert_true(file_read(path, text, &err));
	header = buf_slice(text);
	look_at(f, &header, 1);
}

static void
expect_yaml(const struct fixture *f, const char *expected)
{
	struct buf yaml;

	buf_init(&yaml, 4096);
	catch_all_write(f->found, 0, &yaml);
	assert_string_equal(buf_string(&yaml), expected);
	buf_clear(&yaml);
}

static void
expect(const struct fixture *f, enum catch_all_copies copies,
    enum catch_all_bcc bcc, bool fits)
{
	assert_string_equal(catch_all_copies_name(f->found->copies),
	    catch_all_copies_name(copies));
	assert_string_equal(
	    catch_all_bcc_name(f->found->bcc), catch_all_bcc_name(bcc));
	assert_int_equal(f->found->fits, fits);
}

static void
one_copy_for_each_recipient(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE);
	look(
	    f, (const char *[]){ MAIL("X-Envelope-To: anna@example.org\n", "1",
				     "To: anna@example.org, ben@example.org\n"),
		   MAIL("X-Envelope-To: carl@example.org\n", "2",
		       "To: carl@example.org\n"),
		   MAIL("X-Envelope-To: ben@example.org\n", "1",
		       "To: anna@example.org, ben@example.org\n"),
		   NULL });
	expect(f, COPIES_EACH, BCC_WORKS, true);
	assert_ptr_equal(f->found->examples[0], &f->found->messages[0]);
	assert_ptr_equal(f->found->examples[1], &f->found->messages[2]);
	assert_int_equal(f->found->n_proven, 3);
	assert_int_equal(f->found->n_hidden, 0);
}

static void
one_copy_for_all_recipients(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE);
	look_at_file(f, "exim-two-addresses");
	expect(f, COPIES_TOGETHER, BCC_WORKS, true);
	/* None of them stands in To. */
	assert_int_equal(f->found->n_hidden, 1);
	assert_ptr_equal(f->found->hidden, &f->found->messages[0]);
}

static void
copies_that_nothing_tells_apart(void **state)
{
	static const char mail[] =
	    MAIL("", "1", "To: anna@example.org, ben@example.org\n");
	struct fixture *f = *state;

	configure(f, OFFICE);
	look(f, (const char *[]){ mail, mail, NULL });
	expect(f, COPIES_ALIKE, BCC_LOST, true);
	assert_int_equal(f->found->n_proven, 0);
}

static void
one_copy_with_the_first_recipient_only(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE);
	look(f, (const char *[]){
		    MAIL("X-Envelope-To: anna@example.org\n", "1",
			"To: anna@example.org\nCc: ben@example.org\n"),
		    NULL });
	expect(f, COPIES_LACKING, BCC_PARTLY, true);
}

static void
mail_without_a_message_id_is_not_the_same(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE);
	look(
	    f, (const char *[]){ "X-Envelope-To: anna@example.org\nTo: x@y.z\n",
		   "X-Envelope-To: ben@example.org\nTo: x@y.z\n", NULL });
	expect(f, COPIES_UNSEEN, BCC_WORKS, true);
	assert_int_equal(f->found->n_hidden, 2);
	look(f, (const char *[]){ NULL });
	expect(f, COPIES_UNSEEN, BCC_UNSEEN, true);
}

static void
a_better_setting_is_suggested(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE
	    ", recipients: {envelope_headers: [X-Other], headers: [Cc]}");
	look(f, (const char *[]){ MAIL("X-Envelope-To: m1-anna@example.org\n",
				      "1", "Cc: ben@example.org\n"),
		    MAIL("X-Envelope-To: m1-ben@example.org\n", "2",
			"Cc: anna@example.org\n"),
		    NULL });
	expect(f, COPIES_UNSEEN, BCC_WORKS, false);
	expect_yaml(f, "mailbox: catch_all\n"
		       "recipients:\n"
		       "  envelope_headers: [X-Envelope-To]\n"
		       "  strip_prefix: \"m1-\"\n"
		       "  trusted_hosts: [.isp.example]\n");
	assert_string_equal(
	    f->found->messages[0].present.recipients[0], "ben@example.org");
	assert_string_equal(
	    f->found->messages[0].suggested.recipients[0], "anna@example.org");
}

/* What the administrator knows is not thrown away. */
static void
a_setting_that_knows_more_stays(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE ", recipients: {envelope_headers: [X-Own-Rule]}");
	look(f,
	    (const char *[]){ MAIL("X-Own-Rule: anna@example.org\n", "1", ""),
		MAIL("X-Own-Rule: ben@example.org\n", "2", ""), NULL });
	expect(f, COPIES_UNSEEN, BCC_WORKS, true);
	expect_yaml(f, "mailbox: catch_all\n"
		       "recipients:\n"
		       "  envelope_headers: [X-Own-Rule]\n");
}

static const struct {
	const char *file, *provider;
} known[] = {
	{ "ionos-bottom", "ionos" },
	{ "gmx-nemesis", "gmx" },
	{ "web-de", "web_de" },
	{ "strato", "strato" },
	{ "ovh-mailbox", "ovh" },
	{ "gandi-mailbox", "gandi" },
	{ "google-plain", "google" },
	{ "microsoft-nothing", "microsoft" },
	{ "fastmail-store", "fastmail" },
	{ "proton", "proton" },
};

static void
known_providers_are_recognised(void **state)
{
	struct fixture *f = *state;
	char yaml[100];

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		print_message("%s\n", known[i].file);
		configure(f, OFFICE);
		look_at_file(f, known[i].file);
		snprintf(yaml, sizeof(yaml),
		    "mailbox: catch_all\nprovider: %s\n", known[i].provider);
		expect_yaml(f, yaml);
	}
}

/* A row is as good as what the messages say. */
static void
a_provider_that_does_it_otherwise_now(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE ", recipients: {from: [headers]}");
	look(f, (const char *[]){ "X-Original-To: anna@example.org\n"
				  "Received: from a ([192.0.2.1]) by "
				  "mx.kundenserver.de\n",
		    "X-Original-To: ben@example.org\n"
		    "Received: from a ([192.0.2.1]) by mx.kundenserver.de\n",
		    NULL });
	assert_false(f->found->fits);
	expect_yaml(f, "mailbox: catch_all\n"
		       "recipients:\n"
		       "  envelope_headers: [X-Original-To]\n"
		       "  trusted_hosts: [.kundenserver.de]\n");
}

static void
by_their_host_too(void **state)
{
	struct fixture *f = *state;

	configure(f, "host: securepop.t-online.de, user: u, "
		     "password: {file: secret}");
	look_at_file(f, "t-online-nothing");
	expect(f, COPIES_UNSEEN, BCC_LOST, true);
	expect_yaml(f, "mailbox: catch_all\nprovider: t_online\n");
}

/* Delivered-To holds the mailbox, which is in an accepted domain. */
static void
the_mailbox_is_nobody(void **state)
{
	struct fixture *f = *state;

	configure(f, "host: mail.example, user: box17@example.org, "
		     "password: {file: secret}");
	look_at_file(f, "gandi-mailbox");
	assert_false(f->found->fits);
	expect_yaml(f, "mailbox: catch_all\nprovider: gandi\n");
	assert_string_equal(
	    f->found->messages[0].present.recipients[0], "box17@example.org");
	assert_string_equal(
	    f->found->messages[0].suggested.recipients[0], "anna@example.org");
}

/* Its name is in every message, and nobody of ours: To and Cc decide. */
static void
the_mailbox_is_elsewhere(void **state)
{
#define BOX                                                                    \
	"host: pop.isp.example, user: box, password: {file: secret}, "         \
	"recipients: {trusted_hosts: [.isp.example]}"
#define TO_BOX(to)                                                             \
	"Delivered-To: box@isp.example\n"                                      \
	"Received: from a ([192.0.2.1]) by mx.isp.example\n"                   \
	"To: " to "\n"
	struct fixture *f = *state;
	static const char *const mails[] = { TO_BOX("anna@example.org"),
		TO_BOX("ben@example.org"), TO_BOX("anna@example.org"), NULL };

	configure(f, BOX);
	look(f, mails);
	expect(f, COPIES_UNSEEN, BCC_LOST, false);
	expect_yaml(f, "mailbox: catch_all\n"
		       "addresses: [\"box@isp.example\"]\n"
		       "recipients:\n"
		       "  trusted_hosts: [.isp.example]\n");
	assert_string_equal(f->found->messages[0].present.recipients[0],
	    "postmaster@example.org");
	assert_string_equal(
	    f->found->messages[0].suggested.recipients[0], "anna@example.org");
	configure(f, BOX ", addresses: [box@isp.example]");
	look(f, mails);
	expect(f, COPIES_UNSEEN, BCC_LOST, true);
}

static void
a_single_mailbox_does_not_fit(void **state)
{
	struct fixture *f = *state;

	configure(f, OFFICE ", mailbox: single, deliver_to: anna@example.org");
	look_at_file(f, "postfix-pair");
	assert_false(f->found->fits);
}

static void
fields_are_told_with_their_place(void **state)
{
	struct fixture *f = *state;
	struct buf lines;

	configure(f, OFFICE ", recipients: {trusted_hosts: [.isp.example]}");
	look(f, (const char *[]){
		    "X-Envelope-To: \x1b[2J<anna@example.org>\n"
		    "Received: from a (b [192.0.2.1]) by mx.isp.example for "
		    "<c@example.org>\n"
		    "Subject: secret\nDelivered-To: chef@example.org\n",
		    NULL });
	buf_init(&lines, 4096);
	catch_all_list_fields(f->found, &f->found->messages[0], &lines);
	assert_string_equal(buf_string(&lines),
	    "X-Envelope-To: \\x1b[2J<anna@example.org>\n"
	    "Delivered-To (below the boundary): chef@example.org\n"
	    "Received for: c@example.org\n");
	buf_clear(&lines);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_copy_for_each_recipient),
		TEST(one_copy_for_all_recipients),
		TEST(copies_that_nothing_tells_apart),
		TEST(one_copy_with_the_first_recipient_only),
		TEST(mail_without_a_message_id_is_not_the_same),
		TEST(a_better_setting_is_suggested),
		TEST(a_setting_that_knows_more_stays),
		TEST(known_providers_are_recognised),
		TEST(a_provider_that_does_it_otherwise_now),
		TEST(by_their_host_too),
		TEST(the_mailbox_is_nobody),
		TEST(the_mailbox_is_elsewhere),
		TEST(a_single_mailbox_does_not_fit),
		TEST(fields_are_told_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
