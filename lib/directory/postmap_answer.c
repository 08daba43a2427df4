/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/postmap_answer.h"

bool
postmap_has(struct slice printed, struct slice key)
{
	struct slice line, found;

	while (slice_cut_line(&printed, &line))
		if (slice_cut_until(&line, '\t', &found) &&
		    slice_equal_nocase(found, key))
			return true;
	return false;
}

/* main.cf has a setting twice; the source of a table is newer than what
 * postmap(1) made of it. */
static bool
is_harmless(struct slice line)
{
	return slice_search_nocase(line, SLICE(": overriding earlier entry:")) <
		   line.len ||
	       slice_search_nocase(line, SLICE(" is older than source file ")) <
		   line.len;
}

struct slice
postmap_trouble(struct slice said)
{
	struct slice line, last = { 0 };

	while (slice_cut_line(&said, &line)) {
		slice_cut_prefix(&line, SLICE("postmap: "));
		if (line.len > 0 && !is_harmless(line))
			last = line;
	}
	return last;
}
