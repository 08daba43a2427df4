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

struct incoming;

struct incoming_settings { /* borrowed until incoming_free() */
	const struct config *config;
	const struct account *account;
	const struct ticket_key *key;
	uint32_t hopcount_limit; /* Postfix's; 0: unknown */
};

struct incoming *incoming_new(const struct incoming_settings *);
/* The next bytes, lines ending in LF.  ERROR_LOCAL: the spool is full. */
bool incoming_feed(struct incoming *, struct slice, struct error *);
/* The message is complete.  Fills in id, spool_path, spool_size, sender, tier
 * and n_candidates of *out (the path is valid until incoming_free()).
 * *park is NULL, or why it must not be injected (then spool_path is NULL).
 * ERROR_LOCAL. */
bool incoming_finish(struct incoming *, struct delivery_message *out,
    const char **park, struct error *);
/* The spool file now belongs to somebody else. */
void incoming_keep(struct incoming *);
/* Removes the spool file unless it was kept.  Takes NULL. */
void incoming_free(struct incoming *);
/* Bytes so far, as they came. */
uint64_t incoming_size(const struct incoming *);

#endif
