/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_revise - what the admin looks up and changes in the state.
 *
 * An account is its key ("yaml:office") and means its folders as well.  Changes
 * are made, and all fails, as in seen.h; what a visitor is given is borrowed.
 */
#ifndef STATE_SEEN_REVISE_H
#define STATE_SEEN_REVISE_H

#include "state/seen.h"

/* Counts rows of an account by status into count[SEEN_STATUSES]. */
bool
seen_count(struct seen *, const char *account, uint64_t *count, struct error *);

typedef void seen_visitor(void *arg, const struct seen_entry *);
/* Every row that waits, was given up or is too large, by mailbox and age. */
bool
seen_visit_parked(struct seen *, seen_visitor *, void *arg, struct error *);
/* Every row of an account, or of all ("") by mailbox and UID. */
bool seen_visit(struct seen *, const char *account, seen_visitor *, void *arg,
    struct error *);

/* The message of this id (unless it is "") or else one of this content that is
 * or was in an account's mailboxes, if there is any; the account stands in
 * `mailbox`.  A tombstone, which comes first, has no UID. */
bool seen_visit_same(struct seen *, const struct seen_entry *wanted,
    seen_visitor *, void *arg, struct error *);

struct seen_revision {
	const char *account;
	struct slice message; /* a UID or an id; empty: all of the account */
	enum seen_action {
		/* What waits, was given up or is too large is due now, with
		 * all its tries; what was dropped only when it is named.  What
		 * had been parked or dropped is released. */
		REVISE_RETRY,
		REVISE_DROP, /* such are given up for good */
		/* Rows of whatever status, tombstones with them, and what
		 * their copies are known by: such messages are new again. */
		REVISE_FORGET,
		/* All of the account, when it is listed next (seen_mailbox). */
		REVISE_BASELINE,
		REVISE_ADOPT,
	} action;
};
/* `changed`: how many rows; or 1. */
bool seen_revise(struct seen *, const struct seen_revision *, uint64_t *changed,
    struct error *);
#endif
