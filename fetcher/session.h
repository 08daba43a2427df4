/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - one account's connection, and the passes over it: log in, list each
 * folder, compare with the state, fetch, delete what may be deleted.
 *
 * A pass ends with QUIT, and so does the session; unless the server can tell of
 * new mail (IDLE) and the account wants that: then the session stays, hears,
 * and begins further passes by itself.
 *
 * Drives a dialogue by what pass says.  A message is disposed of only after
 * delivery said that "injected" is committed.
 */
#ifndef FETCHER_SESSION_H
#define FETCHER_SESSION_H

#include "config/config.h"
#include "fetcher/delivery.h"
#include "fetcher/schedule.h"
#include "fetcher/turnstile.h"

struct alerts;
struct session;

struct pass_result {
	enum pass_end end;
	struct error error; /* of PASS_HELD and PASS_FAILED */
	unsigned listed, fetched, injected, deleted;
	unsigned duplicates; /* of what was injected, then or before */
	unsigned waiting;    /* refused before: their next try is later */
	int64_t begun_ms; /* the fetching, clock_monotonic_ms(); 0: not yet */
	/* To be fetched, by the listing (of those that a limit leaves to the
	 * next pass as well), and what was received so far. */
	unsigned due;
	uint64_t due_bytes, bytes;
	/* The server wants so long between two logins; 0: did not say. */
	uint32_t login_delay_s;
	/* Wrong with the mailbox, yet no end of the pass; "": nothing.  With
	 * IMAP folder="NAME" comes first.  Told again only when it changes. */
	struct error notice;
};
/* A pass is over; the result is borrowed.  `idling`: the session stays, hears of
 * new mail and will begin another pass; else it is gone after the handler. */
typedef void
session_handler(void *arg, const struct pass_result *, bool idling);

struct session_settings {
	struct loop *loop;
	struct config *config;         /* a reference is held */
	const struct account *account; /* of that configuration */
	struct storage *storage;
	struct readiness *readiness;
	struct delivery *delivery;
	struct ticket_keys *keys; /* read again with each pass */
	/* Of its connection.  When the session begins a pass of itself, it waits
	 * there first; when it begins to idle its owner lets it rest. */
	struct turn *turn;
	bool may_idle;
	/* The one that the last pass ended with; kept by its owner. */
	size_t *last_folder;
	/* Whether the server cannot bear CAPA; learned, and kept by its owner. */
	bool *without_capa;
	/* What its users were told of the server's words; kept by its owner. */
	struct alerts *alerts;
	/* Unless NULL: set to what the pass has done so far, until it is
	 * done. */
	const struct pass_result **progress;
	session_handler *done;
	void *arg;
};

/* The handler runs later. */
struct session *session_start(const struct session_settings *);
/* It hears of new mail, and no pass is under way. */
bool session_idles(const struct session *);
/* Begins a pass now, if it idles. */
void session_poll(struct session *);
/* Begins no further message, waits for those in Postfix's hands, and ends.  The
 * one that is being received is finished first, and what is to be deleted is,
 * unless `at_once`. */
void session_stop(struct session *, bool at_once);

#endif
