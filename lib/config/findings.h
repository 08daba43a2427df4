/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings - what is wrong with a configuration file, gathered so that all of
 * it can be told in one run and in the order of the file.
 *
 * The path of a finding is made when it is written: by then the schema has
 * said which parts of the file are private.
 */
#ifndef CONFIG_FINDINGS_H
#define CONFIG_FINDINGS_H

#include <stdio.h>

#include "base/arena.h"

struct node;

struct finding {
	const char *severity;    /* "error", "warning" */
	size_t line, column;     /* from 1 */
	size_t number;           /* in the order of finding */
	const struct node *node; /* where in the tree; NULL: nowhere */
	const char *child;       /* a key missing there, or NULL */
	const char *text;
};

struct findings {
	struct arena *arena;
	struct finding *list;
	size_t len, room;
	size_t errors;
};

/* What is added lives in `arena`, which must outlive the findings. */
void findings_init(struct findings *, struct arena *);
void findings_clear(struct findings *);
/* Drops what was found before. */
void findings_reset(struct findings *);

/* At a node's value. */
void finding_error(struct findings *, const struct node *, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void finding_warning(struct findings *, const struct node *, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
/* As the above about the key `child`, which the mapping lacks. */
void finding_missing(struct findings *, const struct node *, const char *child,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void finding_missing_warning(struct findings *, const struct node *,
    const char *child, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Moves the last finding from a value to its key. */
void findings_at_key(struct findings *);
/* At a place in the file that has no node. */
void finding_error_at(struct findings *, size_t line, size_t column,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* "FILE:LINE:COL: error|warning: path: text" for each, sorted; the path of what
 * is about no key is "(file)". */
void findings_write(struct findings *, const char *file, FILE *out);

#endif
