/* SPDX-License-Identifier: Apache-2.0 */
/* Which filters can be asked for many at once, and whose a value is. */
#include "directory/ldap_batch.h"

#include "directory/ldap_filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_filters(void **state)
{
	static const struct {
		const char *filter;
		size_t assertions;
	} rows[] = {
		{ "(mail={address})", 1 },
		{ "(|(mail={address})(mailAlternateAddress={address}))", 2 },
		{ "(&(|(mail={address})(proxyAddresses=smtp:{address}))"
		  "(!(userAccountControl:1.2.840.113556.1.4.803:=2)))",
		    2 },
		{ "(&(|(mail={address})(proxyAddresses=smtp:{address}))"
		  "(|(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
		  "(msExchRecipientTypeDetails=4)))",
		    2 },
		{ "(&(objectClass=user)(mail={address})(|(a=1)(b=*)))", 1 },
		{ "(|(&(mail={address})))", 1 },
		/* Not the whole address, or not as a plain value. */
		{ "(uid={local})", 0 },
		{ "(mail={local}@{domain})", 0 },
		{ "(mail={address}*)", 0 },
		{ "(mail=*{address})", 0 },
		{ "(mail>={address})", 0 },
		{ "(mail:caseExactMatch:={address})", 0 },
		{ "(mail={address}{address})", 0 },
		{ "(mail=\\2a{address})", 0 },
		/* More than alternatives. */
		{ "(&(mail={address})(proxyAddresses=smtp:{address}))", 0 },
		{ "(!(mail={address}))", 0 },
		{ "(&(mail={address})(!(uid={address})))", 0 },
		/* A value does not tell which condition it needs. */
		{ "(|(&(mail={address})(a=1))(&(uid={address})(b=1)))", 0 },
		{ "(|(mail={address})(a=1))", 0 },
		{ "(&(uid={local})(mail={address}))", 0 },
		/* More than there is room for. */
		{ "(|(a={address})(b={address})(c={address})(d={address})"
		  "(e={address})(f={address})(g={address})(h={address})"
		  "(i={address}))",
		    0 },
		{ "(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(&(mail={address})"
		  "))))))))))))))))",
		    0 },
	};
	struct ldap_batch batch;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!ldap_filter_check(rows[i].filter, &err))
			fail_msg("%s", err.text);
		ldap_batch_read(rows[i].filter, &batch);
		if (batch.n != rows[i].assertions)
			fail_msg("%s: %zu", rows[i].filter, batch.n);
	}
}

static void
test_values(void **state)
{
	static const struct {
		const char *attribute, *value;
		bool owned;
	} rows[] = {
		{ "mail", "anna@example.org", true },
		{ "MAIL", "Anna@Example.ORG", true },
		{ "mail", "smtp:anna@example.org", false },
		{ "mail", "xanna@example.org", false },
		{ "mail", "anna@example.org.evil", false },
		{ "mail", "anna@example.or", false },
		{ "mail", "anna", false },
		{ "mail", "anna@", false },
		{ "mail", "", false },
		{ "proxyAddresses", "SMTP:anna@example.org", true },
		{ "proxyAddresses", "smtp:ANNA@example.org", true },
		{ "proxyAddresses", "anna@example.org", false },
		{ "proxyAddresses", "sip:anna@example.org", false },
		{ "uid", "anna@example.org", false },
	};
	static const struct address anna = { "anna", "example.org" };
	struct ldap_batch batch;

	(void)state;
	ldap_batch_read(
	    "(|(mail={address})(proxyAddresses=smtp:{address}))", &batch);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (ldap_batch_owns(&batch, rows[i].attribute,
			slice_of(rows[i].value), &anna) != rows[i].owned)
			fail_msg("%s: %s", rows[i].attribute, rows[i].value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
