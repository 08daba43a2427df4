/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/ldap_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
expect_filter(
    const char *template, struct address address, const char *expected)
{
	struct buf out;
	struct error err;

	buf_init(&out, LDAP_FILTER_MAX);
	assert_true(ldap_filter_check(template, &err));
	ldap_filter_write(template, &address, &out);
	assert_string_equal(buf_string(&out), expected);
	buf_clear(&out);
}

static void
test_fields(void **state)
{
	struct address anna = { "anna.b+c", "example.org" };

	(void)state;
	expect_filter("(mail={address})", anna, "(mail=anna.b+c@example.org)");
	expect_filter("(&(uid={local})(associatedDomain={domain}))", anna,
	    "(&(uid=anna.b+c)(associatedDomain=example.org))");
	expect_filter("(|(mail={address})(alias={address}))", anna,
	    "(|(mail=anna.b+c@example.org)(alias=anna.b+c@example.org))");
}

static void
test_values_are_only_values(void **state)
{
	(void)state;
	expect_filter("(mail={address})",
	    (struct address){ "*", "example.org" }, "(mail=\\2a@example.org)");
	expect_filter("(uid={local})",
	    (struct address){ "a)(uid=*", "example.org" },
	    "(uid=a\\29\\28uid\\3d\\2a)");
	expect_filter("(uid={local})",
	    (struct address){ "a\\2a", "example.org" }, "(uid=a\\5c2a)");
	expect_filter("(uid={local})",
	    (struct address){ "j\xc3\xb6rg", "example.org" },
	    "(uid=j\\c3\\b6rg)");
	/* What a value holds is not taken for a field. */
	expect_filter("(uid={local})",
	    (struct address){ "{domain}", "example.org" },
	    "(uid=\\7bdomain\\7d)");
}

static void
test_bad_templates(void **state)
{
	static const char *const bad[] = {
		"",
		"mail={address}",
		"(mail={adress})",
		"(mail={address)",
		"(mail=address})",
		"(mail={address}",
		"(mail={address}))",
		"(mail={address})(uid=x)",
		"(objectClass=person)",
		"(associatedDomain={domain})",
	};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ldap_filter_check(bad[i], &err))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(err.kind, ERROR_CONFIG);
	}
}

/* The worst address fits whatever template has passed. */
static void
test_bounded(void **state)
{
	char template[LDAP_FILTER_MAX] = "(|";
	struct address worst = { "", "" };
	struct buf out;
	struct error err;
	size_t repeats = 0;

	(void)state;
	memset(worst.local, '*', ADDRESS_LOCAL_MAX);
	memset(worst.domain, '*', ADDRESS_DOMAIN_MAX);
	for (char *end = template + 2;; repeats++) {
		memcpy(end, "(a={address})", 13);
		end += 13;
		memcpy(end, ")", 2);
		if (!ldap_filter_check(template, &err))
			break;
		buf_init(&out, LDAP_FILTER_MAX);
		ldap_filter_write(template, &worst, &out);
		assert_false(buf_overflowed(&out));
		buf_clear(&out);
	}
	assert_in_range(repeats, 8, 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_values_are_only_values),
		cmocka_unit_test(test_bad_templates),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
