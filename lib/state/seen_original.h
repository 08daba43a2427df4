/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_original - which messages were injected, by what their copies have in
 * common with them (recipients/fingerprint): those that come later, also by way
 * of another account of the same group, are duplicates.
 *
 * A row stands for a message that is committed as injected, since it is written
 * in the same transaction.  At most SEEN_ORIGINALS_MAX are kept, the newest.
 * Errors are those of seen.h.
 */
#ifndef STATE_SEEN_ORIGINAL_H
#define STATE_SEEN_ORIGINAL_H

#include "state/seen.h"

enum {
	SEEN_FINGERPRINT_SIZE = 32,
	SEEN_ID_SIZE = 64,
	SEEN_ORIGINALS_MAX = 1000000,
};

struct seen_original {              /* all borrowed */
	const char *group;          /* opaque: "yaml:office", "group:NAME" */
	const uint8_t *fingerprint; /* SEEN_FINGERPRINT_SIZE bytes */
	const char *mailbox, *id;   /* which message it was */
	int64_t injected_ms;        /* wall clock */
	int64_t until_ms;           /* then it is forgotten */
};
/* Replaces what had the same fingerprint in the group, and forgets what is to be
 * forgotten by injected_ms.  Inside a transaction. */
bool
seen_original_put(struct seen *, const struct seen_original *, struct error *);
/* The id of the message with that fingerprint that was injected at `since_ms` or
 * later; "": there is none.  Of `original` group and fingerprint count. */
bool seen_original_find(struct seen *, const struct seen_original *,
    int64_t since_ms, char id[static SEEN_ID_SIZE], struct error *);

#endif
