/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake - what is decided about a message before it is injected: does it go
 * round in circles, in whose name is it sent on, and may it be answered?  Pure.
 */
#ifndef POLICY_INTAKE_H
#define POLICY_INTAKE_H

#include "recipients/candidates.h"

enum {
	INTAKE_REASON_SIZE = 160,
	INTAKE_HOPCOUNT_LIMIT = 50, /* Postfix's default hopcount_limit */
};

/* True: park it.  Postfix would bounce it at hopcount_limit Received fields,
 * and its own hops need some of them; or it was collected from this very
 * account before, and the administrator did not release it since. */
bool intake_loops(const struct candidates *, bool released,
    unsigned hopcount_limit, char reason[INTAKE_REASON_SIZE]);
/* The envelope sender as the account wants it; null when the provider gave
 * none that can be read.  One that is null stays null, whatever the account
 * wants (RFC 5321 4.5.5, RFC 3834): else notices answer notices. */
struct address intake_sender(
    const struct config *, const struct account *, const struct candidates *);
/* By a vacation notice, say (RFC 3834).  Not where the recipients are a guess,
 * or nobody was named: who gets the message may not be whom it was for. */
bool intake_may_be_answered(enum tier);

#endif
