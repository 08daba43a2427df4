/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "mail/header.h"
#include "recipients/survey.h"

enum { MESSAGES = SURVEY_MESSAGES };

/* The headers of the fixtures of these names, then a survey of them. */
static void
run(const char *const *names, struct survey *s)
{
	struct slice headers[MESSAGES];
	struct buf texts[MESSAGES];
	struct address own;
	struct error err;
	char path[200];
	size_t n = 0;

	for (; names[n] != NULL; n++) {
		snprintf(path, sizeof(path), "tests/data/recipients/%s.eml",
		    names[n]);
		buf_init(&texts[n], HEADER_HELD_MAX);
		if (!file_read(path, &texts[n], &err))
			fail_msg("%s", err.text);
		headers[n] = buf_slice(&texts[n]);
	}
	address_parse(SLICE("box17@isp.example"), &own);
	survey_run(headers, n, &own, s);
	while (n > 0)
		buf_clear(&texts[--n]);
}

static void
expect_yaml(const struct survey *s, const char *expected)
{
	struct buf out;

	buf_init(&out, 4096);
	survey_write(s, 0, &out);
	assert_string_equal(buf_string(&out), expected);
	buf_clear(&out);
}

static const struct {
	const char *names[5], *yaml;
} cases[] = {
	{ { "ionos-bottom", NULL }, "mailbox: catch_all\n"
				    "recipients:\n"
				    "  envelope_headers: [Envelope-To]\n"
				    "  position: bottom\n"
				    "  trusted_hosts: [.kundenserver.de]\n" },
	/* The one below is not what the provider's line says. */
	{ { "ionos-mismatch", NULL }, "mailbox: catch_all\n"
				      "recipients:\n"
				      "  trusted_hosts: [.kundenserver.de]\n" },
	/* Delivered-To holds the mailbox itself. */
	{ { "gandi-expanded-for", NULL }, "mailbox: catch_all\n"
					  "recipients:\n"
					  "  trusted_hosts: [.isp.example]\n" },
	{ { "google-plain", NULL }, "mailbox: catch_all\n"
				    "recipients:\n"
				    "  envelope_headers: [Delivered-To]\n"
				    "  trusted_hosts: [mx.google.com]\n" },
	{ { "postfix-pair", NULL }, "mailbox: catch_all\n"
				    "recipients:\n"
				    "  envelope_headers: [X-Original-To]\n"
				    "  trusted_hosts: [.isp.example]\n" },
	{ { "ovh", NULL }, "mailbox: catch_all\n"
			   "recipients:\n"
			   "  envelope_headers: [Delivered-To]\n"
			   "  trusted_hosts: [.isp.example]\n" },
	/* Two recipients; a history of forwarding. */
	{ { "delivered-to-twice", NULL }, "mailbox: catch_all\n"
					  "recipients:\n"
					  "  envelope_headers: [Delivered-To]\n"
					  "  occurrence: all\n"
					  "  trusted_hosts: [.isp.example]\n" },
	{ { "delivered-to-forwarded", NULL },
	    "mailbox: catch_all\n"
	    "recipients:\n"
	    "  envelope_headers: [Delivered-To]\n"
	    "  occurrence: last\n"
	    "  trusted_hosts: [.isp.example]\n" },
	/* What is known of the provider is narrower than its domain. */
	{ { "google-forwarded", NULL }, "mailbox: catch_all\n"
					"recipients:\n"
					"  envelope_headers: [Delivered-To]\n"
					"  occurrence: last\n"
					"  trusted_hosts: [mx.google.com]\n" },
	/* Both: it cannot be told. */
	{ { "delivered-to-twice", "delivered-to-forwarded", NULL },
	    "mailbox: catch_all\n"
	    "recipients:\n"
	    "  envelope_headers: [Delivered-To]\n"
	    "  trusted_hosts: [.isp.example]\n" },
	/* One domain of four. */
	{ { "ovh", "ovh", "postfix-pair", "google-plain", NULL },
	    "mailbox: catch_all\n"
	    "recipients:\n"
	    "  envelope_headers: [Delivered-To]\n"
	    "  trusted_hosts: [.isp.example]\n" },
	{ { "nothing-at-all", NULL }, "mailbox: catch_all\n" },
	{ { NULL }, "mailbox: catch_all\n" },
};

static void
suggests_what_the_provider_writes(void **state)
{
	struct survey s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		print_message("case %zu: %s\n", i,
		    cases[i].names[0] == NULL ? "-" : cases[i].names[0]);
		run(cases[i].names, &s);
		expect_yaml(&s, cases[i].yaml);
	}
}

