/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen - which messages were injected, and what is to become of the others
 * (SQLite: STATE_DIR/state.db; WAL, synchronous=FULL, STRICT, user_version).
 *
 * Blocking; the fetcher calls it on its storage thread only.  Every change is
 * made inside seen_begin()/seen_commit(); after seen_commit() returned true it
 * survives a crash at any instant.  UIDs are opaque bytes of at most
 * SEEN_UID_MAX.
 *
 * What fails is ERROR_LOCAL: the disk, or a change outside a group, or in one
 * that SQLite gave up after an error.  ERROR_CONFIG: the file is damaged.
 *
 * A mailbox is opaque text with a namespace: "yaml:office", or
 * "yaml:office/FOLDER" for a folder.  Account names hold no "/", so an account
 * and its folders are found together.
 *
 * What has left the mailbox is *buried*: its UID is forgotten, for a server may
 * use it again, and what is left is a tombstone that knows the message by its
 * content alone.  A message with the same content that turns up under another
 * UID takes the tombstone and is known again; each serves once.
 */
#ifndef STATE_SEEN_H
#define STATE_SEEN_H

#include "base/error.h"
#include "base/slice.h"

enum { SEEN_UID_MAX = 255, SEEN_CONTENT_SIZE = 32 };

enum seen_status {
	SEEN_NEW,       /* no row */
	SEEN_INJECTED,  /* committed: may be deleted at the provider */
	SEEN_RETRY,     /* refused; again after not_before_ms */
	SEEN_PARKED,    /* given up; reported; stays at the provider */
	SEEN_OVERSIZE,  /* above message_size_limit; reported once */
	SEEN_DROPPED,   /* the admin's word: never fetched, never reported */
	SEEN_DISPOSED,  /* injected, and flagged at the provider; it stays */
	SEEN_BASELINE,  /* the admin's word: was there before us; never fetched
			* and, since we did not inject it, never deleted */
	SEEN_DUPLICATE, /* a copy of one that is committed as injected: is
			 * disposed of as that */
};
enum { SEEN_STATUSES = SEEN_DUPLICATE + 1 };
/* "injected", "retry", "parked", … */
const char *seen_status_name(enum seen_status);

struct seen_row {
	enum seen_status status;
	uint32_t tries;
	/* The admin's word (REVISE_RETRY): to be handed over though it came
	 * back.  seen_put() leaves it as it is while the message waits, and ends
	 * it with any other fate. */
	bool released;
	int64_t injected_ms;   /* wall clock; of SEEN_INJECTED; of
				* SEEN_DUPLICATE when that was found out */
	int64_t not_before_ms; /* wall clock; of SEEN_RETRY */
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

/* A group of changes counts as a whole or not at all.  seen_rollback() gives it
 * up, as is to be done after a failure too; without a group it does nothing. */
bool seen_begin(struct seen *, struct error *);
bool seen_commit(struct seen *, struct error *);
void seen_rollback(struct seen *);

/* The row of a UID; SEEN_NEW without one. */
bool seen_get(struct seen *, const char *mailbox, struct slice uid,
    struct seen_row *, struct error *);
/* What is to be remembered of one UID; all borrowed.  The mailbox must have
 * been claimed once (seen_mailbox). */
struct seen_entry {
	const char *mailbox;
	struct slice uid;
	struct seen_row row;
	const char *id;         /* the spool id, for the admin */
	const char *reason;     /* one printable line, for the admin; of
			     * SEEN_INJECTED Postfix's queue id, or ""; of
			     * SEEN_DUPLICATE the id of the one injected */
	const uint8_t *content; /* SEEN_CONTENT_SIZE bytes; NULL: unknown, or
				 * as it was */
	int64_t since_ms;       /* wall clock when it was first remembered; to
			   * seen_put(), 0: now, or as it was */
};
/* ERROR_PROTOCOL, too: the UID is empty, or longer than SEEN_UID_MAX. */
bool seen_put(struct seen *, const struct seen_entry *, struct error *);

/* Every row of a mailbox in the order of its UIDs (as slice_compare()); with
 * each, whether it is still there.  The gone are buried. */
typedef bool seen_presence(void *arg, const struct seen_entry *);
bool seen_walk(struct seen *, const char *mailbox, seen_presence *, void *arg,
    struct error *);
bool
seen_bury(struct seen *, const char *mailbox, struct slice uid, struct error *);
/* SEEN_INJECTED and SEEN_DUPLICATE become SEEN_DISPOSED. */
bool seen_leave(
    struct seen *, const char *mailbox, struct slice uid, struct error *);
/* Is this message, which is listed under `uid`, one that is known by its
 * content?  Then the row is its, else SEEN_NEW.  Known are the message of that
 * very UID, and those buried that were settled once: injected, duplicate,
 * disposed, baseline, parked, dropped; or released, and waiting since.  `size`
 * is what the server says. */
struct seen_arrival {
	const char *mailbox;
	struct slice uid;
	uint64_t size;
	uint8_t content[SEEN_CONTENT_SIZE];
};
bool seen_recognise(struct seen *, const struct seen_arrival *,
    struct seen_row *, struct error *);
/* The first eight bytes of the content of each tombstone, as a number (the first
 * byte weighs most), ascending; at most SEEN_TOMBSTONES_MAX.  free(). */
enum { SEEN_TOMBSTONES_MAX = 1000000 };
bool seen_tombstones(struct seen *, const char *mailbox, uint64_t **first,
    size_t *n, struct error *);
/* Removes the tombstones of before that time. */
bool seen_expire(
    struct seen *, const char *mailbox, int64_t before_ms, struct error *);

#endif
