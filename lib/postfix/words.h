/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words - values of main.cf that are lists of words, or times.  Pure.
 */
#ifndef POSTFIX_WORDS_H
#define POSTFIX_WORDS_H

#include "base/slice.h"

/* The next word; blanks and commas separate, but not inside braces.  False at
 * the end. */
bool words_cut(struct slice *list, struct slice *word);
/* In any case of letters. */
bool words_have(struct slice list, struct slice wanted);
/* "5d", "100s"; a bare number counts `unit_s` seconds. */
bool words_time_ms(struct slice, int64_t unit_s, int64_t *ms);

#endif
