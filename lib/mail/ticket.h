/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticket - what the fetcher tells the milter about one message: a header field
 * with a MAC on top of the spool file.  Pure; keys come from
 * state/ticket_key.
 *
 * "X-Mailhaul-Ticket: v=1; k=KEYID; a=ACCOUNT; i=SPOOLID; f=FALLBACK;
 *  t=TIER; r=ADDRESS,ADDRESS,…; m=HEX" folded at about 78 columns.  The MAC is
 * HMAC-SHA-256 over everything before "m=" without its white space, so that
 * refolding by an MTA does not break it.  ACCOUNT and the addresses are
 * written so that none of ";", ",", white space or controls is left in them
 * (xtext, RFC 3461 4).
 */
#ifndef MAIL_TICKET_H
#define MAIL_TICKET_H

#include "base/buf.h"
#include "mail/address.h"

#define TICKET_FIELD "X-Mailhaul-Ticket"
enum {
	TICKET_CANDIDATES_MAX = 1000,
	TICKET_MAX = 32 * 1024, /* of the whole field, folded */
	TICKET_KEY_SIZE = 32,
	TICKET_KEY_ID_SIZE = 17, /* 16 hex digits of the key's SHA-256 + NUL */
	TICKET_ACCOUNT_MAX = 128,
	TICKET_ID_MAX = 64,
};

/* Where the candidates came from. */
enum tier {
	TIER_ENVELOPE,
	TIER_RECEIVED,
	TIER_HEADERS,
	TIER_FALLBACK,
	TIER_SINGLE
};
/* "envelope", "received", "headers", "fallback", "single" */
const char *tier_name(enum tier);
bool tier_parse(struct slice, enum tier *);

struct ticket_key {
	uint8_t bytes[TICKET_KEY_SIZE];
	char id[TICKET_KEY_ID_SIZE];
};
/* Fills in the id. */
void ticket_key_init(struct ticket_key *, const uint8_t bytes[TICKET_KEY_SIZE]);

struct ticket {
	char account[TICKET_ACCOUNT_MAX + 1]; /* opaque: "yaml:office" */
	char id[TICKET_ID_MAX + 1];
	struct address fallback;
	enum tier tier;
	struct address *candidates; /* owned; see ticket_clear() */
	size_t n_candidates;
};
void ticket_clear(struct ticket *);

/* Appends the field with its last LF.  False, and nothing usable in `out`,
 * when the candidates do not fit TICKET_CANDIDATES_MAX or TICKET_MAX: the
 * caller then uses the fallback tier. */
bool
ticket_write(const struct ticket *, const struct ticket_key *, struct buf *out);

enum ticket_verdict {
	TICKET_VALID,
	TICKET_UNKNOWN_KEY, /* complete, but nobody vouches for what it says */
	TICKET_FORGED,      /* known key, wrong MAC; or not readable at all */
};
/* `body`: the field's value, folded or not.  Fills *out unless forged. */
enum ticket_verdict ticket_read(struct slice body,
    const struct ticket_key *keys, size_t n_keys, struct ticket *out);

#endif
