/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
or_abort(void *p)
{
	if (p == NULL) {
		fputs("fatal: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *
mem_new(size_t size)
{
	return or_abort(calloc(1, size == 0 ? 1 : size));
}

void *
mem_new_array(size_t count, size_t size)
{
	return or_abort(calloc(count == 0 ? 1 : count, size));
}

void *
mem_resize(void *p, size_t count, size_t size)
{
	return or_abort(reallocarray(p, count == 0 ? 1 : count, size));
}

char *
mem_string(const char *s)
{
	return or_abort(strdup(s));
}

char *
mem_string_len(const void *bytes, size_t len)
{
	char *s = mem_new(len + 1);

	if (len > 0)
		memcpy(s, bytes, len);
	return s;
}
