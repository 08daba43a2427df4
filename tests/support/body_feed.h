/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body_feed - a message in pieces, for the tests of what takes it off the wire.
 *
 * Each piece lies in memory of just its size, and so does what is made of it, so
 * that sanitizers see a byte too much.
 */
#ifndef SUPPORT_BODY_FEED_H
#define SUPPORT_BODY_FEED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

enum { BODY_FEED_MAX = 1 << 20 };

struct body_feed {
	/* body() of protocol.h */
	bool (*body)(void *m, struct slice in, size_t *used, uint8_t *out,
	    size_t *out_len);
	void *m;
	size_t piece; /* bytes */
};

/* True at the end of the message; *used counts the bytes taken until then. */
static inline bool
body_feed(
    const struct body_feed *f, struct slice in, struct buf *out, size_t *used)
{
	bool done = false;

	buf_init(out, BODY_FEED_MAX);
	*used = 0;
	while (*used < in.len && !done) {
		struct slice part =
		    slice_first(slice_from(in, *used), f->piece);
		uint8_t *exact = mem_new(part.len);
		uint8_t *room = mem_new(part.len + 4);
		size_t taken, written;

		memcpy(exact, part.data, part.len);
		part.data = exact;
		done = f->body(f->m, part, &taken, room, &written);
		assert_true(done || taken == part.len);
		assert_true(written <= part.len + 4);
		buf_add(out, (struct slice){ room, written });
		*used += taken;
		free(exact);
		free(room);
	}
	return done;
}

#endif
