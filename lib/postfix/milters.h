/* SPDX-License-Identifier: Apache-2.0 */
/*
 * milters - Postfix's lists of milters (non_smtpd_milters, smtpd_milters):
 * what they name, and how ours is put first.  Pure.
 *
 * An entry is a bare word ("inet:localhost:8891"), a word in braces with
 * options, or a reference ("$smtpd_milters", "${name?{…}}"), which is kept as
 * it is written.  Blanks and commas separate; inside braces they do not.
 */
#ifndef POSTFIX_MILTERS_H
#define POSTFIX_MILTERS_H

#include "base/buf.h"
#include "base/slice.h"

struct milter_entry {
	struct slice text;     /* as written; all point into the list */
	struct slice endpoint; /* "unix:…", "inet:…", or what else is there */
	struct slice options; /* behind it, in braces; else empty */
};

/* Whose milter is looked for.  Postfix's unix: paths are relative to its queue
 * directory; so is an absolute one where the daemon is chrooted. */
struct milter_place {
	const char *socket; /* milter.socket, as libmilter spells it */
	struct slice queue_directory;
};

/* The next entry; false at the end. */
bool milters_cut(struct slice *list, struct milter_entry *);
/* The value of an option of an entry ("default_action"), or an empty slice. */
struct slice milter_option(const struct milter_entry *, struct slice name);

/* Whatever its options and the spelling of its place. */
bool milter_is_ours(const struct milter_entry *, const struct milter_place *);
/* Does the list name our milter? */
bool milters_name(struct slice list, const struct milter_place *);
/* First, once, and collected mail waits while it is away. */
bool milters_are_right(struct slice list, const struct milter_place *);

/* Is the socket's file below the queue directory, where a chrooted daemon can
 * reach it?  True for a network socket. */
bool milter_is_reachable(const struct milter_place *);
/* Appends our entry, with the options that Mailhaul needs. */
void milter_write(const struct milter_place *, struct buf *out);
/* Appends the list without our entries; the others in their order. */
void milters_without_ours(
    struct slice list, const struct milter_place *, struct buf *out);
/* Appends our entry and then the others. */
void milters_with_ours_first(
    struct slice list, const struct milter_place *, struct buf *out);

#endif
