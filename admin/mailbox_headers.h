/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox_headers - the header blocks of an account's newest messages, read by
 * mailhaul-fetcher --probe --headers: what logs in is what will collect.
 */
#ifndef ADMIN_MAILBOX_HEADERS_H
#define ADMIN_MAILBOX_HEADERS_H

#include "base/buf.h"
#include "config/config.h"
#include "recipients/survey.h"

struct mailbox_headers {
	struct buf bytes; /* what the blocks point into */
	struct slice blocks[SURVEY_MESSAGES];
	size_t n;
};

/* Returns the fetcher's exit status; what is wrong it has said on standard
 * error.  The headers are good when it is 0; clear them in any case. */
int mailbox_headers_read(
    const struct config *, const char *account, struct mailbox_headers *);
void mailbox_headers_clear(struct mailbox_headers *);

#endif
