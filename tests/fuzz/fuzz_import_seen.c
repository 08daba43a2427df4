/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a state file, the first of which says of what kind: each line that
 * comes out has four fields of graphic ASCII.
 */
#include "admin/import_seen_lines.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_lines(const char *text, size_t len)
{
	unsigned tabs = 0;

	for (size_t i = 0; i < len; i++) {
		tabs += text[i] == '\t';
		if (text[i] == '\n' && tabs != 3)
			abort();
		if (text[i] == '\n')
			tabs = 0;
		else if (text[i] != '\t' && !byte_is_graphic((uint8_t)text[i]))
			abort();
	}
}

static void
take(struct seen *seen, uint8_t kind, struct slice text)
{
	struct import_account *a = seen->import->accounts[0];

	if (kind % 4 == 0)
		seen_take_fetchids(seen, text);
	else if (kind % 4 == 1)
		seen_take_uidls(seen, text);
	else
		seen_take_oldmail(
		    seen, a, kind % 4 == 2 ? NULL : "Lists/one", text);
	seen_tell_strange(seen);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { .path = "state" };
	struct import import;
	char *text = NULL;
	size_t len = 0;

	if (size == 0)
		return 0;
	import_init(&import);
	import_read(&import, import_fetchmailrc,
	    SLICE("poll h proto pop3 user u user 'v w'"));
	seen.import = &import;
	seen.out = open_memstream(&text, &len);
	take(&seen, data[0], (struct slice){ data + 1, size - 1 });
	fclose(seen.out);
	check_lines(text, len);
	free(text);
	import_clear(&import);
	return 0;
}
