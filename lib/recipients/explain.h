/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain - the lines of the explanation, as the search goes on.
 *
 * `step` and `result` are literals, `subject` and what goes into the sentence
 * may be foreign: it is made printable here, and cut.  A message that would
 * give more lines than anybody reads gets the first ones.
 */
#ifndef RECIPIENTS_EXPLAIN_H
#define RECIPIENTS_EXPLAIN_H

#include "recipients/candidates.h"

struct explain_point {
	const char *step;
	struct slice subject;
	const char *result;
};

void explain_add(struct candidates *, struct explain_point, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));
void explain_warn(struct candidates *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A printable copy, cut; to be freed. */
char *explain_printable(struct slice);

#endif
