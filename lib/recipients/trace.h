/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace - by which accounts a message was collected before.
 *
 * "X-Mailhaul: account=office; at=example.org; id=…; source=envelope" is put on
 * top of each message; `at` is the first of the accepted domains, since other
 * companies may collect by accounts of the same names.  Where a message comes in
 * with one, that is renamed and stays (fetcher/message).  Never an address: it
 * remains in the mail, and Bcc is secret.
 *
 * Pure.
 */
#ifndef RECIPIENTS_TRACE_H
#define RECIPIENTS_TRACE_H

#include "config/config.h"

#define TRACE_FIELD "X-Mailhaul"
#define TRACE_BEFORE_FIELD TRACE_FIELD "-Before"

struct traces {
	bool here; /* some account of ours: it was sent back to a provider */
	bool same; /* this very account: a loop */
};

/* What follows `name`, "account=", in the field's value; empty: nothing. */
struct slice trace_word(struct slice trace, struct slice name);
/* Does a trace's `at` name one of our domains? */
bool trace_is_ours(const struct config *, struct slice at);
/* `header` is the header block as the provider sent it. */
struct traces
trace_find(const struct config *, const struct account *, struct slice header);

#endif
