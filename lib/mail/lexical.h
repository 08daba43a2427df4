/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lexical - where a quoted string or a comment ends (RFC 5322 3.2.2, 3.2.4).
 *
 * Pure; goes forward only, over nested comments too.  `at` is the offset of
 * the opening byte; the answer is the offset after the closing one, or 0 when
 * it never ends.
 */
#ifndef MAIL_LEXICAL_H
#define MAIL_LEXICAL_H

#include "base/slice.h"

size_t lexical_quoted_end(struct slice, size_t at);
size_t lexical_comment_end(struct slice, size_t at);
/* `at`, or the first byte after it that is no SP, HT, CR or LF. */
size_t lexical_skip_blanks(struct slice, size_t at);

#endif
