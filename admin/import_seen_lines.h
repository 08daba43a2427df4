/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_seen_lines - the lines of an old program's state file as lines for
 * `mailhaul seen import`.  Pure; lines that belong to no account are counted.
 */
#ifndef ADMIN_IMPORT_SEEN_LINES_H
#define ADMIN_IMPORT_SEEN_LINES_H

#include "admin/import.h"

struct seen {
	struct import *import;
	FILE *out;
	const char *path; /* of the file at hand */
	size_t line;
	size_t strange; /* lines that are no line of such a file */
	size_t strange_line;
};

/* fetchmail: one file for all accounts. */
void seen_take_fetchids(struct seen *, struct slice text);
/* mpop: a section for each account. */
void seen_take_uidls(struct seen *, struct slice text);
/* getmail: a file for each account, and with IMAP for each `folder` (else
 * NULL). */
void seen_take_oldmail(struct seen *, struct import_account *,
    const char *folder, struct slice text);
/* Reports the lines that were counted, and forgets them. */
void seen_tell_strange(struct seen *);

#endif
