/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery - one spooled message from here to its committed fate: asks whether
 * it may be injected, injects it, records the outcome, logs the one line.
 *
 * The order of promises lives here: Postfix has accepted it, then the state is
 * committed, then `done` runs - and only a done of DELIVERY_INJECTED, or of
 * DELIVERY_DUPLICATE, gives the right to delete the message at the provider.
 */
#ifndef FETCHER_DELIVERY_H
#define FETCHER_DELIVERY_H

#include "config/config.h"
#include "fetcher/loop.h"
#include "fetcher/readiness.h"
#include "fetcher/room.h"
#include "fetcher/spool.h"
#include "fetcher/storage.h"
#include "recipients/candidates.h"

struct delivery;

enum delivery_outcome {
	DELIVERY_INJECTED,  /* committed: may be deleted */
	DELIVERY_DUPLICATE, /* committed as a copy of one that is committed as
			     * injected: may be deleted */
	DELIVERY_RETRY,     /* committed: stays, comes again after a pause */
	DELIVERY_SETTLED,   /* committed as parked or oversize: stays */
	DELIVERY_HELD,      /* nothing happened; not ready: end the pass */
};
typedef void
delivery_handler(void *arg, enum delivery_outcome, const struct error *reason);

/* What is known of a message when its fate is decided.  Borrowed until
 * delivery_submit() or delivery_settle() returns, `account` until done. */
struct delivery_message {
	const struct account *account;
	const char *mailbox; /* the key of its state */
	struct slice uid;
	struct seen_row row; /* as it was */
	uint64_t size;       /* as the provider said */
	char id[SPOOL_ID_SIZE];
	const char *spool_path; /* NULL: nothing was spooled */
	uint64_t spool_size;
	const uint8_t *content; /* SEEN_CONTENT_SIZE bytes; NULL: unknown */
	/* SEEN_FINGERPRINT_SIZE bytes; NULL: no copies are looked for. */
	const uint8_t *fingerprint;
	struct address sender;
	struct origin origin;
	enum tier tier;
	size_t n_candidates;
	delivery_handler *done; /* runs once, later */
	void *arg;
};

/* Keeps references on all of these; they must outlive it. */
struct delivery *delivery_new(
    struct loop *, struct config *, struct storage *, struct readiness *);
void delivery_free(struct delivery *); /* only when idle */
void delivery_configure(struct delivery *, struct config *);

/* May be more than inject.parallel: these wait their turn.  What has a
 * fingerprint is injected unless it is a copy of what was. */
void delivery_submit(struct delivery *, const struct delivery_message *);
/* For what is not to be injected: SEEN_PARKED, SEEN_OVERSIZE or (the provider
 * cut or refused it) SEEN_RETRY, with the reason. */
void delivery_settle(struct delivery *, const struct delivery_message *,
    enum seen_status, const char *reason);
/* Whoever fetches asks it first; it counts what was submitted or settled and is
 * not done yet. */
struct room *delivery_room(struct delivery *);
/* From now on those that wait their turn are held; what Postfix is being given goes
 * on. */
void delivery_stop(struct delivery *);

#endif
