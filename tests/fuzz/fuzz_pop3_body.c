/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes, in one piece and in pieces whose length the first byte says: the
 * message must be the same, and never grow by more than the room promised.
 */
#include "base/buf.h"
#include "base/mem.h"
#include "fetcher/pop3.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
feed(struct slice in, size_t piece, struct buf *out)
{
	struct pop3_body body;
	size_t used = 0, taken, written;
	bool done = false;

	pop3_body_init(&body);
	while (used < in.len && !done) {
		struct slice part = slice_first(slice_from(in, used), piece);
		uint8_t *room = mem_new(part.len + 4);

		done = pop3_body_feed(&body, part, &taken, room, &written);
		if (taken > part.len || (!done && taken != part.len) ||
		    written > part.len + 4)
			abort();
		buf_add(out, (struct slice){ room, written });
		used += taken;
		free(room);
	}
	return used;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { data, size };
	struct buf whole, pieces;

	if (size == 0)
		return 0;
	buf_init(&whole, size + 4);
	buf_init(&pieces, size + 4);
	if (feed(in, size, &whole) != feed(in, 1 + data[0] % 16, &pieces) ||
	    !slice_equal(buf_slice(&whole), buf_slice(&pieces)) ||
	    buf_overflowed(&whole))
		abort();
	buf_clear(&whole);
	buf_clear(&pieces);
	return 0;
}
