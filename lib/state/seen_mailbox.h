/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_mailbox - whose mailbox it is that the state tells of, and what the admin
 * wants done with all of it when it is listed next.
 *
 * Changes are made, and fail, as in seen.h.
 */
#ifndef STATE_SEEN_MAILBOX_H
#define STATE_SEEN_MAILBOX_H

#include "state/seen.h"

enum seen_wish {
	WISH_NONE,
	WISH_BASELINE, /* take all that is there now as collected */
	WISH_ADOPT,    /* go on with what is known, and collect the rest */
};
enum { SEEN_OWNER_SIZE = 320 };

struct seen_mailbox {
	const char *mailbox, *host, *user;
	/* Filled in: */
	bool known;   /* it was claimed or imported before */
	bool foreign; /* it was claimed for another host or user: */
	char owner[SEEN_OWNER_SIZE]; /* "user U at H", printable */
	enum seen_wish wish;
};
/* `mailbox`, `host` and `user` say for whom it is asked. */
bool seen_mailbox_find(struct seen *, struct seen_mailbox *, struct error *);
/* From now on it belongs to this host and user. */
bool seen_mailbox_claim(struct seen *, const char *mailbox, const char *host,
    const char *user, struct error *);
/* Rows of it may be imported; nobody knows yet whose it is. */
bool seen_mailbox_expect(struct seen *, const char *mailbox, struct error *);

/* For each mailbox of the account (the key without a folder), once, when it is
 * listed next.  Folders have a day from the first on: one that is made later is
 * not meant. */
bool
seen_wish(struct seen *, const char *account, enum seen_wish, struct error *);
bool seen_wish_done(struct seen *, const char *mailbox, struct error *);

#endif
