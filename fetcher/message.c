/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/message.h"

#include <string.h>

#include "recipients/trace.h"

void
message_filter_init(struct message_filter *f)
{
	*f = (struct message_filter){ .state = FILTER_LINE_START,
		.first = true };
}

size_t
message_header_end(struct slice s)
{
	size_t line = 0;

	while (line < s.len) {
		struct slice rest = slice_from(s, line);
		size_t len = slice_find(rest, '\n');

		if (len == 0)
			return line + 1;
		if (len == rest.len)
			return 0;
		line += len + 1;
	}
	return 0;
}

static struct slice
held_name(const struct message_filter *f)
{
	return (struct slice){ f->name, f->name_len };
}

static bool
must_drop(const struct message_filter *f, struct slice line, struct slice name)
{
	if (f->first && (slice_starts(line, SLICE("From ")) ||
			    slice_starts(line, SLICE(">From "))))
		return true;
	return slice_starts_nocase(name, SLICE("X-Mailhaul")) &&
	       !slice_equal_nocase(name, SLICE(TRACE_FIELD)) &&
	       !slice_equal_nocase(name, SLICE(TRACE_BEFORE_FIELD));
}

/* The name is complete: what becomes of this line? */
static void
judge(struct message_filter *f, struct buf *out)
{
	struct slice line = held_name(f), name = line;

	name.len = slice_find(line, ':');
	name = slice_trim(name);
	f->dropping = must_drop(f, line, name);
	f->first = false;
	f->state = f->dropping ? FILTER_DROP : FILTER_PASS;
	if (slice_equal_nocase(name, SLICE(TRACE_FIELD))) {
		buf_add(out, SLICE(TRACE_BEFORE_FIELD));
		line = slice_from(line, name.len);
	} else if (slice_equal_nocase(name, SLICE("Delivered-To"))) {
		buf_add(out, SLICE("X-Mailhaul-"));
	}
	if (!f->dropping)
		buf_add(out, line);
	f->name_len = 0;
}

/* The first byte of a line in the header. */
static void
begin_line(struct message_filter *f, uint8_t byte, struct buf *out)
{
	if (byte == '\n') {
		f->state = FILTER_BODY;
		buf_add_byte(out, byte);
	} else if ((byte == ' ' || byte == '\t') && !f->first) {
		f->state = f->dropping ? FILTER_DROP : FILTER_PASS;
		if (!f->dropping)
			buf_add_byte(out, byte);
	} else {
		f->state = FILTER_NAME;
		f->name[0] = byte;
		f->name_len = 1;
	}
}

static void
hold_name(struct message_filter *f, uint8_t byte, struct buf *out)
{
	f->name[f->name_len++] = byte;
	if (byte == '\n' || byte == ':' || f->name_len == sizeof(f->name))
		judge(f, out);
	if (byte == '\n')
		f->state = FILTER_LINE_START;
}

/* The rest of a line, or as much of it as is there. */
static size_t
rest_of_line(struct message_filter *f, struct slice in, struct buf *out)
{
	size_t len = slice_find(in, '\n');

	if (len < in.len) {
		len++;
		in.len = len;
	}
	if (f->state == FILTER_PASS)
		buf_add(out, in);
	if (in.data[len - 1] == '\n')
		f->state = FILTER_LINE_START;
	return len;
}

void
message_filter_feed(struct message_filter *f, struct slice in, struct buf *out)
{
	while (in.len > 0) {
		size_t used = 1;

		switch (f->state) {
		case FILTER_LINE_START:
			begin_line(f, in.data[0], out);
			break;
		case FILTER_NAME:
			hold_name(f, in.data[0], out);
			break;
		case FILTER_PASS:
		case FILTER_DROP:
			used = rest_of_line(f, in, out);
			break;
		case FILTER_BODY:
			buf_add(out, in);
			return;
		}
		in = slice_from(in, used);
	}
}

void
message_filter_end(struct message_filter *f, struct buf *out)
{
	if (f->state == FILTER_NAME)
		judge(f, out);
	f->state = FILTER_BODY;
}
