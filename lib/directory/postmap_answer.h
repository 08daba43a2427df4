/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postmap_answer - what `postmap -q -` printed: a line "key<TAB>value" for each
 * key that is in the table, and nothing for the others.
 *
 * Its exit status tells "none of them" and "in trouble" not apart (both 1), and
 * some trouble is only a warning: a line of a table that it cannot read is
 * skipped.  So silence means "not there" only if nothing was said on standard
 * error but what has no bearing on the table.  Pure.
 */
#ifndef DIRECTORY_POSTMAP_ANSWER_H
#define DIRECTORY_POSTMAP_ANSWER_H

#include <stdbool.h>

#include "base/slice.h"

/* Case-blind, as Postfix looks up. */
bool postmap_has(struct slice printed, struct slice key);
/* The last line of standard error that has a bearing, without "postmap: ";
 * empty: none. */
struct slice postmap_trouble(struct slice said);

#endif
