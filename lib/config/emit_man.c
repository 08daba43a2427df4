/* SPDX-License-Identifier: Apache-2.0 */
#include "config/emit.h"

#include "config/emit_man_examples.h"
#include "config/load.h"

#include <string.h>

enum { TEXT_MAX = 2048, PATH_MAX_LEN = 200 };

static const char head[] =
    ".\\\" SPDX-License-Identifier: Apache-2.0\n"
    ".\\\" Made by \"mailhaul schema man\"; change lib/config/schema*.c.\n"
    ".Dd November 22, 2026\n"
    ".Dt MAILHAUL.YAML 5\n"
    ".Os\n"
    ".Sh NAME\n"
    ".Nm mailhaul.yaml\n"
    ".Nd configuration of Mailhaul, the connector between mailboxes and "
    "Postfix\n"
    ".Sh DESCRIPTION\n"
    ".Nm\n"
    "says which mailboxes are collected, whose mail it can be, who exists, "
    "and\n"
    "how mail gets to Postfix.\n"
    "The daemons\n"
    ".Xr mailhaul-fetcher 8\n"
    "and\n"
    ".Xr mailhaul-milter 8\n"
    "and the command\n"
    ".Xr mailhaul 8\n"
    "read the same file.\n"
    "After a change run\n"
    ".Ql mailhaul check ,\n"
    "which tells everything that is wrong with it at once, then reload the\n"
    "daemons.\n"
    "A running daemon that finds errors in a changed file keeps what it has.\n"
    ".Ss Grammar\n"
    "The file is YAML, at most 1 MiB, in UTF-8.\n"
    "It holds one document without anchors, aliases and tags; a key may stand\n"
    "in a mapping only once.\n"
    ".Bl -tag -width Ds\n"
    ".It Durations\n"
    "are a number and one of\n"
    ".Sy ms , s , m , h , d :\n"
    ".Ql 500ms ,\n"
    ".Ql 90s ,\n"
    ".Ql 7d .\n"
    ".It Sizes\n"
    "are a number of bytes, or a number and one of\n"
    ".Sy K , M , G ,\n"
    "which count in steps of 1024.\n"
    ".It Booleans\n"
    "are\n"
    ".Sy true\n"
    "and\n"
    ".Sy false ;\n"
    "nothing else is.\n"
    ".It Paths\n"
    "that do not begin with a slash begin at the folder of this file.\n"
    ".It Passwords\n"
    "never stand in this file, only the place where they are.\n"
    ".El\n"
    ".Pp\n"
    "A value that begins with one of\n"
    ".Ql & * \\&! { [ @ % #\n"
    "or holds a colon and a blank needs quotes.\n"
    ".Sh KEYS\n";

static const char files[] = ".Sh FILES\n"
			    ".Bl -tag -width Ds\n"
			    ".It Pa " CONFIG_DEFAULT_PATH "\n"
			    "The file that is read when\n"
			    ".Fl c\n"
			    "names no other.\n"
			    ".El\n";

static const char tail[] =
    ".Sh DIAGNOSTICS\n"
    "Each finding is one line:\n"
    ".Bd -literal -offset indent\n"
    "mailhaul.yaml:14:12: error: accounts[0].every: 0s is below the minimum "
    "of 1s\n"
    ".Ed\n"
    ".Pp\n"
    "Errors keep the programs from starting, with exit status 78.\n"
    "Warnings do not.\n"
    ".Sh SEE ALSO\n"
    ".Xr mailhaul 8 ,\n"
    ".Xr mailhaul-fetcher 8 ,\n"
    ".Xr mailhaul-milter 8\n";

/* "accounts[].recipients" */
static void
make_path(char out[static PATH_MAX_LEN], const char *above,
    const struct schema_row *row)
{
	snprintf(out, PATH_MAX_LEN, "%s%s%s%s", above,
	    above[0] == '\0' ? "" : ".", row->name,
	    row_is_table_list(row) ? "[]" : "");
}

/* What kind of value it is, where the words of row_describe() do not say. */
static void
describe_type(const struct schema_row *row, struct buf *out)
{
	const struct value_type *type = row->type;

	if (row->table != NULL)
		buf_add_string(out, type == &value_list ? "A list of mappings. "
							: "A mapping. ");
	else if (type == &value_list && row->element != &value_word)
		buf_printf(
		    out, "A list; each entry is %s. ", row->element->words);
	else if (type == &value_keep || type == &value_interval ||
		 type == &value_occurrence || type == &value_filter ||
		 row->words == NULL)
		buf_printf(out, "Value: %s. ", type->words);
}

