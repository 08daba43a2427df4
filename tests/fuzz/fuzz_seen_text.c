/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a file for `mailhaul seen import`: each line that is taken is
 * written as one line of text, and that line is read as the same row.
 */
#include "state/seen_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_text(struct slice text)
{
	if (text.len == 0 || text.data[text.len - 1] != '\n')
		abort();
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.data[i] != '\t' &&
		    (text.data[i] < ' ' || text.data[i] == 0x7f))
			abort();
}

static void
check_again(const struct seen_entry *entry)
{
	struct seen_line again;
	struct buf once, twice;
	struct error err;

	buf_init(&once, SEEN_LINE_MAX);
	buf_init(&twice, SEEN_LINE_MAX);
	seen_text_write(entry, &once);
	check_text(buf_slice(&once));
	if (!seen_text_read(
		slice_first(buf_slice(&once), once.len - 1), &again, &err) ||
	    again.empty || strcmp(again.entry.mailbox, entry->mailbox) != 0 ||
	    !slice_equal(again.entry.uid, entry->uid) ||
	    again.entry.row.status != entry->row.status)
		abort();
	seen_text_write(&again.entry, &twice);
	if (!slice_equal(buf_slice(&once), buf_slice(&twice)))
		abort();
	buf_clear(&twice);
	buf_clear(&once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { data, size }, line;

	while (slice_cut_line(&rest, &line)) {
		struct seen_line read;
		struct error err;

		if (seen_text_read(line, &read, &err) && !read.empty)
			check_again(&read.entry);
	}
	return 0;
}
