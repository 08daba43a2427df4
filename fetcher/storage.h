/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage - the one thread that may wait for the disk: state, archive, unlink.
 *
 * Jobs are queued from the loop and answered on the loop.  All jobs that wait
 * when the thread comes round share one transaction; nothing is held back to
 * make a group larger.  A failed commit fails every job of the group, and
 * nothing of it happened.
 */
#ifndef FETCHER_STORAGE_H
#define FETCHER_STORAGE_H

#include "base/error.h"
#include "fetcher/loop.h"
#include "state/seen_import.h"
#include "state/seen_original.h"
#include "state/seen_revise.h"

struct storage;

/* Opens the state on the calling thread (errors as seen_open()), makes the
 * folders spool and archive in STATE_DIR, removes the remnants in spool, starts
 * the thread.  The caller holds the lock that keeps other fetchers out. */
struct storage *
storage_start(struct loop *, const char *state_dir, struct error *);
/* Finishes all jobs; their handlers do not run any more.  Not for a handler to
 * call; the loop must still be there. */
void storage_stop(struct storage *);

typedef void storage_handler(void *arg, bool ok, const struct error *);

/* One listing of a mailbox, to be compared with the state (comparison).  The
 * caller owns it and must keep it until the handler ran. */
struct storage_listing {
	const char *mailbox; /* "yaml:office", "yaml:office/INBOX" */
	const char *host, *user;
	struct listed {
		uint32_t number;
		uint32_t uid_offset; /* into uids */
		uint64_t size;
		uint16_t uid_len; /* 0: it has none */
		/* Filled in by the thread: */
		bool duplicate;  /* its UID occurs twice in this listing */
		bool by_content; /* the pass's: what names it is its content */
		struct seen_row row;
	} * entries;
	size_t n;
	const uint8_t *uids;
	bool partial; /* there are others: nothing is taken to be gone */
	bool keeps;   /* the account does not delete at once (`keep`) */
	/* Filled in by the thread: the first eight bytes of the content of each
	 * tombstone, ascending; free(). */
	uint64_t *tombstones;
	size_t n_tombstones;
};
void storage_compare(
    struct storage *, struct storage_listing *, storage_handler *, void *arg);

/* Asks whether a message that was fetched is known by its content, see
 * seen_recognise(); `row` must last until the handler ran, the rest is
 * copied. */
struct storage_arrival {
	const char *mailbox;
	struct slice uid;
	uint64_t size;
	const uint8_t *content;
	struct seen_row *row;
};
void storage_recognise(struct storage *, const struct storage_arrival *,
    storage_handler *, void *arg);

/* What the copies of a message are known by (seen_original.h). */
struct storage_original {
	const char *group;
	const uint8_t *fingerprint; /* NULL: no copies are looked for */
	int64_t window_ms;          /* for so long */
};
/* Asks for the id of the message that was injected and has this fingerprint;
 * "": there is none.  `id`, SEEN_ID_SIZE bytes, must last until the handler ran;
 * the rest is copied. */
void storage_find_original(struct storage *, const struct storage_original *,
    char *id, storage_handler *, void *arg);

/* One message's fate.  The strings are copied. */
struct storage_fate {
	const char *mailbox;
	struct slice uid;
	struct seen_row row;
	const char *id;
	const char *reason;
	const uint8_t *content; /* NULL: unknown */
	const char *spool_path; /* NULL: none; else archived or unlinked after
				   the commit */
	bool archive;
	struct storage_original original; /* of SEEN_INJECTED */
};
/* The handler runs after the commit: only then may it be deleted. */
void storage_record(struct storage *, const struct storage_fate *,
    storage_handler *, void *arg);
/* The admin's change of rows, see seen_revise(); what it points to and `changed`
 * must last until the handler ran. */
void storage_revise(struct storage *, const struct seen_revision *,
    uint64_t *changed, storage_handler *, void *arg);
/* The next lines of an import, see seen_import_some(); it must last until the
 * handler ran. */
void storage_import(
    struct storage *, struct seen_import *, storage_handler *, void *arg);
/* The server confirmed that these messages were deleted or moved away: a UID
 * that comes again names a new message.  Those that `stay`, as they were only
 * flagged, are not touched again.  All is copied; no answer: what cannot be
 * recorded is told by the next listing. */
void storage_disposed(struct storage *, const char *mailbox, bool stay,
    const struct slice *uids, size_t n);
/* Removes a spool file that came to nothing; no answer. */
void storage_discard(struct storage *, const char *spool_path);
/* Archive expiry; no answer (errors are logged). */
void storage_expire(struct storage *, int64_t keep_ms, uint64_t max_bytes);

#endif
