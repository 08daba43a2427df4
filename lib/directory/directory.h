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
	/* Of EXISTS: the one that `rewrite_to` names for it, in any domain;
	 * null: none. */
	struct address canonical;
};

/* Several addresses in one question: fewer round trips. */
struct directory_question {
	const struct address *addresses;
	size_t n;
	int64_t deadline_ms; /* clock_monotonic_ms() */
};

/* What one source did since the directory was made. */
struct directory_statistics {
	const char *kind; /* "file", "ldap", "smtp", "postfix" */
	const char *name; /* path, first URI, host or table; the directory's */
	bool away;        /* too many faults in a row: asked every 10 s only */
	/* Addresses, and what was said about them. */
	uint64_t lookups, found, absent, unknown;
	uint64_t cached, stale; /* among them, without asking */
	/* What went to the server: a question may hold many addresses. */
	uint64_t questions, faults, openings;
	int64_t last_us, total_us;              /* of the questions */
	char last_fault[DIRECTORY_REASON_SIZE]; /* "" : none yet */
};

struct directory;

/* Holds a reference on the configuration.  Opens no connection yet. */
struct directory *directory_new(struct config *);
void directory_free(struct directory *);

/* Any source EXISTS: EXISTS; else any UNKNOWN: UNKNOWN; else ABSENT.  Where no
 * source is for the address's domain, everything EXISTS. */
void directory_lookup(
    struct directory *, const struct address *, struct directory_answer *);
/* The same for each address of the question, answers in its order.  What could
 * not be asked before the deadline is UNKNOWN. */
void directory_lookup_many(struct directory *,
    const struct directory_question *, struct directory_answer *answers);

/* As directory_lookup(), and tells what each source ("file", "ldap") answered,
 * in the order they were asked; "directory" when there is none to ask. */
typedef void directory_step(
    void *context, const char *source, const struct directory_answer *);
void directory_lookup_steps(struct directory *, const struct address *,
    struct directory_answer *, directory_step *, void *context);

/* Could a look-up be answered now?  Asks each source that has not answered
 * within the last second.  False with the reason ("ldaps://dc1...: Can't
 * contact LDAP server").  This is what the milter answers to READY. */
bool directory_ready(struct directory *, char reason[DIRECTORY_REASON_SIZE]);

size_t directory_sources(const struct directory *);
/* `source` counts from 0. */
void directory_statistics(
    struct directory *, size_t source, struct directory_statistics *);

#endif
