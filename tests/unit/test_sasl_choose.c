/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static unsigned
offer(const char *words)
{
	struct slice rest = slice_of(words), word;
	unsigned offered = 0;

	while (slice_cut_word(&rest, &word))
		offered |= slice_equal(word, SLICE("USER"))
			       ? (unsigned)SASL_OFFER_USER
			       : sasl_offer(word);
	return offered;
}

static void
the_best_that_is_offered_is_chosen(void **state)
{
	static const struct {
		enum auth auth;
		bool token;
		const char *offered;
		enum sasl_mechanism chosen;
	} cases[] = {
		{ AUTH_AUTO, false, "plain login scram-sha-256 USER xoauth2",
		    SASL_SCRAM_SHA_256 },
		{ AUTH_AUTO, false, "CRAM-MD5 LOGIN PLAIN USER", SASL_PLAIN },
		{ AUTH_AUTO, false, "LOGIN NTLM USER", SASL_LOGIN },
		{ AUTH_AUTO, false, "XOAUTH2 NTLM USER", SASL_USER },
		{ AUTH_AUTO, true, "PLAIN XOAUTH2 OAuthBearer",
		    SASL_OAUTHBEARER },
		{ AUTH_AUTO, true, "PLAIN XOAUTH2 USER", SASL_XOAUTH2 },
		{ AUTH_PLAIN, false, "SCRAM-SHA-256 PLAIN", SASL_PLAIN },
		{ AUTH_USER, false, "PLAIN USER", SASL_USER },
		{ AUTH_EXTERNAL, false, "PLAIN EXTERNAL", SASL_EXTERNAL },
		{ AUTH_XOAUTH2, true, "OAUTHBEARER XOAUTH2", SASL_XOAUTH2 },
		{ AUTH_XOAUTH2, true, "USER", SASL_XOAUTH2 },
		{ AUTH_LOGIN, false, "", SASL_LOGIN },
		{ AUTH_SCRAM_SHA_256, false, "", SASL_SCRAM_SHA_256 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum sasl_mechanism chosen = SASL_MECHANISMS;
		struct error err;

		assert_true(sasl_choose(cases[i].auth, cases[i].token,
		    offer(cases[i].offered), &chosen, &err));
		assert_int_equal(chosen, cases[i].chosen);
	}
}

static void
nothing_to_choose_says_what_is_offered(void **state)
{
	static const struct {
		enum auth auth;
		bool token;
		const char *offered, *text;
	} cases[] = {
		{ AUTH_AUTO, false, "GSSAPI CRAM-MD5 NTLM FOO digest-md5",
		    "no way to log in: the server offers CRAM-MD5, DIGEST-MD5, "
		    "NTLM, GSSAPI, others; none of these is used; the manual "
		    "says why (auth in mailhaul.yaml(5))" },
		{ AUTH_AUTO, false, "XOAUTH2",
		    "no way to log in: the server offers XOAUTH2; it wants a "
		    "token: set token instead of password" },
		{ AUTH_AUTO, false, "EXTERNAL",
		    "no way to log in: the server offers EXTERNAL; it wants a "
		    "certificate: set tls.client_certificate and auth: "
		    "external" },
		{ AUTH_AUTO, true, "PLAIN USER",
		    "no way to log in: the server offers PLAIN, USER; none of "
		    "these takes a token: set password instead" },
		{ AUTH_AUTO, false, "",
		    "no way to log in: the server offers nothing; it may do so "
		    "over TLS only" },
		{ AUTH_SCRAM_SHA_256, false, "PLAIN LOGIN",
		    "auth wants SCRAM-SHA-256, but the server offers PLAIN, "
		    "LOGIN" },
		{ AUTH_USER, false, "PLAIN",
		    "auth wants USER, but the server offers PLAIN" },
		{ AUTH_USER, false, "",
		    "auth wants USER, but the server offers nothing" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum sasl_mechanism chosen;
		struct error err;

		assert_false(sasl_choose(cases[i].auth, cases[i].token,
		    offer(cases[i].offered), &chosen, &err));
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_string_equal(err.text, cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_that_is_offered_is_chosen),
		cmocka_unit_test(nothing_to_choose_says_what_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
