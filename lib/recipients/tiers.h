/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiers - the three places where a message may name its recipients.
 *
 * Pure.  See candidates.h for who uses the answer, zone.h for what is trusted.
 */
#ifndef RECIPIENTS_TIERS_H
#define RECIPIENTS_TIERS_H

#include "mail/address_set.h"
#include "recipients/candidates.h"
#include "recipients/zone.h"

/* All borrowed but `known`: a sender may name the same thousand people again
 * and again. */
struct search {
	const struct config *config;
	const struct account *account;
	struct slice header;
	struct zone zone;
	struct candidates *out;
	struct address_set known; /* of whatever kind but invalid */
	size_t room;              /* in out->all */
	size_t n_named;           /* usable and foreign ones */
};

/* Adds what the tier says to out->all.  True when it names anybody, accepted
 * or foreign; false leaves only candidates that name nobody.  Sets
 * out->overflow and stops at more than a ticket may hold. */
bool tier_search(struct search *, enum tier);

#endif
