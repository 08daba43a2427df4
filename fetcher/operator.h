/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operator - does what is asked for on the control socket (command).
 *
 * What changes the state is done by the storage thread, between the records of
 * messages under way.
 */
#ifndef FETCHER_OPERATOR_H
#define FETCHER_OPERATOR_H

#include "fetcher/control.h"
#include "fetcher/mailbox.h"
#include "fetcher/room.h"

/* What the daemon has; all borrowed. */
struct operator_view {
	struct loop *loop;
	struct storage *storage;
	const struct room *room;
	struct config *const *config;
	struct mailbox *const *mailboxes;
	int64_t begun_ms; /* clock_monotonic_ms() */
};

struct operator;

/* Errors as control_new(). */
struct operator* operator_start(const struct operator_view *, struct error *);
/* Takes NULL.  Storage must run no handler any more after this. */
void operator_stop(struct operator*);

#endif
