/* SPDX-License-Identifier: Apache-2.0 */
/*
 * content - what a message is known by when its UID says nothing: SHA-256 over
 * the whole message as received, line ends LF, without the header fields that
 * mbox servers (Qpopper, UW, Mailutils) change from session to session: Status,
 * X-Status, X-UID, X-UIDL, X-Keywords, X-IMAP, X-IMAPbase.
 *
 * Constant memory; pieces of any size.
 */
#ifndef STATE_CONTENT_H
#define STATE_CONTENT_H

#include "base/slice.h"
#include "state/seen.h"

enum { CONTENT_NAME_MAX = 16 };

struct content {
	struct digest *digest;
	enum {
		CONTENT_LINE_START,
		CONTENT_NAME,
		CONTENT_TAKE, /* the rest of a line */
		CONTENT_SKIP,
		CONTENT_BODY
	} state;
	bool skipping; /* the field under way; its continuation lines too */
	uint8_t name[CONTENT_NAME_MAX];
	size_t name_len;
};

void content_init(struct content *);
void content_feed(struct content *, struct slice);
void content_end(struct content *, uint8_t out[SEEN_CONTENT_SIZE]);
/* Instead of content_end(), or after it. */
void content_clear(struct content *);

#endif
