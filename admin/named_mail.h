/* SPDX-License-Identifier: Apache-2.0 */
/*
 * named_mail - the message that an administrator means by a path, "-", an id of
 * the archive, a queue id of Postfix or a Message-ID: as the provider sent it,
 * and what else is known of it.
 *
 * Run as root it reads the archive as the user to whom that belongs.
 */
#ifndef ADMIN_NAMED_MAIL_H
#define ADMIN_NAMED_MAIL_H

#include <stdio.h>

#include "admin/archive_search.h"
#include "admin/queue_trace.h"
#include "config/config.h"
#include "mail/ticket.h"

struct named_mail {
	FILE *file;    /* can be read twice; from where it is, the message */
	bool archived; /* as it was collected, from the archive */
	char id[TICKET_ID_MAX + 1]; /* under which it was collected, or "" */
	int64_t collected_ms;       /* when it was handed over; 0: unknown */
	char *account;              /* from which; NULL: unknown */
	bool has_ticket;            /* what the fetcher found then: */
	struct ticket ticket;
	/* Postfix has taken Return-Path and Bcc out of it. */
	bool delivered;
	char queue_id[QUEUE_ID_MAX];  /* that it was named by, or "" */
	char place[QUEUE_PLACE_SIZE]; /* where that one was found */
	struct archive_hits hits; /* all with the Message-ID that it was named
				   * or found by, the newest of which it is */
};

/* `account_given`: then a file with an X-Mailhaul field is one that lies so at
 * the provider, not a copy that was delivered.
 * ERROR_REFUSED: nothing is known by that name.  ERROR_CONFIG: the archive cannot
 * be read.  ERROR_LOCAL: the file cannot. */
bool named_mail_open(const struct config *, const char *name,
    bool account_given, struct named_mail *, struct error *);
void named_mail_close(struct named_mail *);

#endif
