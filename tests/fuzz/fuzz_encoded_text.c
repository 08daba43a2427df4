/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: the text has no controls, fits its room, and has only whole
 * characters: reading it again finds nothing to replace.
 */
#include "mail/encoded_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
marks(struct slice s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i] == '?';
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text, again;
	struct slice s;

	buf_init(&text, 4096);
	buf_init(&again, 4096);
	encoded_text_read((struct slice){ data, size }, &text);
	s = buf_slice(&text);
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] < 0x20 || s.data[i] == 0x7f)
			abort();
	encoded_text_read(s, &again);
	if (slice_search_nocase(s, SLICE("=?")) == s.len &&
	    marks(buf_slice(&again)) != marks(s))
		abort();
	buf_clear(&text);
	buf_clear(&again);
	return 0;
}
