/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *b, size_t max)
{
	assert(max < SIZE_MAX / 2);
	*b = (struct buf){ .max = max };
}

void
buf_clear(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->room);
	buf_clear(b);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflowed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

/* By hand, not by realloc(): no copy of a secret stays in freed memory. */
static void
grow(struct buf *b, size_t room)
{
	uint8_t *data = mem_new(room);

	if (b->data != NULL) {
		memcpy(data, b->data, b->len);
		explicit_bzero(b->data, b->room);
		free(b->data);
	}
	b->data = data;
	b->room = room;
}

/* Room for `more` bytes and the NUL. */
static bool
reserve(struct buf *b, size_t more)
{
	size_t room = b->room == 0 ? 256 : b->room;

	if (more > b->max - b->len) {
		b->overflowed = true;
		return false;
	}
	while (room < b->len + more + 1)
		room *= 2;
	if (room > b->max + 1)
		room = b->max + 1;
	if (room != b->room)
		grow(b, room);
	return true;
}

bool
buf_add(struct buf *b, struct slice s)
{
	if (!reserve(b, s.len))
		return false;
	if (s.len > 0)
		memcpy(b->data + b->len, s.data, s.len);
	b->len += s.len;
	b->data[b->len] = '\0';
	return true;
}

bool
buf_add_string(struct buf *b, const char *s)
{
	return buf_add(b, slice_of(s));
}

bool
buf_add_byte(struct buf *b, uint8_t byte)
{
	return buf_add(b, (struct slice){ &byte, 1 });
}

void
buf_add_quoted(struct buf *b, struct slice text)
{
	buf_add_byte(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			buf_add_byte(b, '\\');
		buf_add_byte(b, text.data[i]);
	}
	buf_add_byte(b, '"');
}

bool
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;
	bool fits;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	fits = buf_add(b, (struct slice){ (uint8_t *)text, (size_t)len });
	free(text);
	return fits;
}

bool
buf_overflowed(const struct buf *b)
{
	return b->overflowed;
}

struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){ b->data, b->len };
}

const char *
buf_string(const struct buf *b)
{
	return b->data == NULL ? "" : (const char *)b->data;
}

void
buf_drop(struct buf *b, size_t len)
{
	if (len > b->len)
		len = b->len;
	if (len == 0)
		return;
	memmove(b->data, b->data + len, b->len - len);
	b->len -= len;
	b->data[b->len] = '\0';
}
