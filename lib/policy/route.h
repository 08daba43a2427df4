/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - who gets a message: candidates in, final recipients out.
 *
 * Pure but for the look-up functions it is given.  A struct accepted_rcpt can
 * be made only here, after the accepted-domain check (rules may name what
 * allow_external has, too), so nothing else can become a recipient.
 */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "config/config.h"
#include "directory/directory.h"
#include "policy/rules.h"

struct accepted_rcpt {
	struct address address;
};

/* What happened to one candidate, or to one of the people of the alias that it
 * is. */
struct route_step {
	struct address candidate;
	enum route_result {
		ROUTE_FOUND,
		ROUTE_ABSENT,  /* went to catch_all, unknown_recipients or
				  fallback */
		ROUTE_UNKNOWN, /* the directory could not tell */
		ROUTE_FOREIGN, /* dropped */
	} result;
	struct address to; /* of FOUND and ABSENT */
	char text[384];    /* the whole reason, one printable line */
};
const char *route_result_name(enum route_result);

struct route {
	bool
	    defer; /* some candidate is UNKNOWN: TEMPFAIL; no recipients then */
	char defer_reason[DIRECTORY_REASON_SIZE];
	struct accepted_rcpt *recipients; /* unless defer: never empty, each
					     address once */
	size_t n_recipients;
	/* In the order of the candidates; of each, those of an alias's people
	 * stand together. */
	struct route_step *steps;
	size_t n_steps;
	bool used_fallback;         /* nothing was left */
	struct rules_outcome rules; /* unless defer: what rules did then */
	bool rules_left_nobody;     /* so the fallback gets it */
};

/* Every address that the decision may ask for, each once, before the first is
 * asked for: a directory answers many at once faster. */
typedef void route_prepare(void *context, const struct address *, size_t n);
typedef void
route_lookup(void *context, const struct address *, struct directory_answer *);

struct route_question {
	const struct config *config;
	const struct account *account; /* NULL: a ticket of one that is gone;
					  policy defaults and the ticket's
					  fallback then */
	const struct ticket *ticket;
	const struct rule_message *message; /* NULL: rules are left out */
	route_prepare *prepare;             /* NULL: none */
	route_lookup *lookup;
	void *context;
};

/* A single mailbox (TIER_SINGLE): deliver_to, never looked up.  Configured
 * addresses are never looked up, nor are aliases applied to them.  An address
 * that was found only without its extension keeps the extension; one for which
 * the directory names another goes there, if that may be sent to.  What is put
 * into `out`, route_clear() frees. */
void route_decide(const struct route_question *, struct route *out);
void route_clear(struct route *);
/* What happened to a candidate in all: unknown if any step is, else found.
 * False when there is no step of it. */
bool route_result_of(
    const struct route *, const struct address *candidate, enum route_result *);

/* What becomes of one recipient of ordinary mail, which nobody wrote a ticket
 * for: it came by SMTP and can be refused there. */
struct route_smtp {
	enum route_smtp_result {
		ROUTE_SMTP_LEFT,     /* stays as it is */
		ROUTE_SMTP_REPLACED, /* by `to`; only with MILTER_SMTP_CATCH_ALL */
		ROUTE_SMTP_REFUSED, /* nobody has it */
		ROUTE_SMTP_UNSURE,  /* the directory could not tell */
	} result;
	bool ours; /* in an accepted domain; if not: left, never asked */
	struct accepted_rcpt *to; /* of REPLACED; an address may be there
				     twice */
	size_t n_to;
	char text[384]; /* as in struct route_step */
};

/* Addresses that the configuration names itself (postmaster, fallbacks,
 * catch_all, …) are left and never looked up: the ticketed mail that a fetcher
 * hands over by SMTP has one of them as its recipient.  Aliases count only
 * where a recipient may be replaced.  Of the question, neither account nor ticket
 * nor message is looked at. */
void route_smtp_decide(const struct route_question *, const struct address *,
    struct route_smtp *out);
void route_smtp_clear(struct route_smtp *);

#endif
