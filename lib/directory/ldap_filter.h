/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap_filter - a search filter from the administrator's template and an
 * address that a stranger chose (RFC 4515).  Pure.
 *
 * {address}, {local} and {domain} are replaced; every other "{" or "}" is a
 * mistake.  Every byte of a value outside [A-Za-z0-9@._+-] is written as \xx,
 * so a value can neither end its assertion nor become a wildcard, in
 * whatever character set the server thinks.
 */
#ifndef DIRECTORY_LDAP_FILTER_H
#define DIRECTORY_LDAP_FILTER_H

#include "base/buf.h"
#include "base/error.h"
#include "mail/address.h"

/* What a template that passes gives at most, for any address. */
enum { LDAP_FILTER_MAX = 16384 };

/* ERROR_CONFIG: unknown or unclosed brace, unbalanced parentheses, no address
 * in it at all, too long. */
bool ldap_filter_check(const char *filter, struct error *);

/* Appends the filter for this address to `out` (ceiling at least
 * LDAP_FILTER_MAX).  The template has passed ldap_filter_check(). */
void
ldap_filter_write(const char *filter, const struct address *, struct buf *out);

#endif
