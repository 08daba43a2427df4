/* SPDX-License-Identifier: Apache-2.0 */
/*
 * addr - an address from its text; what is none ends the test.
 */
#ifndef SUPPORT_ADDR_H
#define SUPPORT_ADDR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/address.h"

static inline struct address
addr(const char *text)
{
	struct address address;

	assert_int_equal(address_parse(slice_of(text), &address), ADDRESS_OK);
	return address;
}

#endif
