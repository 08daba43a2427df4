/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_batch - one search for many addresses, and whose entries came back.
 *
 * That needs a filter in which {address} stands as the value of attributes,
 * all of them alternatives: (mail={address}), also with a prefix, in an "or",
 * and in an "and" with conditions that are the same for everybody.  Then an
 * entry belongs to each address that one of its values equals.  Any other
 * filter gives no assertions, and its addresses are searched one by one.
 *
 * Only "found" may be concluded from it: a value that may be searched but not
 * read is in no entry.  Pure.
 */
#ifndef DIRECTORY_LDAP_BATCH_H
#define DIRECTORY_LDAP_BATCH_H

#include <stddef.h>

#include "base/slice.h"
#include "mail/address.h"

enum { LDAP_ASSERTIONS_MAX = 8, LDAP_ASSERTION_TEXT = 64 };

/* (attribute=prefix{address}) */
struct ldap_assertion {
	char attribute[LDAP_ASSERTION_TEXT];
	char prefix[LDAP_ASSERTION_TEXT]; /* "smtp:", or nothing */
};
struct ldap_batch {
	struct ldap_assertion assertions[LDAP_ASSERTIONS_MAX];
	size_t n; /* 0: each address needs its own search */
};

/* The template has passed ldap_filter_check(). */
void ldap_batch_read(const char *filter, struct ldap_batch *);
/* Case-blind, as every directory compares these attributes. */
bool ldap_batch_owns(const struct ldap_batch *, const char *attribute,
    struct slice value, const struct address *);

#endif
