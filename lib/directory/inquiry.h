/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inquiry - all that one message asks the directory: together, within one
 * deadline, each address once.
 *
 * What was prepared is answered from here, whatever the cache does; an address
 * that was not is looked up when it is asked for.  What was learned before the
 * deadline is in the directory's cache, so that the next attempt gets further.
 * Used by one thread.
 */
#ifndef DIRECTORY_INQUIRY_H
#define DIRECTORY_INQUIRY_H

#include "directory/directory.h"
#include "mail/address_set.h"

/* For one message, and for one recipient of ordinary mail.  Postfix waits
 * content_timeout, 60 s as we recommend, and command_timeout, 30 s, for the
 * milter's answer. */
enum { INQUIRY_MS = 30000, INQUIRY_RCPT_MS = 15000 };

struct inquiry {
	struct directory *directory;
	int64_t deadline_ms; /* clock_monotonic_ms() */
	struct address_set asked;
	struct directory_answer *answers; /* by their numbers */
};

void inquiry_begin(struct inquiry *, struct directory *, int64_t deadline_ms);
void inquiry_end(struct inquiry *);

/* These two are a route_prepare and a route_lookup. */
void inquiry_prepare(void *inquiry, const struct address *, size_t n);
void inquiry_lookup(
    void *inquiry, const struct address *, struct directory_answer *);

#endif
