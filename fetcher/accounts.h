/* SPDX-License-Identifier: Apache-2.0 */
/*
 * accounts - the mailboxes of the configuration: whose pass begins when, what
 * comes after it.  It ends the loop when none is left: after a stop, or when
 * each is done (DAEMON_ONCE, DAEMON_PROBE).
 */
#ifndef FETCHER_ACCOUNTS_H
#define FETCHER_ACCOUNTS_H

#include "fetcher/daemon.h"
#include "fetcher/delivery.h"
#include "fetcher/mailbox.h"

struct accounts;

/* All borrowed; storage, readiness, delivery are NULL for DAEMON_PROBE. */
struct accounts_settings {
	enum daemon_mode mode;
	const char *only; /* one account's name, or NULL */
	enum probe_format probe;
	struct loop *loop;
	struct storage *storage;
	struct readiness *readiness;
	struct delivery *delivery;
	struct ticket_keys *keys;
};

/* None before accounts_apply(). */
struct accounts *accounts_new(const struct accounts_settings *);
/* When the loop has ended; returns the exit status (daemon_run()). */
int accounts_close(struct accounts *);
/* Makes mailboxes and limits those of the configuration, of which it keeps a
 * reference; again after a reload. */
void accounts_apply(struct accounts *, struct config *);
/* Those on demand too. */
void accounts_poll_now(struct accounts *);
/* No new message is begun. */
void accounts_stop(struct accounts *);
void accounts_log_progress(const struct accounts *);
struct mailbox *const *accounts_mailboxes(const struct accounts *);

#endif
