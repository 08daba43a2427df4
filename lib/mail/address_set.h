/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address_set - addresses, each once (address_equal), numbered in the order in
 * which they came.
 *
 * Finding one takes the same time however many there are, and whichever: a
 * sender may name a thousand people.  {0} is the empty set.
 */
#ifndef MAIL_ADDRESS_SET_H
#define MAIL_ADDRESS_SET_H

#include "mail/address.h"

struct address_set {
	struct address *all; /* moves when one is added */
	size_t n;
	uint32_t *places; /* a number, plus one; 0: free */
	size_t n_places;  /* a power of two, or 0 */
	/* Of the hash: a sender who could choose a thousand addresses that
	 * belong into one place would make adding them take 29 ms instead of
	 * 0.3 (measured). */
	const uint8_t *key;
};

/* Its number; set->n: not in the set. */
size_t address_set_find(const struct address_set *, const struct address *);
/* False: it was there already. */
bool address_set_add(struct address_set *, const struct address *);
void address_set_clear(struct address_set *);

#endif
