/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_import.h"

#include "state/seen_mailbox.h"
#include "state/seen_text.h"

#include <errno.h>
#include <string.h>

/* One line into `text`, of which `line` is a view; false at the end.  A NUL ends
 * it, and makes it wrong. */
static bool
next_line(FILE *file, char text[SEEN_LINE_MAX], struct slice *line)
{
	int byte;

	if (fgets(text, SEEN_LINE_MAX, file) == NULL)
		return false;
	*line = slice_of(text);
	if (line->len == SEEN_LINE_MAX - 1 && line->data[line->len - 1] != '\n')
		while ((byte = getc(file)) != EOF && byte != '\n')
			;
	else if (line->len > 0 && line->data[line->len - 1] == '\n')
		line->len--;
	return true;
}

static bool
read_line(struct slice line, struct seen_line *out, struct error *err)
{
	if (line.len < SEEN_LINE_MAX - 1)
		return seen_text_read(line, out, err);
	return error_set(
	    err, ERROR_CONFIG, "more than %d bytes", SEEN_LINE_MAX - 2);
}

bool
seen_import_check(FILE *file,
    void (*bad)(void *arg, uint64_t line, const struct error *), void *arg)
{
	char text[SEEN_LINE_MAX];
	struct seen_line read;
	struct error err;
	struct slice line;
	uint64_t n = 0;
	bool good = true;

	while (next_line(file, text, &line)) {
		n++;
		if (read_line(line, &read, &err))
			continue;
		bad(arg, n, &err);
		good = false;
	}
	return good;
}

static bool
add(struct seen *s, struct seen_import *import, const struct seen_entry *entry,
    struct error *err)
{
	struct seen_row row;

	if (!seen_mailbox_expect(s, entry->mailbox, err) ||
	    !seen_get(s, entry->mailbox, entry->uid, &row, err))
		return false;
	if (row.status != SEEN_NEW) {
		import->known++;
		return true;
	}
	import->added++;
	return seen_put(s, entry, err);
}

static bool
import_lines(
    struct seen *s, struct seen_import *import, FILE *file, struct error *err)
{
	char text[SEEN_LINE_MAX];
	struct seen_line read;
	struct slice line;

	for (int i = 0; i < SEEN_IMPORT_LINES; i++) {
		if (!next_line(file, text, &line)) {
			import->done = true;
			return !ferror(file) || error_errno(err, ERROR_LOCAL,
						    errno, "%s", import->path);
		}
		import->line++;
		if (!read_line(line, &read, err)) {
			error_prefix(
			    err, "line %llu", (unsigned long long)import->line);
			return false;
		}
		if (!read.empty && !add(s, import, &read.entry, err))
			return false;
	}
	import->offset = ftello(file);
	return true;
}

bool
seen_import_some(struct seen *s, struct seen_import *import, struct error *err)
{
	FILE *file = fopen(import->path, "re");
	bool ok;

	if (file == NULL)
		return error_errno(
		    err, ERROR_CONFIG, errno, "%s", import->path);
	ok = fseeko(file, import->offset, SEEK_SET) == 0
		 ? import_lines(s, import, file, err)
		 : error_errno(err, ERROR_LOCAL, errno, "%s", import->path);
	fclose(file);
	return ok;
}
