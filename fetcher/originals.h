/* SPDX-License-Identifier: Apache-2.0 */
/*
 * originals - of the copies of one message only one is delivered.
 *
 * Whoever has a message with a fingerprint makes a claim.  The first one that
 * claims it, as long as no message with that fingerprint is recorded as
 * injected, is to deliver it; the others wait until that one is released, and
 * then are asked about again: its fate is committed by then, so if it came to
 * nothing the next one is to deliver.  Never two at a time, and never none.
 */
#ifndef FETCHER_ORIGINALS_H
#define FETCHER_ORIGINALS_H

#include "fetcher/storage.h"

struct originals;

/* `original_id`: of the message that was injected, this is a copy of it, and
 * nothing is held any more; "": this one is to be delivered, and then released.
 * `err`, not NULL: the state cannot be asked; nothing is held. */
typedef void
claim_handler(void *arg, const char *original_id, const struct error *err);

struct claim { /* the owner's, until it is released or not held any more */
	struct storage_original original;
	claim_handler *done; /* runs once, later */
	void *arg;
	/* Not the owner's: */
	struct originals *originals;
	bool held;
	char original_id[SEEN_ID_SIZE];
	struct claim *next; /* in the order in which they came */
};

struct originals *originals_new(struct storage *);
void originals_free(struct originals *); /* only without claims */
void originals_claim(struct originals *, struct claim *);
/* Its fate is committed, or nothing happened.  Does nothing unless it is held. */
void originals_release(struct claim *);

#endif
