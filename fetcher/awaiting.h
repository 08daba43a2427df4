/* SPDX-License-Identifier: Apache-2.0 */
/*
 * awaiting - the clients of the control socket that wait for an account's next
 * pass to be done.
 */
#ifndef FETCHER_AWAITING_H
#define FETCHER_AWAITING_H

#include "fetcher/control.h"
#include "fetcher/session.h"

struct awaiting {
	struct awaited *first;
};

struct awaiting_question {
	struct loop *loop;
	struct control_client *client;
	int64_t wait_ms;
	/* A pass is under way.  It may have listed before the mail came that
	 * the client knows of: the one after it counts. */
	bool late;
};

/* The client gets its one answer from here: after wait_ms at the latest. */
void awaiting_add(struct awaiting *, const struct awaiting_question *);
/* A pass is over: answers those that asked before it began. */
void awaiting_done(struct awaiting *, const struct pass_result *);
/* There will be no further pass: answers all. */
void awaiting_clear(struct awaiting *);

#endif
