/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tiers - the three places where a message may name its recipients.
 *
 * Pure.  See candidates.h for who uses the answer, zone.h for what is trusted.
 */
#ifndef RECIPIENTS_TIERS_H
#define RECIPIENTS_TIERS_H

#include "recipients/candidates.h"
#include "recipients/zone.h"

/* All borrowed but `hashes`: one of each candidate's address, since a sender
 * may name the same thousand people again and again. */
struct search {
	const struct config *config;
	const struct account *account;
	struct slice header;
	struct zone zone;
	struct candidates *out;
	uint32_t *hashes;
	size_t room;    /* for hashes, and in out->all */
	size_t n_named; /* usable and foreign ones */
};

/* Adds what the tier says to out->all.  True when it names anybody, accepted
 * or foreign; false leaves only candidates that name nobody.  Sets
 * out->overflow and stops at more than a ticket may hold. */
bool tier_search(struct search *, enum tier);

#endif
