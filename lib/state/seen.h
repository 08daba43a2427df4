/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen - which messages were injected, and what is to become of the others
 * (SQLite: STATE_DIR/state.db; WAL, synchronous=FULL, STRICT, user_version).
 *
 * Blocking; the fetcher calls it on its storage thread only.  Every change is
 * made inside seen_begin()/seen_commit(); after seen_commit() returned true it
 * survives a crash at any instant.  UIDs are opaque bytes of at most
 * SEEN_UID_MAX; accounts are opaque text with a namespace ("yaml:office").
 */
#ifndef STATE_SEEN_H
#define STATE_SEEN_H

#include "base/error.h"
#include "base/slice.h"

enum { SEEN_UID_MAX = 255 };

enum seen_status {
	SEEN_NEW,      /* no row */
	SEEN_INJECTED, /* committed: may be deleted at the provider */
	SEEN_RETRY,    /* refused; again after not_before_ms */
	SEEN_PARKED,   /* given up; reported; stays at the provider */
	SEEN_OVERSIZE, /* above message_size_limit; reported once */
	SEEN_DROPPED,  /* the admin's word: never fetched, never reported */
};
enum { SEEN_STATUSES = SEEN_DROPPED + 1 };
/* "injected", "retry", "parked", … */
const char *seen_status_name(enum seen_status);

struct seen_row {
	enum seen_status status;
	int64_t injected_ms;   /* wall clock; of SEEN_INJECTED */
	int64_t not_before_ms; /* wall clock; of SEEN_RETRY */
	uint32_t tries;
	uint64_t size; /* what the server said, or SEEN_OVERSIZE: what it was
			* found to be, if that is more; 0: unknown */
};

struct seen;

/* Opens or creates.  ERROR_CONFIG: damaged (quick_check), empty, of a newer
 * version, not writable: refuse to fetch, touch nothing.  Only one process may
 * write; others may read at the same time. */
struct seen *seen_open(const char *state_dir, struct error *);
/* For a look beside the process that writes: never creates, changes or migrates
 * anything.  ERROR_CONFIG, also when it is of an older version. */
struct seen *seen_open_readonly(const char *state_dir, struct error *);
void seen_close(struct seen *);

bool seen_begin(struct seen *, struct error *);
bool seen_commit(struct seen *, struct error *);
void seen_rollback(struct seen *);

/* Remembers host and user of an account at first sight; ERROR_CONFIG when the
 * name was used for another host or user before. */
bool seen_account(struct seen *, const char *account, const char *host,
    const char *user, struct error *);
/* The row of a UID; SEEN_NEW without one. */
bool seen_get(struct seen *, const char *account, struct slice uid,
    struct seen_row *, struct error *);
/* What is to be remembered of one UID; all borrowed.  The account must have
 * been named by seen_account() once. */
struct seen_entry {
	const char *account;
	struct slice uid;
	struct seen_row row;
	const char *id;     /* the spool id, for the admin */
	const char *reason; /* one printable line, for the admin; of
			     * SEEN_INJECTED Postfix's queue id, or "" */
};
bool seen_put(struct seen *, const struct seen_entry *, struct error *);
/* Marks the UID as present in the listing `epoch` (any number that only
 * grows).  Marks are kept in memory, until the transaction's
 * seen_forget_others(). */
bool seen_mark(struct seen *, const char *account, struct slice uid,
    uint64_t epoch, struct error *);
/* After a COMPLETE listing: forgets the rows that were not marked in
 * `epoch`. */
bool seen_forget_others(struct seen *, const char *account, uint64_t epoch,
    uint64_t *forgotten, struct error *);
/* The server confirmed that it is gone. */
bool seen_forget(
    struct seen *, const char *account, struct slice uid, struct error *);
/* Counts rows of an account by status into count[SEEN_STATUSES]. */
bool
seen_count(struct seen *, const char *account, uint64_t *count, struct error *);

/* `since_ms`: the wall clock when the UID was first remembered; 0 or the time of
 * injection for rows of before version 2.  All borrowed. */
typedef void
seen_visitor(void *arg, const struct seen_entry *, int64_t since_ms);
/* Every row that is not SEEN_INJECTED, by account and age. */
bool seen_visit(struct seen *, seen_visitor *, void *arg, struct error *);
/* The admin's change of such rows: SEEN_RETRY makes them due now, with all
 * their tries; SEEN_DROPPED gives them up for good. */
struct seen_revision {
	const char *account;
	/* A UID or an id; empty: all of the account but what was dropped. */
	struct slice message;
	enum seen_status status;
};
bool seen_revise(struct seen *, const struct seen_revision *, uint64_t *changed,
    struct error *);

#endif
