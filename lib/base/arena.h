/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - many small allocations that live and die together.
 *
 * Memory is zeroed, aligned for any type, and belongs to the arena; nothing
 * is freed alone.  Not thread-safe.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/slice.h"

struct arena {
	struct arena_block *blocks;
};

/* A struct arena is born zeroed: struct arena a = { 0 }. */
void *arena_new(struct arena *, size_t size);
void *arena_new_array(struct arena *, size_t count, size_t size);
/* A NUL-terminated copy; the bytes must not hold NUL. */
char *arena_string(struct arena *, struct slice);
char *arena_printf(struct arena *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Frees everything; the arena is empty and usable again. */
void arena_clear(struct arena *);

#endif
