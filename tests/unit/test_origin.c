/* SPDX-License-Identifier: Apache-2.0 */
/* The client from which the provider took a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "recipients/candidates.h"

static const struct accepted_domain domains[] = { { .name = "example.org" } };
static const struct config config = { .domains = domains, .n_domains = 1 };
static const char *const to_cc_bcc[] = { "To", "Cc", "Bcc", NULL };
static const char *const isp[] = { ".isp.example", NULL };
static const char *const google[] = { "mx.google.com", NULL };

/* "ip name helo" of the origin, "-" for what is empty. */
static void
origin_is(const char *const *trusted, const char *header, const char *expected)
{
	const struct account account = {
		.name = "office",
		.mailbox = MAILBOX_CATCH_ALL,
		.recipients = { .tiers = { TIER_HEADERS },
		    .n_tiers = 1,
		    .strip_prefix = "",
		    .trusted_hosts = trusted,
		    .headers = to_cc_bcc },
	};
	struct candidates found;
	const struct origin *o = &found.origin;
	char text[3 * DOMAIN_SIZE];

	candidates_find(&config, &account, slice_of(header), &found);
	snprintf(text, sizeof(text), "%s %s %s", o->ip[0] == '\0' ? "-" : o->ip,
	    o->name[0] == '\0' ? "-" : o->name,
	    o->helo[0] == '\0' ? "-" : o->helo);
	assert_string_equal(text, expected);
	candidates_clear(&found);
}

static void
origin_is_the_client_of_the_boundary(void **state)
{
	(void)state;
	origin_is(isp,
	    "Received: from a.isp.example (a.isp.example [10.0.0.1])\n"
	    " by b.isp.example with ESMTP id 1; now\n"
	    "Received: from helo.example (Mail.Sender.example [192.0.2.7])\n"
	    " by a.isp.example with ESMTP id 2; now\n"
	    "Received: from x (forged.example [198.51.100.1]) by "
	    "mx.isp.example\n",
	    "192.0.2.7 mail.sender.example helo.example");
	origin_is(isp,
	    "Received: from [192.0.2.9] (unknown [IPv6:2001:DB8:0::1])\n"
	    " by a.isp.example; now\n",
	    "2001:db8::1 - [192.0.2.9]");
	origin_is(isp,
	    "Received: from a\"b (c.example [192.0.2.7]) by a.isp.example\n",
	    "192.0.2.7 c.example -");
}

static void
origin_is_nobodys_own_network(void **state)
{
	static const char *const own[] = { "10.202.2.44", "172.31.0.1",
		"192.168.1.1", "127.0.0.1", "100.64.0.9", "169.254.1.1",
		"0.0.0.0", "IPv6:::1", "IPv6:fd00::1", "IPv6:fe80::1",
		"IPv6:::ffff:10.0.0.1" };
	static const char *const others[] = { "172.32.0.1", "100.128.0.1",
		"11.0.0.1" };
	char header[200], expected[80];

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		snprintf(header, sizeof(header),
		    "Received: from h (c.example [%s]) by a.isp.example\n",
		    own[i]);
		origin_is(isp, header, "- - -");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		snprintf(header, sizeof(header),
		    "Received: from h (c.example [%s]) by a.isp.example\n",
		    others[i]);
		snprintf(
		    expected, sizeof(expected), "%s c.example h", others[i]);
		origin_is(isp, header, expected);
	}
}

static void
origin_is_never_a_guess(void **state)
{
	static const char plain[] =
	    "Received: from h (c.example [192.0.2.7]) by a.isp.example; now\n";

	(void)state;
	origin_is(NULL, plain, "- - -");
	origin_is(google, plain, "- - -");
	origin_is(isp, plain, "192.0.2.7 c.example h");
	origin_is(isp, "Subject: none\n", "- - -");
	origin_is(isp, "Received: from h by a.isp.example; now\n", "- - -");
	origin_is(isp,
	    "Received: from h (c.example [300.0.2.7]) by a.isp.example\n",
	    "- - -");
	origin_is(isp,
	    "Received: from h (c.example [192.0.2.7 ADDR=1]) by "
	    "a.isp.example\n",
	    "- - -");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origin_is_the_client_of_the_boundary),
		cmocka_unit_test(origin_is_nobodys_own_network),
		cmocka_unit_test(origin_is_never_a_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
