/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) uint8_t bytes[];
};

static struct arena_block *
block_with_room(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;

	if (block != NULL && block->size - block->used >= size)
		return block;
	if (size < BLOCK_SIZE)
		size = BLOCK_SIZE;
	block = mem_new(sizeof(*block) + size);
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *
arena_new(struct arena *arena, size_t size)
{
	const size_t unit = _Alignof(max_align_t);
	struct arena_block *block;
	void *room;

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + unit - 1) / unit * unit;
	block = block_with_room(arena, size);
	room = block->bytes + block->used;
	block->used += size;
	return room;
}

void *
arena_new_array(struct arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / 2 / size)
		abort();
	return arena_new(arena, count * size);
}

char *
arena_string(struct arena *arena, struct slice s)
{
	char *copy = arena_new(arena, s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.data, s.len);
	return copy;
}

char *
arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len < 0)
		abort();
	text = arena_new(arena, (size_t)len + 1);
	va_start(ap, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, ap);
	va_end(ap);
	return text;
}

void
arena_clear(struct arena *arena)
{
	struct arena_block *block, *next;

	for (block = arena->blocks; block != NULL; block = next) {
		next = block->next;
		free(block);
	}
	arena->blocks = NULL;
}
