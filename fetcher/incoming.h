/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incoming - one message on its way from the provider into the spool.
 *
 * The header block (at most HEADER_HELD_MAX) is held, the candidates are found
 * in it, then ticket, trace, header and body are written to the spool file as
 * they come.  Memory does not depend on the message's size.
 */
#ifndef FETCHER_INCOMING_H
#define FETCHER_INCOMING_H

#include "base/error.h"
#include "config/config.h"
#include "fetcher/delivery.h"
#include "mail/ticket.h"
#include "policy/intake.h"

struct incoming;

struct incoming_settings { /* borrowed until incoming_free() */
	const struct config *config;
	const struct account *account;
	const struct ticket_key *key;
	uint32_t hopcount_limit; /* Postfix's; 0: unknown */
	uint64_t size_limit;     /* Postfix's, of the spool file; 0: none */
};

struct incoming *incoming_new(const struct incoming_settings *);
/* The next bytes, lines ending in LF.  ERROR_LOCAL: the spool is full. */
bool incoming_feed(struct incoming *, struct slice, struct error *);
/* The message is complete: so is the spool file.  ERROR_LOCAL. */
bool incoming_finish(struct incoming *, struct error *);
/* After incoming_finish(): fills in id, spool_path, spool_size, sender, origin,
 * tier, n_candidates, content and fingerprint.  What these point to is valid
 * until incoming_free(). */
void incoming_describe(const struct incoming *, struct delivery_message *);
/* After incoming_finish(): must it not be injected, and why?  `released`: the
 * administrator's word, for a message that came back (seen.h); whose it is may
 * be known by its content only, so such a message is spooled in any case. */
bool incoming_must_park(
    const struct incoming *, bool released, char reason[INTAKE_REASON_SIZE]);
/* After incoming_finish(): larger than size_limit, whatever the server said of
 * its size.  The rest was read and dropped, and the spool file is gone. */
bool incoming_is_too_large(const struct incoming *);
/* The spool file now belongs to somebody else. */
void incoming_keep(struct incoming *);
/* Removes the spool file unless it was kept.  Takes NULL. */
void incoming_free(struct incoming *);

#endif
