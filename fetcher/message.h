/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message - the changes made to a message on its way into the spool.
 *
 * Pure; constant memory.  Three changes only, all in the header:
 * - Delivered-To becomes X-Mailhaul-Delivered-To.  With the provider's field
 *   for one of our addresses in it, Postfix's local(8) sees a mail forwarding
 *   loop and bounces (measured, Postfix 3.7).
 * - X-Mailhaul, the trace of a Mailhaul that had the message before, becomes
 *   X-Mailhaul-Before, and those that it has stay: by them a ring of several
 *   accounts ends.
 * - All other fields whose names begin with X-Mailhaul are dropped: nobody but
 *   the fetcher writes a ticket or an origin.
 * A leading mbox "From " line is dropped as sendmail(1) would: below our own
 * fields it would end the header.  Everything else passes byte by byte.
 */
#ifndef FETCHER_MESSAGE_H
#define FETCHER_MESSAGE_H

#include "base/buf.h"

enum { MESSAGE_NAME_MAX = 64 };

struct message_filter {
	enum {
		FILTER_LINE_START,
		FILTER_NAME,
		FILTER_PASS,
		FILTER_DROP,
		FILTER_BODY
	} state;
	bool dropping; /* the field under way; its continuation lines too */
	bool first;    /* no line has been seen yet */
	uint8_t name[MESSAGE_NAME_MAX];
	size_t name_len;
};

void message_filter_init(struct message_filter *);
/* Appends the changed bytes to `out`; pieces of any size.  Lines end in LF.
 * `out` must have room for in.len + MESSAGE_NAME_MAX + 16 bytes per line. */
void
message_filter_feed(struct message_filter *, struct slice in, struct buf *out);
/* At the end of the message: what was held back of an unfinished line. */
void message_filter_end(struct message_filter *, struct buf *out);

/* The offset just behind the empty line that ends the header, or 0 when there
 * is none in these bytes. */
size_t message_header_end(struct slice);

#endif
