/* SPDX-License-Identifier: Apache-2.0 */
/*
 * candidates - what a message says about its recipients.
 *
 * Pure: header bytes and an account's settings in, addresses out.  Used by the
 * fetcher for the ticket and by `mailhaul explain` for the reasons.  Tiers are
 * tried in order and never merged; a tier that names anybody decides.
 */
#ifndef RECIPIENTS_CANDIDATES_H
#define RECIPIENTS_CANDIDATES_H

#include "config/config.h"
#include "mail/domain.h"
#include "recipients/trace.h"

enum { ORIGIN_IP_SIZE = 46 }; /* INET6_ADDRSTRLEN */

enum candidate_kind {
	CANDIDATE_USABLE,  /* in an accepted domain */
	CANDIDATE_FOREIGN, /* in none */
	CANDIDATE_OWN,     /* the mailbox itself: names nobody */
	CANDIDATE_INVALID, /* could not be parsed, or is unsafe */
};

struct candidate {
	enum candidate_kind kind;
	enum address_fault fault;
	struct address address; /* unless CANDIDATE_INVALID */
	char *text;             /* as found, printable, cut; owned */
};

/* One line of the explanation, in the order of thinking: "boundary",
 * "tier", "field", "candidate", … */
struct finding {
	const char *step;   /* a literal */
	char *subject;      /* printable; owned */
	const char *result; /* a literal: one word */
	char *text;         /* a sentence; printable; owned */
};

/* The client from which the provider took the message, as its boundary line
 * names it (spam filters judge by it).  All empty unless trusted_hosts found
 * that line: nothing here is what a sender could have written, but the helo,
 * which each client makes up.  Letters, digits and ".-_:" only, a helo may also
 * be in brackets. */
struct origin {
	char ip[ORIGIN_IP_SIZE]; /* empty: then all are */
	char name[DOMAIN_SIZE];  /* found by the provider; may be empty */
	char helo[DOMAIN_SIZE];  /* may be empty */
};

struct candidates {
	enum tier tier; /* TIER_SINGLE for a single mailbox */
	struct candidate *all;
	size_t n;
	struct address sender; /* from Return-Path; null when there is none */
	bool has_sender;       /* a Return-Path was there and could be read */
	unsigned received_fields;
	struct origin origin;
	struct traces traces;
	bool overflow; /* more than the ticket holds: fallback */
	struct finding *findings;
	size_t n_findings;
	char **warnings; /* owned */
	size_t n_warnings;
};

/* `header` is the header block as the provider sent it (at most
 * HEADER_HELD_MAX; CRLF or LF), before any field of ours.  Always succeeds.
 * USABLE and FOREIGN addresses appear once each (address_equal). */
void candidates_find(const struct config *, const struct account *,
    struct slice header, struct candidates *out);
void candidates_clear(struct candidates *);

/* The ticket of that message: the USABLE and FOREIGN candidates (none of the
 * tiers fallback and single have any: there, the fallback or deliver_to
 * stands for all).  `id` is the spool id.  Use ticket_clear(). */
void candidates_ticket(const struct candidates *, const struct account *,
    const char *id, struct ticket *out);
/* "yaml:office": the account as ticket and state hold it. */
void account_key(const struct account *, char *out, size_t size);
enum { ACCOUNT_KEY_SIZE = TICKET_ACCOUNT_MAX + 1 };

#endif
