/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_text - rows of the state as lines of text, to be moved to another state:
 *
 *	MAILBOX <tab> UID <tab> STATUS <tab> TIME [<tab> CONTENT]
 *
 * MAILBOX is the account's name, with "/" and the folder where it has folders.
 * STATUS is seen_status_name(); TIME when it was injected, or else remembered
 * (RFC 3339, UTC), or "-"; CONTENT 64 hexadecimal digits.  In MAILBOX control
 * characters and "%", in UID all but graphic ASCII and "%", are written as %XX.
 * Empty lines and those that begin with "#" say nothing.
 */
#ifndef STATE_SEEN_TEXT_H
#define STATE_SEEN_TEXT_H

#include "base/buf.h"
#include "state/seen.h"

enum {
	SEEN_LINE_MAX = 8192,
	SEEN_MAILBOX_MAX = 2048, /* the key, with its NUL */
};

/* One line, its LF included. */
void seen_text_write(const struct seen_entry *, struct buf *);

struct seen_line {
	bool empty;              /* it says nothing */
	struct seen_entry entry; /* points into what follows */
	char mailbox[SEEN_MAILBOX_MAX];
	uint8_t uid[SEEN_UID_MAX];
	uint8_t content[SEEN_CONTENT_SIZE];
};
/* Without its line end.  What is not known of a row is as of now.
 * ERROR_CONFIG. */
bool seen_text_read(struct slice line, struct seen_line *, struct error *);

#endif
