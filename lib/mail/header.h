/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header - walk the header block of a message (RFC 5322 2.2).  Pure; nothing
 * is copied, all slices point into the block.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include "base/slice.h"
#include "mail/address.h"

enum { HEADER_HELD_MAX = 256 * 1024 }; /* what is examined */

struct header_field {
	struct slice name;  /* without the colon and blanks before it */
	struct slice body;  /* after the colon, folded as it stands, without the
			    * last line end */
	struct slice whole; /* name to last line end */
};

struct header {
	struct slice rest;
};

void header_init(struct header *, struct slice block);
/* The next field; lines that are none are skipped.  Stops at an empty line or
 * the end of the block.  Line ends are LF or CRLF. */
bool header_next(struct header *, struct header_field *);
bool header_is(const struct header_field *, const char *name);
/* First field of that name, or false. */
bool header_find(struct slice block, const char *name, struct header_field *);

/* A Received field (RFC 5321 4.4), as far as finding recipients needs it. */
struct received {
	struct slice helo;      /* the word after "from": never trusted */
	struct slice client;    /* host name that the server itself found, from
				 * the comment after it; empty when none or
				 * "unknown" */
	struct slice client_ip; /* in brackets in that comment; may be empty */
	struct slice by;        /* host after "by" */
	struct slice with;      /* protocol after "with" */
	struct slice recipient; /* address after "for", without brackets */
};
/* Comments nest and may hold anything; words inside them do not count.
 * Missing parts are empty. */
void received_parse(struct slice body, struct received *);

#endif
