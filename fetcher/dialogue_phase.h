/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialogue_phase - what the parts of a dialogue share.  dialogue opens and ends
 * it, and minds its clocks; dialogue_driver gives the machine of the protocol
 * what the server says, and does what the machine says; dialogue_commands gives
 * it what the owner asks for.  Only they use this.
 */
#ifndef FETCHER_DIALOGUE_PHASE_H
#define FETCHER_DIALOGUE_PHASE_H

#include "fetcher/conn.h"
#include "fetcher/dialogue.h"
#include "fetcher/login_secret.h"

/* Each has a clock of its own. */
enum phase {
	PHASE_SECRET,
	PHASE_LOGIN,
	PHASE_LISTING,
	PHASE_COMMAND,
	PHASE_MESSAGE,
	PHASE_IDLE,
	PHASE_QUIT
};

struct dialogue {
	struct dialogue_settings settings;
	struct conn_settings conn_settings;
	struct conn *conn; /* NULL before and after */
	struct login_secret *secret;
	struct protocol_login login;
	const struct protocol *protocol;
	void *machine;
	struct timer *deadline, *over;
	struct error error; /* why it ended */
	enum phase phase;
	bool in_body;       /* a literal or message is coming */
	bool for_owner;     /* and it is a message */
	bool logged_in;     /* once */
	bool quitting;      /* QUIT was sent */
	bool timed;         /* `deadline` runs */
	bool advanced;      /* a reply was complete: it begins anew */
	bool ended, closed; /* closed: as it should be */
	bool freed;         /* by the owner, while `depth` calls run */
	unsigned depth;
};

/* In dialogue.c */

/* Calls that may lead to the owner's handlers go between these: the owner may
 * free the dialogue meanwhile. */
void dialogue_hold(struct dialogue *);
void dialogue_let_go(struct dialogue *);
/* The connection is closed, and the owner hears of it from the loop. */
void dialogue_end(struct dialogue *);
/* The same with the reason; the first counts. */
void dialogue_fail(struct dialogue *, const struct error *);
/* As dialogue_fail(), for what the machine says, which does not know the host.
 * A token that was refused may be followed by another one instead. */
void dialogue_fail_protocol(struct dialogue *, const struct error *);
/* Clocks run while something is due, and begin anew with each complete reply,
 * never with a byte. */
void dialogue_mind_clocks(struct dialogue *);

/* In dialogue_driver.c */

conn_handler dialogue_on_conn;
/* What a call of the machine came to; it may be the owner's end. */
void
dialogue_perform(struct dialogue *, struct protocol_action, struct error *);

#endif
