/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address - one mail address, parsed, normalised and written back
 * (RFC 5321 4.1.2, RFC 5322 3.4, RFC 6531 for UTF-8).
 *
 * Pure.  The only way to get a struct address is through this parser, and the
 * only way to print one is through this serialiser: nothing that a sender
 * wrote goes to a command line, a filter or libmilter as it came.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/slice.h"
#include "mail/lexical.h"

enum {
	ADDRESS_LOCAL_MAX = 128, /* RFC 5321 says 64; VERP senders exceed it */
	ADDRESS_DOMAIN_MAX = 253,
	ADDRESS_MAX = 254, /* of local@domain, RFC 5321 4.5.3.1.3 */
	ADDRESS_TEXT_SIZE = 2 * ADDRESS_LOCAL_MAX + 3 + ADDRESS_DOMAIN_MAX + 1,
};

/* The local part is unquoted and never empty, holds no control character and
 * no NUL.  The domain is in lower-case A-labels without trailing dot.  An
 * address with an empty domain (domain[0] == 0) is a null address: the null
 * sender. */
struct address {
	char local[ADDRESS_LOCAL_MAX + 1];
	char domain[ADDRESS_DOMAIN_MAX + 1];
};

enum address_fault {
	ADDRESS_OK,
	ADDRESS_EMPTY,  /* nothing there, or a phrase without an address */
	ADDRESS_SYNTAX, /* not an address; no domain; controls; NUL */
	ADDRESS_TOO_LONG,
	ADDRESS_UNSAFE, /* %, ! or @ in the local part, a leading "-":
			   * Postfix would relay it outwards or take it for an
			   * option (measured) */
};

/* One addr-spec or route-addr, with or without angle brackets, comments,
 * display name, source route, trailing dot, "rfc822;" (RFC 3461) and nothing
 * else around it.  On any fault but ADDRESS_OK *out is undefined. */
enum address_fault address_parse(struct slice, struct address *out);
/* A reverse-path (RFC 5321): as address_parse(), and "<>" or "" gives the null
 * address.  %, ! are allowed here: a sender is only ever written back. */
enum address_fault address_parse_sender(struct slice, struct address *out);
/* For a message: "too long", "unsafe characters", … */
const char *address_fault_text(enum address_fault);

bool address_is_null(const struct address *);
/* Case-blind in both parts (ASCII), as Postfix and every directory compare. */
bool address_equal(const struct address *, const struct address *);
/* An order in which what address_equal() calls equal, and nothing else, is
 * equal: below, equal to or above zero. */
int address_compare(const struct address *, const struct address *);
/* As address_write(), in lower case: equal for equal addresses alone. */
char *address_key(const struct address *, char out[static ADDRESS_TEXT_SIZE]);
/* The same for all that are equal.  Whoever writes addresses can choose it:
 * not where many of the same would cost something. */
uint32_t address_hash(const struct address *);
/* local@domain with the local part quoted when RFC 5321 asks for it; the
 * empty string for the null address.  Returns out. */
char *address_write(const struct address *, char out[static ADDRESS_TEXT_SIZE]);
/* "<local@domain>", a path of RFC 5321 4.1.2; owned by the caller. */
char *address_path(const struct address *);
/* From an unquoted local part and a domain, with all of address_parse()'s
 * checks: what a directory or a rewriting step made. */
enum address_fault
address_make(struct slice local, struct slice domain, struct address *out);
/* The same for a sender. */
enum address_fault address_make_sender(
    struct slice local, struct slice domain, struct address *out);
/* May stand in an address without quotes: RFC 5322 3.2.3, RFC 6531 3.3. */
bool byte_is_atext(uint8_t);

/* An address-list as in To: or Cc: (RFC 5322 3.4, with groups, comments,
 * routes, encoded words, and what mail programs wrote in their place; ";" and
 * "," both separate).  `field` is the unfolded or folded body of the field. */
struct address_list {
	struct slice rest;
	struct lexical_unended unended;
};
struct address_entry {
	enum address_fault fault;
	struct address address; /* defined when fault is ADDRESS_OK */
	struct slice text;      /* the entry as it stands, trimmed; borrowed */
};
void address_list_init(struct address_list *, struct slice field);
/* The next entry; false at the end.  Empty groups and stray separators give
 * no entry.  Linear in the length of the field. */
bool address_list_next(struct address_list *, struct address_entry *);

#endif
