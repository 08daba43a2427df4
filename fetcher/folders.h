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
	size_t n;
};

/* RFC 9051 6.3.9: * matches anything, % anything but a hierarchy separator,
 * which is "/" or "." with all servers known.  INBOX in either case. */
bool folder_matches(const char *pattern, struct slice name);
bool folder_is_pattern(const char *name);
/* Adds the folder unless it is there, excluded or one too many (FOLDERS_MAX).
 * False only then. */
bool folders_add(struct folders *, const struct account *, struct slice name);
void folders_clear(struct folders *);

#endif
