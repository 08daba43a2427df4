/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/canonical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_values(void **state)
{
	static const struct {
		const char *values[4];
		size_t n;
		const char *address;
	} rows[] = {
		{ { 0 }, 0, "" },
		{ { "Anna@Example.org" }, 1, "Anna@example.org" },
		{ { "anna@example.org", "ANNA@example.org" }, 1,
		    "anna@example.org" },
		{ { "anna@example.org", "ben@example.org" }, 2, NULL },
		{ { "anna@example.org", "ben@example.org", "anna@example.org" },
		    2, NULL },
		{ { "", "Anna Berg", "anna" }, 0, "" },
		/* Two in one. */
		{ { "anna@example.org, ben@example.org" }, 0, "" },
		{ { "anna%elsewhere.example@example.org" }, 0, "" },
		/* proxyAddresses */
		{ { "smtp:a.berg@example.org", "SMTP:anna@example.org",
		      "sip:berg@example.org", "X400:c=DE;a=x@y" },
		    1, "anna@example.org" },
		{ { "smtp:a.berg@example.org" }, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct canonical c = { 0 };
		char text[ADDRESS_TEXT_SIZE];

		for (size_t v = 0; v < 4 && rows[i].values[v] != NULL; v++)
			canonical_add(&c, slice_of(rows[i].values[v]));
		if (c.n != rows[i].n)
			fail_msg("row %zu: %zu", i, c.n);
		if (rows[i].address != NULL)
			assert_string_equal(
			    address_write(&c.address, text), rows[i].address);
	}
}

static void
test_entries(void **state)
{
	struct canonical none = { 0 }, anna = { 0 }, ben = { 0 }, all = { 0 };

	(void)state;
	canonical_add(&anna, SLICE("anna@example.org"));
	canonical_add(&ben, SLICE("ben@example.org"));
	canonical_merge(&all, &none);
	assert_int_equal(all.n, 0);
	canonical_merge(&all, &anna);
	canonical_merge(&all, &none);
	canonical_merge(&all, &anna);
	assert_int_equal(all.n, 1);
	canonical_merge(&all, &ben);
	assert_int_equal(all.n, 2);
	canonical_merge(&anna, &all);
	assert_int_equal(anna.n, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
