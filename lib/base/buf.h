/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - growing bytes, born with a ceiling.
 *
 * Adding beyond the ceiling fails, leaves the content as it was, and is
 * remembered: a caller may add many pieces and ask buf_overflowed() once.
 * The content is always followed by a NUL that does not count.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/slice.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t room;
	size_t max;
	bool overflowed;
};

/* An empty buffer that will hold at most `max` bytes (below SIZE_MAX / 2); no
 * allocation yet. */
void buf_init(struct buf *, size_t max);
/* Frees the memory; the buffer is as after buf_init(). */
void buf_clear(struct buf *);
/* As buf_clear(), and the bytes are wiped first; growing left none behind. */
void buf_wipe(struct buf *);
/* Empties the buffer and keeps its memory. */
void buf_reset(struct buf *);

/* What is added must not lie in the buffer itself. */
bool buf_add(struct buf *, struct slice);
bool buf_add_string(struct buf *, const char *);
bool buf_add_byte(struct buf *, uint8_t);
/* In double quotes, with a backslash before each quote and backslash, as IMAP and
 * YAML have it; what does not fit is left out.  Control characters are the
 * caller's to refuse. */
void buf_add_quoted(struct buf *, struct slice);
bool buf_printf(struct buf *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* True when something did not fit since buf_init() or buf_reset(). */
bool buf_overflowed(const struct buf *);
/* Valid until the next change of the buffer. */
struct slice buf_slice(const struct buf *);
/* The content as a C string, valid until the next change; "" when empty. */
const char *buf_string(const struct buf *);
/* Takes the first `len` bytes off; at most all. */
void buf_drop(struct buf *, size_t len);

#endif
