/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass - the work of one session, apart from its protocol: what was listed,
 * what the state says about it, what comes next, what is under way.
 *
 * The session asks pass_next() whenever the server waits for a command, and
 * tells what came of it.  Knows no socket.
 */
#ifndef FETCHER_PASS_H
#define FETCHER_PASS_H

#include "fetcher/incoming.h"
#include "fetcher/listing.h"
#include "fetcher/session.h"
#include "recipients/candidates.h"

enum pass_step {
	STEP_RETRIEVE,
	STEP_DELETE,
	STEP_WAIT, /* for what is under way; `changed` will run */
	STEP_QUIT, /* nothing is left to do, or to be waited for */
};

/* First in, first out. */
struct queue {
	uint32_t *items;
	size_t n, taken, room;
};

struct pass {
	const struct session_settings *settings;
	char account_key[ACCOUNT_KEY_SIZE];
	struct listing listing;
	struct queue fetches, oversize; /* offsets into the listing */
	struct queue deletes;           /* message numbers */
	struct incoming_settings incoming_settings;
	struct incoming *incoming; /* the message being received */
	struct listed *current;
	size_t in_flight; /* deliveries */
	bool comparing;
	bool stopping; /* begin nothing new */
	bool awaiting_room;
	struct pass_result result;
	loop_handler *changed;
	void *arg;
};

/* `changed` runs when pass_next() may have another answer. */
void pass_init(struct pass *, const struct session_settings *,
    loop_handler *changed, void *arg);
/* Only when pass_idle(). */
void pass_clear(struct pass *);
/* The listing is complete: compares it with the state. */
void pass_compare(struct pass *);
/* What the server is to be asked now, and for which message number. */
enum pass_step pass_next(struct pass *, uint32_t *number);

/* The message of STEP_RETRIEVE: its bytes, its end.  ERROR_LOCAL. */
bool pass_body(struct pass *, struct slice, struct error *);
bool pass_body_end(struct pass *, struct error *);
/* It could not be had whole (the server refused or broke off): it comes again
 * after a pause, the others go first. */
void pass_broken(struct pass *, const struct error *);
/* It was given up for a reason that is not the message's. */
void pass_abandon(struct pass *);
void pass_deleted(struct pass *);

/* Something to be told that does not end the pass; the first counts. */
void pass_notice(struct pass *, const struct error *);
/* Begin nothing new.  With an error, the pass has failed or is held. */
void pass_stop(struct pass *, enum pass_end, const struct error *);
/* Nothing is under way. */
bool pass_idle(const struct pass *);

#endif
