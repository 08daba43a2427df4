/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folders - the IMAP folders that an account collects from: those that its
 * patterns name at the server, without those that it excludes.  Pure.
 */
#ifndef FETCHER_FOLDERS_H
#define FETCHER_FOLDERS_H

#include "config/config.h"

enum { FOLDERS_MAX = 1000 };

struct folders {
	char **names; /* UTF-8; owned */
	bool *due;    /* is the round under way to look at it? */
	size_t n;
	size_t asked; /* entries of the account's list that were seen to */
	size_t at;    /* the one that is open */
};

/* RFC 9051 6.3.9: * matches anything, % anything but a hierarchy separator,
 * which is "/" or "." with all servers known.  INBOX in either case. */
bool folder_matches(const char *pattern, struct slice name);
bool folder_is_pattern(const char *name);
void folders_clear(struct folders *);

/* Adds the folder, due, unless it is there or excluded.  ERROR_CONFIG: it is one
 * too many (FOLDERS_MAX).  ERROR_PROTOCOL: its name, which no configuration can
 * hold, has control characters. */
bool folders_add(struct folders *, const struct account *, struct slice name,
    struct error *);
/* Adds those that have a name of their own, up to the next pattern, which the
 * server is to be asked for; NULL: there is none left.  ERROR_CONFIG: too many
 * folders, or none in the end. */
bool folders_find(struct folders *, const struct account *,
    const char **pattern, struct error *);

/* A round goes through the folders that are due.  The first comes last: it stays
 * open, and IDLE tells of the folder that is open. */
void folders_begin(struct folders *);
/* The same, behind the one that a round ended with before its time; the others
 * come after it. */
void folders_resume(struct folders *, size_t at);
/* Goes to the next one; false: there is none. */
bool folders_next(struct folders *);
void folders_all_due(struct folders *);
/* One besides the first is due. */
bool folders_others_due(const struct folders *);

#endif