static void
survey_texts(const char *const *texts, size_t n, struct survey *s)
{
	struct slice headers[MESSAGES];

	for (size_t i = 0; i < n; i++)
		headers[i] = slice_of(texts[i]);
	survey_run(headers, n, NULL, s);
}

#define TAKEN                                                                  \
	"Received: from mail.other.example (mail.other.example [192.0.2.1])\n" \
	"\tby mx.isp.example (Postfix) with ESMTPS id 2\n"
#define SENT "Received: from pc by mail.other.example with ESMTPSA id 1\n"

static void
a_senders_field_is_no_field(void **state)
{
	static const char *const texts[] = {
		TAKEN SENT "X-Envelope-To: chef@example.org\nTo: x@y.example\n",
		TAKEN SENT
		"Delivered-To: a@b.example\nDelivered-To: c@d.example\n",
		TAKEN SENT "To: x@y.example\n",
	};
	struct survey s;

	(void)state;
	survey_texts(texts, 3, &s);
	assert_null(s.best);
	assert_null(s.people);
	assert_int_equal(s.n_fields, 2);
	assert_int_equal(s.fields[0].below, 1);
	assert_int_equal(s.fields[0].above, 0);
	assert_int_equal(s.bounded, 3);
}

static void
counts_people(void **state)
{
	static const char *const texts[] = {
		"X-Envelope-To: anna@example.org\n" TAKEN,
		"X-Envelope-To: bert@example.org, Anna@Example.org\n" TAKEN,
		"X-Envelope-To: carla@example.org\n" TAKEN,
	};
	struct survey s;

	(void)state;
	survey_texts(texts, 3, &s);
	assert_string_equal(s.best->name, "X-Envelope-To");
	assert_int_equal(s.people->n, 3);
	assert_int_equal(s.mailbox, MAILBOX_CATCH_ALL);
	survey_texts((const char *[]){ texts[0], texts[0], texts[0] }, 3, &s);
	assert_int_equal(s.people->n, 1);
	assert_int_equal(s.mailbox, MAILBOX_SINGLE);
	/* Two tell nothing. */
	survey_texts((const char *[]){ texts[0], texts[0] }, 2, &s);
	assert_int_equal(s.mailbox, MAILBOX_CATCH_ALL);
}

static void
finds_a_prefix(void **state)
{
	static const char *const texts[] = {
		"Delivered-To: mbox-userstr-anna@example.org\n" TAKEN,
		"Delivered-To: mbox-userstr-adam@example.org\n" TAKEN,
	};
	struct survey s;

	(void)state;
	survey_texts(texts, 2, &s);
	expect_yaml(&s, "mailbox: catch_all\n"
			"recipients:\n"
			"  envelope_headers: [Delivered-To]\n"
			"  strip_prefix: \"mbox-userstr-\"\n"
			"  trusted_hosts: [.isp.example]\n");
}

static void
names_that_belong_to_nobody(void **state)
{
	static const char *const texts[] = {
		"Received: from a by localhost with LMTP\n"
		"Received: from a by 192.0.2.7 with LMTP\n"
		"Received: from a by mx1.isp.co.uk with ESMTP\n",
		"Received: from a by co.uk with ESMTP\n"
		"Received: from a by isp.example with ESMTP\n",
	};
	struct survey s;

	(void)state;
	survey_texts(texts, 2, &s);
	expect_yaml(&s, "mailbox: catch_all\n"
			"recipients:\n"
			"  trusted_hosts: [.isp.co.uk, isp.example]\n");
}

/* A server of the provider's that its row does not have took them in. */
static void
a_row_that_explains_less_is_not_taken(void **state)
{
	static const char *const texts[] = {
		"Received: from a.example by relay.google.com with ESMTP\n",
		"Received: from a.example by relay.google.com with ESMTP\n",
		"Received: from a.example by mx.google.com with ESMTP\n",
	};
	struct survey s;

	(void)state;
	survey_texts(texts, 3, &s);
	expect_yaml(&s, "mailbox: catch_all\n"
			"recipients:\n"
			"  trusted_hosts: [.google.com]\n");
	assert_int_equal(s.bounded, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suggests_what_the_provider_writes),
		cmocka_unit_test(a_senders_field_is_no_field),
		cmocka_unit_test(counts_people),
		cmocka_unit_test(finds_a_prefix),
		cmocka_unit_test(names_that_belong_to_nobody),
		cmocka_unit_test(a_row_that_explains_less_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
