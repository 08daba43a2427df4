/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/header.h"
#include "recipients/fingerprint.h"

#define HEADER                                                                 \
	"Received: by a\nMessage-ID: <1@x>\nDate: today\nFrom: a@x\n"          \
	"To: anna@example.org, Ben@example.org, eve@outside.example\n\n"

static struct accepted_domain domains[] = { { .name = "example.org" } };
static const char *const no_names[] = { NULL };
static const char *const guess_names[] = { "To", "Cc", "Bcc", NULL };
static const struct address own[] = { { "box1", "isp.example" },
	{ "box2", "isp.example" } };
static const struct recipient_settings recipients = {
	.tiers = { TIER_ENVELOPE, TIER_RECEIVED, TIER_HEADERS },
	.n_tiers = 3,
	.occurrence = 1,
	.strip_prefix = "",
	.trusted_hosts = no_names,
	.headers = guess_names,
};
static struct account accounts[2];
static struct config config = { .domains = domains,
	.n_domains = 1,
	.recipient_delimiter = "",
	.accounts = accounts,
	.n_accounts = 2 };

static int
set_up(void **state)
{
	static const char *const names[] = { "office", "other" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		accounts[i] = (struct account){ .name = names[i],
			.fallback = { "office", "example.org" },
			.recipients = recipients,
			.addresses = &own[i],
			.n_addresses = 1 };
		accounts[i].dedupe.on = true;
	}
	return 0;
}

/* As hexadecimal digits; "": it has none. */
static const char *
of(const struct account *account, struct slice header, struct slice body,
    char out[static DIGEST_HEX_SIZE])
{
	uint8_t bytes[DIGEST_SIZE];
	struct candidates candidates;
	struct digest *d;

	candidates_find(&config, account, header, &candidates);
	d = fingerprint_begin(&config, account, header, &candidates);
	candidates_clear(&candidates);
	out[0] = '\0';
	if (d == NULL)
		return out;
	fingerprint_add(d, slice_first(body, 3));
	fingerprint_add(d, slice_from(body, 3));
	digest_end(d, bytes);
	hex_write((struct slice){ bytes, sizeof(bytes) }, out);
	return out;
}

static bool
agree(struct slice header, struct slice body)
{
	char first[DIGEST_HEX_SIZE], second[DIGEST_HEX_SIZE];

	of(&accounts[0], SLICE(HEADER), SLICE("Hello.\nBye.\n"), first);
	assert_int_not_equal(first[0], '\0');
	return strcmp(first, of(&accounts[0], header, body, second)) == 0;
}

static void
copies_agree(void **state)
{
	static const char *const headers[] = {
		HEADER,
		("Received: by b\nX-Store: 9\nDate:\n today\nFrom: \ta@x\n"
		 "Message-ID:\t<1@x>\n"
		 "Cc: eve@outside.example\nTo: ben@example.org, "
		 "ANNA@example.org\n\n"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++)
		assert_true(
		    agree(slice_of(headers[i]), SLICE("Hello.\nBye.\n")));
	assert_true(agree(SLICE(HEADER), SLICE("Hello.\r\nBye.\r\n")));
}

static void
others_do_not(void **state)
{
	static const char *const headers[] = {
		"Message-ID: <2@x>\nDate: today\nFrom: a@x\n",
		"Message-ID: <1@x>\nDate: to day\nFrom: a@x\n",
		"Message-ID: <1@x>\nDate: today\nFrom: b@x\n",
		"Message-ID: <1@x>\nDate: today\n",
		"Message-ID: <1@x>\nDate: today\nFrom: a@x\nResent-Date: y\n",
	};
	char header[512];

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		snprintf(header, sizeof(header),
		    "%sTo: anna@example.org, ben@example.org,"
		    " eve@outside.example\n\n",
		    headers[i]);
		assert_false(agree(slice_of(header), SLICE("Hello.\nBye.\n")));
	}
	assert_false(agree(SLICE(HEADER), SLICE("Hello.\nbye.\n")));
	assert_false(agree(SLICE(HEADER), SLICE("")));
	assert_false(agree(SLICE("Message-ID: <1@x>\nDate: today\nFrom: a@x\n"
				 "To: anna@example.org\n\n"),
	    SLICE("Hello.\nBye.\n")));
}

static void
only_of_the_tier_headers_and_with_identity(void **state)
{
	static const char *const none[] = {
		("X-Envelope-To: anna@example.org\nMessage-ID: <1@x>\n"
		 "Date: today\nTo: anna@example.org\n\n"),
		"Message-ID: <1@x>\nDate: today\n\n",
		"Message-ID: \nDate: today\nTo: anna@example.org\n\n",
		"Message-ID: <1@x>\nTo: anna@example.org\n\n",
	};
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_string_equal(
		    of(&accounts[0], slice_of(none[i]), SLICE("x"), hex), "");
	accounts[0].dedupe.on = false;
	assert_string_equal(
	    of(&accounts[0], SLICE(HEADER), SLICE("x"), hex), "");
}

static void
what_came_back_has_none(void **state)
{
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	assert_string_equal(
	    of(&accounts[0],
		SLICE("X-Mailhaul-Before: account=z; at=example.org\n" HEADER),
		SLICE("x"), hex),
	    "");
	assert_string_not_equal(
	    of(&accounts[0],
		SLICE("X-Mailhaul: account=office; at=x.example\n" HEADER),
		SLICE("x"), hex),
	    "");
}

static void
a_header_without_an_end_has_none(void **state)
{
	struct buf header;
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	buf_init(&header, HEADER_HELD_MAX);
	buf_add(&header, SLICE("Message-ID: <1@x>\nDate: today\n"
			       "To: anna@example.org\nX: "));
	while (header.len < HEADER_HELD_MAX)
		buf_add_byte(&header, 'x');
	assert_string_equal(
	    of(&accounts[0], buf_slice(&header), SLICE("x"), hex), "");
	buf_clear(&header);
}

static void
own_addresses_of_a_group_are_nobodys(void **state)
{
	struct slice header = SLICE(
	    "Message-ID: <1@x>\nDate: today\n"
	    "To: anna@example.org, box1@isp.example, box2@isp.example\n\n");
	char hex[2][DIGEST_HEX_SIZE], group[FINGERPRINT_GROUP_SIZE];

	(void)state;
	fingerprint_group(&accounts[0], group);
	assert_string_equal(group, "yaml:office");
	assert_string_not_equal(of(&accounts[0], header, SLICE("x"), hex[0]),
	    of(&accounts[1], header, SLICE("x"), hex[1]));
	accounts[0].dedupe.group = accounts[1].dedupe.group = "staff";
	fingerprint_group(&accounts[0], group);
	assert_string_equal(group, "group:staff");
	assert_string_equal(of(&accounts[0], header, SLICE("x"), hex[0]),
	    of(&accounts[1], header, SLICE("x"), hex[1]));
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
	static const struct CMUnitTest tests[] = {
		TEST(copies_agree),
		TEST(others_do_not),
		TEST(only_of_the_tier_headers_and_with_identity),
		TEST(what_came_back_has_none),
		TEST(a_header_without_an_end_has_none),
		TEST(own_addresses_of_a_group_are_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
