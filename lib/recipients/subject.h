/* SPDX-License-Identifier: Apache-2.0 */
/*
 * subject - the addresses that stand in parentheses in a Subject:
 * "Order 17 (anna@example.org)".  Pure.
 */
#ifndef RECIPIENTS_SUBJECT_H
#define RECIPIENTS_SUBJECT_H

#include "base/slice.h"

/* Of the Subject when decoded; what follows is not looked at. */
enum { SUBJECT_TEXT_MAX = 4096 };

/* Calls take() for each word with an @ between parentheses that close, nested
 * ones first.  The text lives only as long as the call. */
void subject_words(struct slice body,
    void (*take)(void *context, struct slice word), void *context);

#endif
