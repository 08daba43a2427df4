/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_fetchmailrc_words - a .fetchmailrc cut into words, as fetchmail's
 * rcfile_l.l does it.
 *
 * Blanks, line ends and ; : , separate; "=" is a word of its own; # at the
 * beginning of a word comments the rest of the line.  Quoted and unquoted words
 * know C's escapes, but \NNN is decimal.  The noise words (and with has wants
 * options) are left out.  Whoever reads the word after `user`, `password`, `is`,
 * `to` or "=" says so: it is taken as it stands, noise or keyword or not.
 */
#ifndef ADMIN_IMPORT_FETCHMAILRC_WORDS_H
#define ADMIN_IMPORT_FETCHMAILRC_WORDS_H

#include "base/arena.h"

enum { RC_WORD_MAX = 4096 };

struct rc_word {
	enum rc_kind { RC_END, RC_WORD, RC_EQUALS, RC_STAR, RC_BROKEN } kind;
	bool literal;     /* quoted, or taken as it stands: no keyword */
	const char *text; /* without escapes, in the arena; no NUL inside */
	size_t line;
};

struct rc_words {
	struct arena *arena;
	struct slice rest;
	size_t line;
};

/* RC_BROKEN: a quote without its end, an escaped NUL, too long a word; then the
 * end. */
struct rc_word rc_words_next(struct rc_words *, bool literal);

#endif
