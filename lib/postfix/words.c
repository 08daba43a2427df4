/* SPDX-License-Identifier: Apache-2.0 */
#include "postfix/words.h"

static bool
is_separator(uint8_t c)
{
	return byte_is_space(c) || c == ',';
}

/* As Postfix's mystrtokq(). */
bool
words_cut(struct slice *list, struct slice *word)
{
	size_t from = 0, to, depth = 0;

	while (from < list->len && is_separator(list->data[from]))
		from++;
	for (to = from; to < list->len; to++) {
		uint8_t c = list->data[to];

		if (depth == 0 && is_separator(c))
			break;
		if (c == '{')
			depth++;
		else if (c == '}' && depth > 0)
			depth--;
	}
	*word = slice_first(slice_from(*list, from), to - from);
	*list = slice_from(*list, to);
	return word->len > 0;
}

bool
words_have(struct slice list, struct slice wanted)
{
	struct slice word;

	while (words_cut(&list, &word))
		if (slice_equal_nocase(word, wanted))
			return true;
	return false;
}

bool
words_time_ms(struct slice text, int64_t unit_s, int64_t *ms)
{
	static const struct {
		uint8_t letter;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 7 * 86400 } };
	uint64_t value;

	text = slice_trim(text);
	if (!slice_cut_number(&text, INT32_MAX, &value) || text.len > 1)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text.len == 1 &&
		    byte_lower(text.data[0]) == units[i].letter) {
			unit_s = units[i].seconds;
			text.len = 0;
		}
	*ms = (int64_t)value * unit_s * 1000;
	return text.len == 0;
}
