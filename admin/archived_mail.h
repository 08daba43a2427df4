/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archived_mail - a file of the archive: what the fetcher wrote on top of it,
 * and the header block.
 */
#ifndef ADMIN_ARCHIVED_MAIL_H
#define ADMIN_ARCHIVED_MAIL_H

#include "admin/mail_trace.h"
#include "base/buf.h"
#include "base/error.h"

struct archived_mail {
	struct buf head;         /* as much of the file as is looked at */
	struct mail_trace trace; /* at its begin, or nothing */
	size_t header_end; /* offset behind the last field, or what is held of
			    * it */
};

/* Reads from the descriptor's present place, the file's begin; no further than
 * the piece in which the header ends.  ERROR_LOCAL. */
bool archived_mail_read(int fd, struct archived_mail *, struct error *);
void archived_mail_clear(struct archived_mail *);
/* The provider's header block, but for Delivered-To. */
struct slice archived_mail_header(const struct archived_mail *);

#endif
