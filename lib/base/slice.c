/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"

#include <string.h>

struct slice
slice_of(const char *s)
{
	if (s == NULL)
		return (struct slice){ NULL, 0 };
	return (struct slice){ (const uint8_t *)s, strlen(s) };
}

struct slice
slice_from(struct slice s, size_t from)
{
	if (from >= s.len)
		return (struct slice){ NULL, 0 };
	return (struct slice){ s.data + from, s.len - from };
}

struct slice
slice_first(struct slice s, size_t len)
{
	if (len < s.len)
		s.len = len;
	return s;
}

bool
byte_is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

bool
byte_is_alpha(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool
byte_is_alnum(uint8_t c)
{
	return byte_is_digit(c) || byte_is_alpha(c);
}

bool
byte_is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
byte_is_graphic(uint8_t c)
{
	return c > 0x20 && c < 0x7f;
}

uint8_t
byte_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

int
slice_compare(struct slice a, struct slice b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

	if (order != 0)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len && slice_compare(a, b) == 0;
}

bool
slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (byte_lower(a.data[i]) != byte_lower(b.data[i]))
			return false;
	return true;
}

bool
slice_starts(struct slice s, struct slice prefix)
{
	return slice_equal(slice_first(s, prefix.len), prefix);
}

bool
slice_starts_nocase(struct slice s, struct slice prefix)
{
	return slice_equal_nocase(slice_first(s, prefix.len), prefix);
}

bool
slice_ends_nocase(struct slice s, struct slice suffix)
{
	if (suffix.len > s.len)
		return false;
	return slice_equal_nocase(slice_from(s, s.len - suffix.len), suffix);
}

bool
slice_all(struct slice s, slice_test *passes)
{
	for (size_t i = 0; i < s.len; i++)
		if (!passes(s.data[i]))
			return false;
	return true;
}

size_t
slice_find(struct slice s, uint8_t byte)
{
	const uint8_t *hit;

	if (s.len == 0 || (hit = memchr(s.data, byte, s.len)) == NULL)
		return s.len;
	return (size_t)(hit - s.data);
}

size_t
slice_find_last(struct slice s, uint8_t byte)
{
	for (size_t i = s.len; i > 0; i--)
		if (s.data[i - 1] == byte)
			return i - 1;
	return s.len;
}

size_t
slice_search_nocase(struct slice s, struct slice needle)
{
	for (size_t i = 0; i + needle.len <= s.len; i++)
		if (slice_starts_nocase(slice_from(s, i), needle))
			return i;
	return s.len;
}

bool
slice_cut_prefix(struct slice *s, struct slice prefix)
{
	if (!slice_starts(*s, prefix))
		return false;
	*s = slice_from(*s, prefix.len);
	return true;
}

bool
slice_cut_prefix_nocase(struct slice *s, struct slice prefix)
{
	if (!slice_starts_nocase(*s, prefix))
		return false;
	*s = slice_from(*s, prefix.len);
	return true;
}

bool
slice_cut_number(struct slice *s, uint64_t max, uint64_t *value)
{
	uint64_t number = 0;
	size_t digits = 0;

	while (digits < s->len && byte_is_digit(s->data[digits])) {
		uint64_t digit = (uint64_t)(s->data[digits] - '0');

		if (digits == 20 || number > (UINT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
		digits++;
	}
	if (digits == 0 || number > max)
		return false;
	*value = number;
	*s = slice_from(*s, digits);
	return true;
}

bool
slice_cut_until(struct slice *s, uint8_t byte, struct slice *head)
{
	size_t at = slice_find(*s, byte);

	if (at == s->len)
		return false;
	*head = slice_first(*s, at);
	*s = slice_from(*s, at + 1);
	return true;
}

bool
slice_cut_word(struct slice *s, struct slice *word)
{
	size_t start = 0, end;

	while (start < s->len && byte_is_space(s->data[start]))
		start++;
	if (start == s->len)
		return false;
	for (end = start; end < s->len && !byte_is_space(s->data[end]); end++)
		;
	*word = (struct slice){ s->data + start, end - start };
	*s = slice_from(*s, end);
	return true;
}

bool
slice_cut_line(struct slice *s, struct slice *line)
{
	if (s->len == 0)
		return false;
	if (!slice_cut_until(s, '\n', line)) {
		*line = *s;
		*s = slice_from(*s, s->len);
	}
	if (line->len > 0 && line->data[line->len - 1] == '\r')
		line->len--;
	return true;
}

struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && byte_is_space(s.data[s.len - 1]))
		s.len--;
	while (s.len > 0 && byte_is_space(s.data[0]))
		s = slice_from(s, 1);
	return s;
}
