/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sample and the manual page say alike of a key; see emit.h.
 */
#include "config/emit.h"

#include "config/load.h"

#include <string.h>

bool
row_is_table_list(const struct schema_row *row)
{
	return row->type == &value_list && row->table != NULL;
}

static void
describe_words(const struct schema_row *row, struct buf *out)
{
	const struct schema_word *w;
	const char *lead = "One of ";
	size_t usable = 0;

	if (row->type != &value_word && row->type != &value_switch &&
	    row->type != &value_preset && row->type != &value_provider &&
	    row->element != &value_word)
		return;
	for (w = row->words; w->word != NULL; w++)
		usable += !w->later;
	if (row->type == &value_list)
		lead = "Any of ";
	else if (usable == 1)
		lead = "Only ";
	for (w = row->words; w->word != NULL; w++) {
		if (w->later)
			continue;
		buf_printf(out, "%s%s", lead, w->word);
		lead = ", ";
	}
	buf_add_string(out, ". ");
}

static void
describe_range(const struct schema_row *row, struct buf *out)
{
	char min[32], max[32];

	if (row->type == &value_duration || row->type == &value_keep ||
	    row->type == &value_interval) {
		duration_write(row->min, min);
		duration_write(row->max, max);
	} else if (row->type == &value_size) {
		size_write(row->min, min);
		size_write(row->max, max);
	} else if (row->type == &value_number ||
		   row->type == &value_occurrence) {
		number_write(row->min, min);
		number_write(row->max, max);
	} else {
		return;
	}
	buf_printf(out, "From %s to %s. ", min, max);
}

void
row_describe(const struct schema_row *row, struct buf *out)
{
	describe_words(row, out);
	describe_range(row, out);
	if ((row->flags & ROW_REQUIRED) != 0)
		buf_add_string(out, "Required.");
	else if (row->derived != NULL)
		buf_printf(out, "Default: %s.", row->derived);
	else if (row->fallback != NULL)
		buf_printf(out, "Default: %s.", row->fallback);
}
