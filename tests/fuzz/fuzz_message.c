/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message filter: the same output for every split, no ticket of others
 * and no Delivered-To in what it lets through, room as promised.
 */
#include <assert.h>

#include "fetcher/message.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
filter(struct slice in, size_t step, struct buf *out)
{
	struct message_filter f;

	message_filter_init(&f);
	while (in.len > 0) {
		message_filter_feed(&f, slice_first(in, step), out);
		in = slice_from(in, step);
	}
	message_filter_end(&f, out);
	assert(!buf_overflowed(out));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice in = { data, len };
	struct header_field field;
	struct header header;
	struct buf whole, pieces;

	buf_init(&whole, 3 * len + 100);
	buf_init(&pieces, 3 * len + 100);
	filter(in, len, &whole);
	filter(in, len % 7 + 1, &pieces);
	assert(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	header_init(&header, buf_slice(&whole));
	while (header_next(&header, &field)) {
		assert(!header_is(&field, "X-Mailhaul-Ticket"));
		assert(!header_is(&field, "X-Mailhaul"));
		assert(!header_is(&field, "Delivered-To"));
	}
	buf_clear(&whole);
	buf_clear(&pieces);
	return 0;
}
