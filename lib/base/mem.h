/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem - allocation that succeeds or ends the process.
 *
 * Sizes that come from a peer are capped before they get here, so running
 * out of memory is the machine's trouble and not an attack; the work under
 * way is safe on disk or still at the provider.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

/* Zeroed memory, to be freed with free(). */
void *mem_new(size_t size);
void *mem_new_array(size_t count, size_t size);
/* realloc() of an array; the new part is not zeroed. */
void *mem_resize(void *, size_t count, size_t size);
char *mem_string(const char *);
/* A C string of `len` bytes; they must not hold NUL. */
char *mem_string_len(const void *, size_t len);

#endif
