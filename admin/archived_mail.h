/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archived_mail - what stands on top of a file in the archive: the ticket, the
 * trace (X-Mailhaul), the header block.
 */
#ifndef ADMIN_ARCHIVED_MAIL_H
#define ADMIN_ARCHIVED_MAIL_H

#include "base/buf.h"
#include "base/error.h"

struct archived_mail {
	struct buf head;     /* as much of the file as is looked at */
	struct slice ticket; /* the value of its field; empty: none */
	size_t ticket_end;   /* offsets into the file: behind the ticket, */
	size_t trace_end;    /* behind the trace: the provider's message, */
	size_t header_end;   /* behind its last field, or what is held of it */
	struct slice account, source; /* of the trace; may be empty */
};

/* Reads from the descriptor's present place, the file's begin.
 * ERROR_LOCAL. */
bool archived_mail_read(int fd, struct archived_mail *, struct error *);
void archived_mail_clear(struct archived_mail *);
/* The provider's header block. */
struct slice archived_mail_header(const struct archived_mail *);

#endif
