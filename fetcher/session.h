/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - one pass over one account: log in, list, compare with the state,
 * fetch, delete what may be deleted, QUIT.
 *
 * Drives the pure POP3 machine over a conn; owns the clocks.  A message is
 * deleted only after delivery said that "injected" is committed.
 */
#ifndef FETCHER_SESSION_H
#define FETCHER_SESSION_H

#include "config/config.h"
#include "fetcher/delivery.h"
#include "fetcher/schedule.h"

struct session;

struct pass_result {
	enum pass_end end;
	struct error error; /* of PASS_HELD and PASS_FAILED */
	unsigned listed, fetched, injected, deleted;
	unsigned waiting; /* refused before: their next try is later */
	/* To be fetched, by the listing (of those that a limit leaves to the
	 * next pass as well), and what was received so far. */
	unsigned due;
	uint64_t due_bytes, bytes;
	/* The server wants so long between two logins; 0: did not say. */
	uint32_t login_delay_s;
	/* Wrong with the mailbox, yet no end of the pass; "": nothing.  Told
	 * again only when it changes. */
	struct error notice;
};
/* The result is borrowed; the session is gone after the handler. */
typedef void session_handler(void *arg, const struct pass_result *);

struct session_settings {
	struct loop *loop;
	struct config *config;         /* a reference is held */
	const struct account *account; /* of that configuration */
	struct storage *storage;
	struct readiness *readiness;
	struct delivery *delivery;
	const struct ticket_key *key;
	/* Log in, say what is there, and quit: nothing is fetched, injected or
	 * remembered; storage, readiness, delivery and key are not used. */
	bool probe;
	/* Unless NULL: set to what the pass has done so far, until it is
	 * done. */
	const struct pass_result **progress;
	session_handler *done;
	void *arg;
};

/* The handler runs once, later. */
struct session *session_start(const struct session_settings *);
/* Begins no further message, waits for those in Postfix's hands, and ends.  The
 * one that is being received is finished first, unless `at_once`. */
void session_stop(struct session *, bool at_once);

#endif
