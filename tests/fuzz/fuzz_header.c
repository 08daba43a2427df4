/* SPDX-License-Identifier: Apache-2.0 */
/* Fields come in order, do not overlap, lie within the block, and look like
 * fields. */
#include <stdlib.h>

#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static bool
is_within(struct slice part, struct slice whole)
{
	return part.len == 0 ||
	       (part.data >= whole.data &&
		   part.data + part.len <= whole.data + whole.len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice rest = { data, len };
	struct header_field f;
	struct header h;

	header_init(&h, rest);
	while (header_next(&h, &f)) {
		demand(is_within(f.whole, rest));
		demand(is_within(f.name, f.whole));
		demand(is_within(f.body, f.whole));
		demand(f.name.len > 0 && slice_all(f.name, byte_is_graphic));
		demand(slice_find(f.name, ':') == f.name.len);
		rest = slice_from(
		    rest, (size_t)(f.whole.data - rest.data) + f.whole.len);
	}
	return 0;
}
