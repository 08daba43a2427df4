/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory - does this address exist?
 *
 * One directory is the chain of all sources of the configuration with their
 * cache and breakers.  Thread-safe; a look-up may block for the sources'
 * deadlines.  Trouble is never an answer: anything but a clear yes or a clear
 * no is UNKNOWN.
 */
#ifndef DIRECTORY_DIRECTORY_H
#define DIRECTORY_DIRECTORY_H

#include "config/config.h"

enum existence { EXISTS, ABSENT, UNKNOWN };
/* "found", "absent", "unknown" */
const char *existence_name(enum existence);

enum { DIRECTORY_REASON_SIZE = 256 };
struct directory_answer {
	enum existence existence;
	/* "ldaps://dc1…: 1 entry", "users.txt: no such address (cached)", …;
	 * printable, one line */
	char reason[DIRECTORY_REASON_SIZE];
};

struct directory;

/* Holds a reference on the configuration.  Opens no connection yet. */
struct directory *directory_new(struct config *);
void directory_free(struct directory *);

/* Any source EXISTS: EXISTS; else any UNKNOWN: UNKNOWN; else ABSENT.  Without
 * sources everything EXISTS. */
void directory_lookup(
    struct directory *, const struct address *, struct directory_answer *);

/* As directory_lookup(), and tells what each source ("file", "ldap") answered,
 * in the order they were asked. */
typedef void directory_step(
    void *context, const char *source, const struct directory_answer *);
void directory_lookup_steps(struct directory *, const struct address *,
    struct directory_answer *, directory_step *, void *context);

/* Could a look-up be answered now?  Asks each source that has not answered
 * within the last second, with an address that nobody has.
 * False with the reason ("ldaps://dc1…: Can't contact LDAP server").  This is
 * what the milter answers to READY. */
bool directory_ready(struct directory *, char reason[DIRECTORY_REASON_SIZE]);

#endif
