/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass - the work on one mailbox in one session, apart from its protocol: what
 * was listed, what the state says about it, what comes next, what is under way.
 * Knows no socket.
 *
 * The driver asks pass_next() whenever it may give the server a command, also
 * while others are under way, and tells what came of each.  The numbers are
 * those of the listing: POP3's message numbers, IMAP's UIDs.
 */
#ifndef FETCHER_PASS_H
#define FETCHER_PASS_H

#include "fetcher/incoming.h"
#include "fetcher/listing.h"
#include "fetcher/session.h"
#include "recipients/candidates.h"

/* So many messages are asked for and not yet begun, at most. */
enum { PASS_REQUESTED_MAX = 16 };

enum pass_step {
	STEP_RETRIEVE,
	STEP_DISPOSE,
	STEP_WAIT, /* for what is under way: ask again after the server's next
		    * reply, or when `changed` ran */
	STEP_QUIT, /* nothing is left to do, or to be waited for */
};

/* First in, first out. */
struct queue {
	uint32_t *items;
	size_t n, taken, room;
};

struct pass {
	const struct session_settings *settings;
	char *mailbox; /* the key of its state */
	struct listing listing;
	struct queue fetches, oversize; /* offsets into the listing */
	struct queue deletes;           /* message numbers */
	struct queue disposed;          /* message numbers, for the state */
	bool stays;     /* those in `disposed` are only flagged */
	bool immediate; /* what the server disposes of is gone at once */
	/* Asked for and not yet begun, in this order; offsets. */
	uint32_t requested[PASS_REQUESTED_MAX];
	size_t n_requested;
	unsigned asked; /* messages and bytes in all, for the limits */
	uint64_t asked_bytes;
	uint64_t expected; /* of those; delivery knows */
	uint64_t received; /* bytes of whole messages, by their listed sizes */
	struct incoming_settings incoming_settings;
	struct incoming *incoming; /* the message being received */
	struct listed *current;
	struct flight *flights; /* complete, and their fate not committed */
	size_t in_flight, recognising;
	size_t unidentified; /* entries that are still to be named */
	bool by_content;     /* there were some */
	bool comparing, compared;
	bool stopping; /* begin nothing new */
	bool awaiting_room;
	struct pass_result result;
	loop_handler *changed;
	void *arg;
};

/* `folder`: of IMAP; NULL with POP3.  `changed` runs when pass_next() may have
 * another answer. */
void pass_init(struct pass *, const struct session_settings *,
    const char *folder, loop_handler *changed, void *arg);
/* Only when pass_idle(). */
void pass_clear(struct pass *);
/* Another folder of the same account, in the same pass: what was counted goes on
 * being counted.  Only when pass_idle(). */
void pass_move(struct pass *, const char *folder);
/* Another pass: nothing was done yet. */
void pass_restart(struct pass *);
/* All was added to .listing: compares it with the state.  A listing that does
 * not name the whole mailbox has listing.found.partial set. */
void pass_compare(struct pass *);
/* What the server is to be asked now, and for which message number. */
enum pass_step pass_next(struct pass *, uint32_t *number);

/* A message of STEP_RETRIEVE, in any order: it begins, its bytes, its end.
 * ERROR_PROTOCOL: it was not asked for.  ERROR_LOCAL. */
bool pass_body_begin(struct pass *, uint32_t number, struct error *);
bool pass_body(struct pass *, struct slice, struct error *);
bool pass_body_end(struct pass *, struct error *);
/* The server refused what it was asked about this message.  One that it will
 * not give comes again after a pause, the others go first. */
void pass_refused(struct pass *, uint32_t number, const struct error *);
/* The session is over, whatever was asked for: no further message comes.  Not
 * NULL and not ERROR_LOCAL: the message that was to come next is to blame, and
 * comes again after a pause. */
void pass_lost(struct pass *, const struct error *);
/* The server took the disposal: with IMAP it is done, with POP3 accepted.
 * `stays`: it is still in the folder. */
void pass_disposed(struct pass *, uint32_t number, bool stays);
/* POP3: QUIT was answered, all deletions are done.  What is counted as deleted is
 * what was confirmed. */
void pass_confirmed(struct pass *);
/* Are there deletions of which this is not known? */
bool pass_unconfirmed(const struct pass *);

/* Something to be told that does not end the pass; the first counts. */
void pass_notice(struct pass *, const struct error *);
/* Begin nothing new.  With an error, the pass has failed or is held. */
void pass_stop(struct pass *, enum pass_end, const struct error *);
/* What the server was not asked to delete yet waits for another pass. */
void pass_drop_disposals(struct pass *);
/* A message was asked for and is not here whole. */
bool pass_is_receiving(const struct pass *);
/* Nothing is under way, but for what the server was asked. */
bool pass_idle(const struct pass *);

#endif
