/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spool - one message as a file STATE_DIR/spool/ID, written once.
 *
 * Not synced: until Postfix has accepted the message the provider still has
 * it, and remnants are removed at start.  The name is our own (time, counter,
 * random); nothing from a server or a mail is part of it.
 */
#ifndef FETCHER_SPOOL_H
#define FETCHER_SPOOL_H

#include <limits.h>

#include "base/buf.h"
#include "base/error.h"

enum { SPOOL_ID_SIZE = 24 };

struct spool_file {
	char id[SPOOL_ID_SIZE];
	char path[PATH_MAX];
	int fd;        /* -1 when closed */
	uint64_t size; /* bytes written, the buffered ones included */
	struct buf pending;
};

/* A new id: unique on this host, sorts by time. */
void spool_make_id(char out[static SPOOL_ID_SIZE]);
/* Creates the file of this id.  ERROR_LOCAL. */
bool spool_create(
    struct spool_file *, const char *state_dir, const char *id, struct error *);
/* Collects bytes and writes them in large pieces.  ERROR_LOCAL (disk full). */
bool spool_write(struct spool_file *, struct slice, struct error *);
/* Writes the rest and closes.  The file is complete then.  ERROR_LOCAL. */
bool spool_finish(struct spool_file *, struct error *);
/* Closes; with `remove`, the file is unlinked too.  Safe at any time. */
void spool_close(struct spool_file *, bool remove);

#endif
