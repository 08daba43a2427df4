/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail_trace - what the fetcher wrote on top of a message (ticket, X-Mailhaul
 * and what follows it), found in a file of the archive, in Postfix's queue or
 * in a copy that was delivered; and the message without it, as the provider sent
 * it.  Pure.
 *
 * Fields of that kind which came with a message never pass the fetcher under
 * their names (fetcher/message), so the first ones are ours.
 */
#ifndef ADMIN_MAIL_TRACE_H
#define ADMIN_MAIL_TRACE_H

#include "base/buf.h"

struct mail_trace {          /* slices of the header */
	struct slice ticket; /* the field's value; empty: none */
	struct slice account, at, id, source; /* of X-Mailhaul; may be
						 empty */
	size_t begin, end; /* where ours stand; 0 and 0: nowhere */
	size_t ticket_end; /* behind the ticket, if that is the first */
};

/* `header` begins with the message, and may be longer than its header. */
void mail_trace_find(struct slice header, struct mail_trace *);

/* Appends the message's beginning as the provider sent it: without what is ours
 * and above it, and with Delivered-To under its name.  The trace of a Mailhaul
 * before us stays X-Mailhaul-Before, which says the same. */
void mail_trace_restore(
    struct slice beginning, const struct mail_trace *, struct buf *out);

#endif
