/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/json_text.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

json_t *
json_text_of(struct slice text)
{
	size_t size = 4 * text.len + 4;
	json_t *value;
	char *safe;

	if (text.len == 0)
		return json_string("");
	value = json_stringn((const char *)text.data, text.len);
	if (value != NULL)
		return value;
	safe = mem_new(size);
	value = json_string(log_safe(safe, size, text));
	free(safe);
	return value;
}

json_t *
json_text(const char *text)
{
	return json_text_of(slice_of(text));
}

bool
json_print(json_t *root)
{
	bool ok = root != NULL &&
		  json_dumpf(root, stdout,
		      JSON_INDENT(2) | JSON_REAL_PRECISION(9)) == 0 &&
		  putchar('\n') != EOF;

	json_decref(root);
	return ok;
}