static void
write_row(FILE *out, const char *above, const struct schema_row *row)
{
	char path[PATH_MAX_LEN];
	struct buf text;

	buf_init(&text, TEXT_MAX);
	describe_type(row, &text);
	row_describe(row, &text);
	fprintf(out, ".It Cm %s\n", row->name);
	emit_mdoc_text(out, slice_of(row->help));
	emit_mdoc_text(out, buf_slice(&text));
	if (row->table != NULL) {
		make_path(path, above, row);
		fprintf(out, "See\n.Sx %s .\n",
		    row->table->section != NULL ? row->table->section : path);
	}
	if (row->type == &value_provider)
		fputs("See\n.Sx Providers .\n", out);
	buf_clear(&text);
}

static void
write_list(FILE *out, const char *path, const struct schema_table *table)
{
	const struct schema_row *row;

	if (table->one_of)
		fputs("Exactly one of:\n", out);
	fputs(".Bl -tag -width Ds\n", out);
	for (row = table->rows; row->name != NULL; row++)
		if (row_is_one(table, row))
			write_row(out, path, row);
	fputs(".El\n", out);
}

/* What else a one_of table has. */
static void
write_beside(FILE *out, const char *path, const struct schema_table *table)
{
	const struct schema_row *row;
	const char *begin = "Beside it:\n.Bl -tag -width Ds\n";

	for (row = table->rows; row->name != NULL; row++) {
		if (!row_is_usable(table, row) || row_is_one(table, row))
			continue;
		fputs(begin, out);
		begin = "";
		write_row(out, path, row);
	}
	if (begin[0] == '\0')
		fputs(".El\n", out);
}

static void
write_names(FILE *out, const struct schema_table *table,
    const struct value_type *type, bool usable)
{
	const struct schema_row *row;
	const char *lead = "";

	for (row = table->rows; row->name != NULL; row++)
		if (usable ? row_is_usable(table, row) : row->type == type) {
			fprintf(out, "%s%s", lead, row->name);
			lead = ",\n";
		}
	fputs(".\n", out);
}

/* One section for each mapping, outer ones first. */
static void
write_sections(FILE *out, const char *above, const struct schema_table *table)
{
	const struct schema_row *row;
	char path[PATH_MAX_LEN];

	for (row = table->rows; row->name != NULL; row++) {
		if (row->table == NULL || row->table->section != NULL)
			continue;
		make_path(path, above, row);
		fprintf(out, ".Ss %s\n", path);
		if (row->table->without != 0) {
			fputs("The same keys as in an account:\n", out);
			write_names(out, row->table, NULL, true);
			continue;
		}
		write_list(out, path, row->table);
		write_beside(out, path, row->table);
		write_sections(out, path, row->table);
	}
}

static bool
is_shown(struct slice line)
{
	return line.len > 0 && line.data[0] == '\t';
}

/* Lines that are shown as they are; moves on to what follows them. */
static void
write_shown(FILE *out, struct slice *text)
{
	struct slice rest = *text, line;

	fputs(".Bd -literal -offset indent\n", out);
	while (slice_cut_line(&rest, &line) && is_shown(line)) {
		emit_mdoc_word(out, slice_from(line, 1), true);
		fputc('\n', out);
		*text = rest;
	}
	fputs(".Ed\n", out);
}

static void
write_example(FILE *out, const struct man_example *example)
{
	struct slice text = slice_of(example->text), rest, line;
	const char *lead = "";

	fprintf(out, ".Ss %s\n", example->title);
	while (text.len > 0) {
		rest = text;
		slice_cut_line(&rest, &line);
		if (is_shown(line)) {
			write_shown(out, &text);
		} else {
			fputs(lead, out);
			emit_mdoc_text(out, line);
			text = rest;
		}
		lead = "";
		if (text.len > 0 && text.data[0] == '\n') {
			text = slice_from(text, 1);
			lead = ".Pp\n";
		}
	}
}

void
emit_man(FILE *out)
{
	fputs(head, out);
	write_list(out, "", &schema_root);
	fputs(".Pp\nReserved for a later version, and refused:\n", out);
	write_names(out, &schema_root, &value_reserved, false);
	write_sections(out, "", &schema_root);
	for (size_t i = 0; schema_sections[i] != NULL; i++) {
		fprintf(out, ".Ss %s\n", schema_sections[i]->section);
		write_list(out, "", schema_sections[i]);
		write_sections(out, "", schema_sections[i]);
	}
	emit_providers(out);
	fputs(files, out);
	fputs(".Sh EXAMPLES\n", out);
	for (const struct man_example *e = man_examples; e->title != NULL; e++)
		write_example(out, e);
	fputs(tail, out);
}
