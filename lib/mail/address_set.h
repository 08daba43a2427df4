/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address_set - addresses, each once (address_equal), numbered in the order in
 * which they came.
 *
 * For some thousands of them.  A search halves: no choice of addresses makes it
 * slow, as it could a hash's (a sender may name a thousand people).  {0} is the
 * empty set.
 */
#ifndef MAIL_ADDRESS_SET_H
#define MAIL_ADDRESS_SET_H

#include "mail/address.h"

struct address_set {
	struct address *all; /* moves when one is added */
	size_t n, size;
	uint32_t *order; /* their numbers, by address_compare() */
};

/* Its number; set->n: not in the set. */
size_t address_set_find(const struct address_set *, const struct address *);
/* False: it was there already. */
bool address_set_add(struct address_set *, const struct address *);
void address_set_clear(struct address_set *);

#endif
