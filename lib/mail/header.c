/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/header.h"

/* Length of the first line with its line end. */
static size_t
line_length(struct slice s)
{
	size_t end = slice_find(s, '\n');

	return end < s.len ? end + 1 : end;
}

static bool
starts_with_blank(struct slice s)
{
	return s.len > 0 && (s.data[0] == ' ' || s.data[0] == '\t');
}

static bool
starts_with_line_end(struct slice s)
{
	return slice_starts(s, SLICE("\n")) || slice_starts(s, SLICE("\r\n"));
}

/* A line of nothing but blanks goes on with the field, as Postfix has it: only
 * an empty one ends the header. */
static struct slice
whole_field(struct slice s)
{
	size_t len = line_length(s);

	while (starts_with_blank(slice_from(s, len)))
		len += line_length(slice_from(s, len));
	return slice_first(s, len);
}

static struct slice
without_line_end(struct slice s)
{
	if (s.len > 0 && s.data[s.len - 1] == '\n')
		s.len--;
	if (s.len > 0 && s.data[s.len - 1] == '\r')
		s.len--;
	return s;
}

/* The length of the name, and where the colon stands; blanks between them are
 * obsolete (RFC 5322 4.5) and still met. */
static bool
find_name(struct slice line, size_t *length, size_t *colon)
{
	size_t at = 0;

	while (at < line.len && byte_is_graphic(line.data[at]) &&
	       line.data[at] != ':')
		at++;
	*length = at;
	while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
		at++;
	*colon = at;
	return *length > 0 && at < line.len && line.data[at] == ':';
}

void
header_init(struct header *h, struct slice block)
{
	h->rest = block;
}

/* An mbox "From " line is no field either, and is skipped as such. */
bool
header_next(struct header *h, struct header_field *f)
{
	size_t length, colon;

	while (h->rest.len > 0 && !starts_with_line_end(h->rest)) {
		if (!find_name(h->rest, &length, &colon)) {
			h->rest = slice_from(h->rest, line_length(h->rest));
			continue;
		}
		f->whole = whole_field(h->rest);
		f->name = slice_first(f->whole, length);
		f->body = without_line_end(slice_from(f->whole, colon + 1));
		h->rest = slice_from(h->rest, f->whole.len);
		return true;
	}
	return false;
}

bool
header_is(const struct header_field *f, const char *name)
{
	return slice_equal_nocase(f->name, slice_of(name));
}

bool
header_find(struct slice block, const char *name, struct header_field *f)
{
	struct header h;

	header_init(&h, block);
	while (header_next(&h, f))
		if (header_is(f, name))
			return true;
	return false;
}
