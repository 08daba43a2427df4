/* SPDX-License-Identifier: Apache-2.0 */
#include "config/emit.h"

#include "config/load.h"

#include <string.h>

enum { WIDTH = 78, TEXT_MAX = 2048 };

/* Where in the sample we are. */
struct place {
	FILE *out;
	int indent;
	bool commented; /* everything here, not only what is optional */
	bool brief;     /* without help: it stands elsewhere */
};

static struct place
deeper(struct place p, int by)
{
	p.indent += by;
	return p;
}

/* Words of a text as comment lines. */
static void
write_comment(struct place p, const char *text)
{
	struct slice rest = slice_of(text), word;
	size_t column = 0;

	while (slice_cut_word(&rest, &word)) {
		if (column > 0 && column + 1 + word.len > WIDTH) {
			fputc('\n', p.out);
			column = 0;
		}
		if (column == 0)
			column = (size_t)fprintf(p.out, "%*s#", p.indent, "");
		column += (size_t)fprintf(p.out, " %.*s", SLICE_ARG(word));
	}
	if (column > 0)
		fputc('\n', p.out);
}

static void
write_help(struct place p, const struct schema_row *row)
{
	struct buf text;

	if (p.brief)
		return;
	buf_init(&text, TEXT_MAX);
	row_describe(row, &text);
	write_comment(p, row->help);
	write_comment(p, buf_string(&text));
	buf_clear(&text);
}

static void write_rows(struct place, const struct schema_table *);
static void
write_row(struct place, const struct schema_row *, const char *bullet);

/* The entries of a list of mappings: one that shows every key, or one for
 * each way to write it; what may stand beside them follows the last. */
static void
write_entries(struct place p, const struct schema_table *table)
{
	const struct schema_row *row = table->rows;

	if (!table->one_of) {
		write_row(p, row, "- ");
		p = deeper(p, 2);
		for (row++; row->name != NULL; row++)
			if (row_is_usable(table, row))
				write_row(p, row, "");
		return;
	}
	for (; row->name != NULL; row++) {
		if (!row_is_usable(table, row))
			continue;
		p.commented = p.commented || row != table->rows;
		if (row_is_one(table, row))
			write_row(p, row, "- ");
		else
			write_row(deeper(p, 2), row, "");
	}
}

static const char *
shown_value(const struct schema_row *row)
{
	return row->example != NULL ? row->example : row->fallback;
}

static bool
is_block(const struct schema_row *row)
{
	return shown_value(row) == NULL &&
	       (row->type == &value_mapping || row_is_table_list(row));
}

static void
write_row(struct place p, const struct schema_row *row, const char *bullet)
{
	bool block = is_block(row);
	bool commented =
	    p.commented || (!block && bullet[0] == '\0' &&
			       (row->flags & (ROW_REQUIRED | ROW_SAMPLE)) == 0);

	write_help(p, row);
	fprintf(p.out, "%*s%s%s%s:", p.indent, "", commented ? "#" : "", bullet,
	    row->name);
	if (!block) {
		fprintf(p.out, " %s\n", shown_value(row));
		return;
	}
	fputc('\n', p.out);
	if (row_is_table_list(row)) {
		write_entries(deeper(p, 2), row->table);
		return;
	}
	p.brief = p.brief || row->table->without != 0;
	write_rows(deeper(p, 2 + (int)strlen(bullet)), row->table);
}

static void
write_rows(struct place p, const struct schema_table *table)
{
	const struct schema_row *row;

	for (row = table->rows; row->name != NULL; row++) {
		if (!row_is_usable(table, row))
			continue;
		if (p.indent == 0)
			fputc('\n', p.out);
		write_row(p, row, "");
	}
}

void
emit_sample(FILE *out)
{
	struct place p = { .out = out };

	fputs("# yaml-language-server: $schema=mailhaul.schema.json\n#\n", out);
	write_comment(p,
	    "Mailhaul: every key, made by \"mailhaul schema sample\". A key "
	    "that begins with # directly is optional and shows its default or "
	    "an example. The smallest useful file is mailhaul.yaml; see "
	    "mailhaul.yaml(5).");
	write_rows(p, &schema_root);
}
