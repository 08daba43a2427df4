/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_as - root's commands that touch the state work as the user to whom it
 * belongs (mailhaul): nothing that they make belongs to root, and what they
 * start (sendmail) has no rights of root.
 */
#ifndef ADMIN_RUN_AS_H
#define ADMIN_RUN_AS_H

#include <sys/types.h>

#include "base/error.h"

/* For good.  Does nothing unless this is root and the folder is somebody else's.
 * ERROR_CONFIG: no such folder, or not for us. */
bool run_as_owner(const char *folder, struct error *);

/* The same for a program that is started: the words before its own, NULL after
 * the last. */
enum { RUN_AS_WORDS = 4 };
struct run_as_words {
	const char *list[RUN_AS_WORDS + 1];
	char user[32], group[32];
};
bool run_as_words(const char *folder, struct run_as_words *, struct error *);

/* The same for a while, for a command that needs root's rights later on (the
 * milter's secrets).  No other threads may run, and nothing is started
 * meanwhile. */
enum { RUN_AS_GROUPS_MAX = 64 };
struct run_as {
	bool changed;
	gid_t group, groups[RUN_AS_GROUPS_MAX];
	int n_groups;
};
bool
run_as_owner_meanwhile(const char *folder, struct run_as *, struct error *);
/* Ends the process should that fail. */
void run_as_before(const struct run_as *);

#endif
