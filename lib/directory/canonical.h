/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical - the one address that somebody's entries name as their own: the
 * values of the attribute `rewrite_to`.
 *
 * Values of proxyAddresses are "smtp:address", and the main one of them is
 * "SMTP:address"; with any other scheme they are no mail addresses.  Pure.
 */
#ifndef DIRECTORY_CANONICAL_H
#define DIRECTORY_CANONICAL_H

#include "mail/address.h"

struct canonical {
	size_t n; /* different addresses, as far as it matters: 0, 1, 2 */
	struct address address; /* if it is one */
};

/* Begins with a zeroed struct.  What is no address does not count. */
void canonical_add(struct canonical *, struct slice value);
void canonical_merge(struct canonical *, const struct canonical *);

#endif
