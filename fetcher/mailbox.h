/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox - one account of the configuration while the fetcher runs: when it
 * is polled next, what its last pass did, who waits for the next.  It is found
 * by name and outlives reloads.
 *
 *	pausing ─start─► queued (turn) ─► a pass (session) ─► pausing
 */
#ifndef FETCHER_MAILBOX_H
#define FETCHER_MAILBOX_H

#include "base/slice.h"
#include "fetcher/alerts.h"
#include "fetcher/awaiting.h"
#include "fetcher/progress.h"
#include "fetcher/status.h"
#include "fetcher/turnstile.h"

struct mailbox {
	struct accounts *accounts;
	char *name;
	struct timer *timer;
	/* Both clock_monotonic_ms(), between passes: the next one, or
	 * SCHEDULE_NEVER; and not before, whoever wants it. */
	int64_t due_ms, least_ms;
	struct schedule schedule;
	int64_t listening_ms; /* since when it hears of mail; 0: it does not */
	size_t last_folder;   /* of the last pass */
	struct turn *turn;    /* NULL while pausing */
	struct session *session; /* NULL between passes, unless it stays to
				  * hear of mail */
	struct probe *probe;
	const struct account *account;      /* of the session */
	const struct pass_result *progress; /* of the session */
	bool gone;                          /* no longer configured */
	bool poll_again;     /* asked for while a pass is under way */
	bool held;           /* reported; not again until it changes */
	bool without_capa;   /* the server cannot bear CAPA */
	struct error notice; /* the last one */
	struct alerts alerts;
	struct account_status status;
	struct progress backlog;
	struct awaiting awaiting;
	struct mailbox *next;
};

/* `start` begins a pass; its argument is the mailbox. */
struct mailbox *mailbox_new(
    struct loop *, const char *name, loop_handler *start, struct accounts *);
/* Between passes. */
void mailbox_free(struct mailbox *);
struct mailbox *mailbox_find(struct mailbox *first, struct slice name);
/* The next pass begins after this pause; SCHEDULE_NEVER: not of itself. */
void mailbox_pause(struct mailbox *, int64_t pause_ms);
/* A pass begins now, or right after the one that is under way.  But what the
 * server has asked for is waited for, and so is a minute after a refused login:
 * returns how long, in milliseconds. */
int64_t mailbox_poll_now(struct mailbox *);
/* A reload is for those who mended something: no pause after failures any more.
 * What the server asked for is waited for still, but not the minute after a
 * refused login.  If it is queued, it is so no longer. */
void mailbox_forgive(struct mailbox *);
/* It waits for a connection. */
bool mailbox_is_queued(const struct mailbox *);

#endif
