/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/domain.h"

#define LABEL_63                                                               \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
SpellsDomainsOneWay(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "example.org", "example.org" },
		{ "EXAMPLE.Org.", "example.org" },
		{ "localhost", "localhost" },
		{ "a_b.example.org", "a_b.example.org" },
		{ "m\xc3\xbcller.de", "xn--mller-kva.de" },
		{ "M\xc3\x9cLLER.DE.", "xn--mller-kva.de" },
		{ "mu\xcc\x88ller.de", "xn--mller-kva.de" },
		{ "XN--MLLER-KVA.de", "xn--mller-kva.de" },
		/* Non-transitional: the sharp s is a letter of its own. */
		{ "stra\xc3\x9f"
		  "e.de",
		    "xn--strae-oqa.de" },
		{ "example\xe3\x80\x82org", "example.org" },
		{ LABEL_63 ".org", LABEL_63 ".org" },
		{ "1.2.3.4.org", "1.2.3.4.org" },
	};
	char out[DOMAIN_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_true(domain_normalise(slice_of(cases[i].in), out));
		assert_string_equal(out, cases[i].out);
	}
}

static void
RefusesImpossibleDomains(void **state)
{
	static const char *const cases[] = { "", ".", "..", "a..b", ".a.b",
		"a.b..", "a b.org", "a@b.org", "[1.2.3.4]", "1.2.3.4", "-a.org",
		"a-.org", LABEL_63 "a.org", "a.org\r\n", "a/b.org",
		"\xff\xfe.org",
		"a\xef\xbc\xa0"
		"b.org",
		LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63 };
	char out[DOMAIN_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (domain_normalise(slice_of(cases[i]), out))
			fail_msg("\"%s\" became \"%s\"", cases[i], out);
	assert_false(domain_normalise(SLICE("a\0b.org"), out));
	assert_false(domain_normalise(SLICE("\xc3\xbc\0b.org"), out));
}

static void
MatchesSubdomainsOnlyWithADot(void **state)
{
	(void)state;
	assert_true(domain_matches("example.org", "example.org"));
	assert_false(domain_matches("example.org", "a.example.org"));
	assert_true(domain_matches(".example.org", "a.example.org"));
	assert_true(domain_matches(".example.org", "a.b.example.org"));
	assert_false(domain_matches(".example.org", "example.org"));
	assert_false(domain_matches(".example.org", "badexample.org"));
	assert_false(domain_matches(".example.org", ".example.org"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(SpellsDomainsOneWay),
		cmocka_unit_test(RefusesImpossibleDomains),
		cmocka_unit_test(MatchesSubdomainsOnlyWithADot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
