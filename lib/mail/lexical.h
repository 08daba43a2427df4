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

/* What was met in a text and does not end; {0} before its first byte. */
struct lexical_unended {
	bool quote, comment;
};
/* The offset after the quoted string, the comment or the one byte at `at`.  An
 * opening byte without its partner is an ordinary one, and so are all of its
 * kind that follow: the search for the end happens once, or a thousand of them
 * would take a million steps. */
size_t lexical_piece_end(struct slice, size_t at, struct lexical_unended *);
/* `at`, or the first byte after it that is no SP, HT, CR or LF. */
size_t lexical_skip_blanks(struct slice, size_t at);

#endif
