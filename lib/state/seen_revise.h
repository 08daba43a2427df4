/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_revise - what the admin looks up and changes in the state.
 *
 * An account is its key ("yaml:office") and means its folders as well.
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

/* SEEN_RETRY makes such rows due now, with all their tries; SEEN_DROPPED gives
 * them up for good. */
struct seen_revision {
	const char *account;
	/* A UID or an id; empty: all of the account but what was dropped. */
	struct slice message;
	enum seen_status status;
};
bool seen_revise(struct seen *, const struct seen_revision *, uint64_t *changed,
    struct error *);
/* Rows of whatever status, a UID's or an id's, or all, and the tombstones with
 * them: such messages are new again. */
bool seen_forget(struct seen *, const char *account, struct slice message,
    uint64_t *forgotten, struct error *);

#endif
