/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - what each kind of directory source gives the chain: one row of
 * functions.  directory.c wraps cache and breaker around the remote ones.
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
	 * The settings are borrowed until close. */
	void *(*open)(const struct directory_source *);
	/* Fills all of the answer, at most after the source's time-out. */
	void (*lookup)(
	    void *state, const struct address *, struct directory_answer *);
	void (*close)(void *state);
};

extern const struct source_kind source_file;
extern const struct source_kind source_ldap;

/* Answers and reasons are one line of printable text, cut when too long. */
void source_answer(struct directory_answer *, enum existence, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

#endif
