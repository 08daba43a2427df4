/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fingerprint - what the copies of one message have in common.
 *
 * A provider that records no envelope recipient may still store one copy for
 * each.  The copies differ in the fields that servers write (Received), and
 * agree in what the sender wrote: Message-ID, Date, From, what a resender says
 * in their place, and the body, byte by byte but for CR.  To, Cc and Bcc count
 * as what was found in them, in any order: who was guessed is who gets it.
 *
 * Pure.
 */
#ifndef RECIPIENTS_FINGERPRINT_H
#define RECIPIENTS_FINGERPRINT_H

#include "base/digest.h"
#include "recipients/candidates.h"

enum { FINGERPRINT_GROUP_SIZE = TICKET_ACCOUNT_MAX + 1 };

/* A digest that waits for the body, piece by piece, and for digest_end(); NULL:
 * no copies of this message are looked for.  Those are only of the tier
 * headers, where the account wants it, and have Message-ID and Date.  What was
 * collected before and came back is none: whom it was delivered to does not have
 * it but sent it on.
 * `header` is the header block; one without an end in HEADER_HELD_MAX bytes has
 * no fingerprint. */
struct digest *fingerprint_begin(const struct config *, const struct account *,
    struct slice header, const struct candidates *);
void fingerprint_add(struct digest *, struct slice body);

/* The key of the accounts among whose messages copies are looked for:
 * "group:NAME", or that of the account alone. */
void
fingerprint_group(const struct account *, char out[FINGERPRINT_GROUP_SIZE]);

#endif
