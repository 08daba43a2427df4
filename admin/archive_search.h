/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive_search - the messages of the archive that have a Message-ID.  Only
 * headers are read.
 */
#ifndef ADMIN_ARCHIVE_SEARCH_H
#define ADMIN_ARCHIVE_SEARCH_H

#include "base/error.h"
#include "base/slice.h"

struct archive_hits {
	char **ids; /* newest first */
	size_t n;
	size_t searched;
};

/* With or without its angle brackets; compared as it stands.  ERROR_LOCAL: the
 * archive cannot be read. */
bool archive_search(const char *state_dir, struct slice message_id,
    struct archive_hits *, struct error *);
void archive_hits_clear(struct archive_hits *);

/* "<x@y>" as "x@y" */
struct slice message_id_bare(struct slice);

#endif
