/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - what each kind of directory source gives the chain: one row of
 * functions.  link.c wraps cache, breaker and canary around the remote ones.
 *
 * All functions are called by several threads at the same time; a source does
 * its own locking.  None of them ever turns trouble into ABSENT.
 */
#ifndef DIRECTORY_SOURCE_H
#define DIRECTORY_SOURCE_H

#include "directory/directory.h"

struct source_kind {
	const char *name;
	/* Asked over a connection: worth a cache and a breaker.  A file is
	 * read again at once when it changes, so it has neither. */
	bool remote;
	/* Never fails and never blocks: what is wrong is told by each answer.
	 * Both are borrowed until close. */
	void *(*open)(const struct config *, const struct directory_source *);
	/* Fills an answer for each address, at the deadline at latest; no
	 * single step takes longer than the source's time-out. */
	void (*lookup)(void *state, const struct directory_question *,
	    struct directory_answer *answers);
	/* Anything but UNKNOWN: it could be asked.  NULL: it is asked for an
	 * address that nobody has. */
	void (*ready)(
	    void *state, int64_t deadline_ms, struct directory_answer *);
	void (*close)(void *state);
};

extern const struct source_kind source_file;
extern const struct source_kind source_ldap;
extern const struct source_kind source_smtp;
extern const struct source_kind source_postfix;

/* Answers and reasons are one line of printable text, cut when too long. */
void source_answer(struct directory_answer *, enum existence, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

#endif
