/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct address
person(const char *prefix, unsigned number, const char *domain)
{
	struct address address;
	char text[64];

	snprintf(text, sizeof(text), "%s%u@%s", prefix, number, domain);
	assert_int_equal(address_parse(slice_of(text), &address), ADDRESS_OK);
	return address;
}

static void
test_each_once(void **state)
{
	struct address_set set = { 0 };
	struct address address;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		address = person("p", i, "example.org");
		assert_int_equal(address_set_find(&set, &address), set.n);
		assert_true(address_set_add(&set, &address));
	}
	for (unsigned i = 0; i < 1000; i++) {
		address = person("P", i, "EXAMPLE.org");
		assert_false(address_set_add(&set, &address));
		assert_int_equal(address_set_find(&set, &address), i);
		address = person("p", i, "example.net");
		assert_int_equal(address_set_find(&set, &address), set.n);
	}
	assert_int_equal(set.n, 1000);
	address = person("p", 999, "example.org");
	assert_true(address_equal(&set.all[999], &address));
	address_set_clear(&set);
	assert_int_equal(address_set_find(&set, &address), set.n);
	assert_int_equal(set.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
