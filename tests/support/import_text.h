/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_text - a file of an old program, read from a string, and what is
 * reported of it.
 */
#ifndef SUPPORT_IMPORT_TEXT_H
#define SUPPORT_IMPORT_TEXT_H

#include <stdio.h>
#include <stdlib.h>

#include "admin/import_output.h"

static inline void
import_text(struct import *import, import_reader *read, const char *source)
{
	import_init(import);
	import->owner = "owner";
	import->home = "/home/owner";
	import->folder = "/etc/old";
	import_read(import, read, slice_of(source));
}

/* To be freed. */
static inline char *
import_text_report(struct import *import, const char *file, int *status)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	*status = import_report(import, file, out);
	fclose(out);
	return text;
}

#endif
