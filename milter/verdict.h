/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict - what becomes of one message that carries a ticket: the edits of
 * its envelope, and the log line.  Pure but for the look-ups; no libmilter.
 *
 * A valid ticket: routed, or deferred when the directory is unsure.  A ticket
 * whose key we do not have: deferred when the fetcher can have handed it over,
 * since that is our fault and not the mail's.  A forged one: passed, as ordinary
 * mail.  Every ticket field is
 * removed from what is routed or passed.  There is no other end: mail is
 * never refused and never dropped.
 */
#ifndef MILTER_VERDICT_H
#define MILTER_VERDICT_H

#include "milter/session.h"
#include "policy/route.h"
#include "state/ticket_key.h"

enum verdict_status { VERDICT_ROUTED, VERDICT_DEFERRED, VERDICT_PASSED };

struct verdict {
	enum verdict_status status;
	bool key_missing; /* deferred, and the administrator must act */
	/* The edits, unless deferred.  First the deletion, then every addition
	 * (see ARCHITECTURE.md); without an addition there is no deletion: an
	 * envelope without recipients loses the mail silently. */
	char **add; /* "<local@domain>" */
	size_t n_add;
	char *remove; /* in the one spelling that counts; NULL: nothing */

	/* What rules ask for besides; borrowed from the configuration. */
	const struct rule_header **headers; /* to be added */
	size_t n_headers;
	char hold[RULE_LABEL_SIZE]; /* the rule that holds it; "": none */

	/* For the log. */
	char id[TICKET_ID_MAX + 1];
	char account[TICKET_ACCOUNT_MAX + 1];
	const char *source; /* a literal */
	struct buf to;      /* "<a>,<b>" */
	struct buf rules;   /* "a,b": those that applied */
	char reason[ERROR_TEXT_MAX];
};

struct verdict_question {
	const struct session *session;
	const struct config *config;
	const struct ticket_keys *keys;
	route_prepare *prepare; /* NULL: none */
	route_lookup *lookup;
	void *context;
};

/* The session has a ticket field. */
void verdict_make(const struct verdict_question *, struct verdict *out);
/* Whatever was decided: the mail has to wait, for this reason. */
void verdict_defer(struct verdict *, const char *reason);
/* "QUEUEID: id=… account=… source=… to=… status=…", without line end; the
 * rules that applied follow, and a reason unless routed. */
void
verdict_write(const struct verdict *, const struct session *, struct buf *out);
void verdict_clear(struct verdict *);

#endif
