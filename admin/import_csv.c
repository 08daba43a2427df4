/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_csv - a table of accounts, as spreadsheets write it (RFC 4180, UTF-8).
 *
 * The first row names the columns; "," or ";" separates, whichever it holds more
 * often.  Each further row is one account.
 */
#include "admin/import.h"

#include <string.h>

enum { COLUMNS_MAX = 64 };

struct csv {
	struct import *import;
	struct slice rest;
	size_t line;
	uint8_t separator;
	/* The row at hand. */
	const char *fields[COLUMNS_MAX];
	size_t n, row_line;
	bool broken;
};

struct column {
	const char *name;
	bool (*set)(struct import_account *, const char *value);
	const char *expected; /* said when that fails */
};

/* A field in quotes, with "" for one of them, and line ends inside. */
static const char *
cut_quoted(struct csv *csv)
{
	char *text, *end;
	size_t i = 1;

	for (; i < csv->rest.len; i++) {
		if (csv->rest.data[i] != '"')
			continue;
		if (i + 1 >= csv->rest.len || csv->rest.data[i + 1] != '"')
			break;
		i++;
	}
	csv->broken = csv->broken || i >= csv->rest.len;
	text = end = arena_string(
	    &csv->import->arena, slice_first(slice_from(csv->rest, 1), i - 1));
	for (const char *c = text; *c != '\0'; c++) {
		csv->line += *c == '\n';
		*end++ = *c;
		if (c[0] == '"')
			c++;
	}
	*end = '\0';
	csv->rest = slice_from(csv->rest, i + 1);
	return text;
}

static bool
ends_field(const struct csv *csv, uint8_t byte)
{
	return byte == csv->separator || byte == '\n' || byte == '\r';
}

static const char *
cut_bare(struct csv *csv)
{
	struct slice field = csv->rest;
	size_t len = 0;

	while (len < field.len && !ends_field(csv, field.data[len]))
		len++;
	csv->rest = slice_from(csv->rest, len);
	return arena_string(
	    &csv->import->arena, slice_trim(slice_first(field, len)));
}

/* False at the end. */
static bool
cut_row(struct csv *csv)
{
	csv->n = 0;
	csv->broken = false;
	csv->row_line = csv->line;
	if (csv->rest.len == 0)
		return false;
	for (;;) {
		const char *field =
		    csv->rest.len > 0 && csv->rest.data[0] == '"'
			? cut_quoted(csv)
			: cut_bare(csv);

		if (csv->n < COLUMNS_MAX)
			csv->fields[csv->n++] = field;
		else
			csv->broken = true;
		slice_cut_prefix(&csv->rest, SLICE("\r"));
		if (csv->rest.len == 0)
			return true;
		csv->line += csv->rest.data[0] == '\n';
		csv->broken =
		    csv->broken || !ends_field(csv, csv->rest.data[0]);
		field = (const char *)csv->rest.data;
		csv->rest = slice_from(csv->rest, 1);
		if (*field != (char)csv->separator)
			return true;
	}
}

static bool
set_protocol(struct import_account *a, const char *value)
{
	for (int i = IMPORT_POP3; i <= IMPORT_IMAPS; i++)
		if (slice_equal_nocase(slice_of(value),
			slice_of(
			    import_protocol_name((enum import_protocol)i)))) {
			a->protocol = (enum import_protocol)i;
			return true;
		}
	return false;
}

static bool
set_host(struct import_account *a, const char *value)
{
	a->host = value;
	return true;
}

static bool
set_port(struct import_account *a, const char *value)
{
	uint64_t port;

	if (!import_number(slice_of(value), &port) || port > UINT16_MAX)
		return false;
	a->port = (unsigned)port;
	return true;
}

static bool
set_user(struct import_account *a, const char *value)
{
	a->user = value;
	return true;
}

static bool
set_password(struct import_account *a, const char *value)
{
	a->password = value;
	a->password_line = a->line;
	return true;
}

static bool
set_password_file(struct import_account *a, const char *value)
{
	a->password_file = value;
	return true;
}

static bool
set_deliver_to(struct import_account *a, const char *value)
{
	a->deliver_to = value;
	import_accept_domain_of(a->import, value);
	return true;
}

static bool
set_fallback(struct import_account *a, const char *value)
{
	a->fallback = value;
	import_accept_domain_of(a->import, value);
	return true;
}

static bool
set_keep(struct import_account *a, const char *value)
{
	uint64_t seconds;

	a->keep = value;
	return strcmp(value, "none") == 0 || strcmp(value, "forever") == 0 ||
	       import_duration(slice_of(value), &seconds);
}

static bool
set_every(struct import_account *a, const char *value)
{
	a->on_demand = strcmp(value, "on_demand") == 0;
	return a->on_demand || import_duration(slice_of(value), &a->every_s);
}

static bool
set_folders(struct import_account *a, const char *value)
{
	struct slice rest = slice_of(value), folder;

	do {
		if (!slice_cut_until(&rest, '|', &folder)) {
			folder = rest;
			rest.len = 0;
		}
		folder = slice_trim(folder);
		if (folder.len > 0)
			import_add_once(a->import, &a->folders,
			    arena_string(&a->import->arena, folder));
	} while (rest.len > 0);
	return a->folders.n > 0;
}

static const struct column columns[] = {
	{ "protocol", set_protocol, "pop3, pop3s, imap or imaps" },
	{ "host", set_host, NULL },
	{ "port", set_port, "a port" },
	{ "user", set_user, NULL },
	{ "password", set_password, NULL },
	{ "password_file", set_password_file, NULL },
	{ "deliver_to", set_deliver_to, NULL },
	{ "fallback", set_fallback, NULL },
	{ "keep", set_keep, "none, forever or a time such as 7d" },
	{ "every", set_every, "on_demand or a time such as 1m" },
	{ "folders", set_folders, "names with | between them" },
};
enum { N_COLUMNS = sizeof(columns) / sizeof(columns[0]) };

/* Which column of ours each of theirs is. */
struct header {
	const struct column *columns[COLUMNS_MAX];
	size_t n, name; /* n when there is no such column */
};

static const struct column *
find_column(const char *name)
{
	for (size_t i = 0; i < N_COLUMNS; i++)
		if (slice_equal_nocase(
			slice_of(name), slice_of(columns[i].name)))
			return &columns[i];
	return NULL;
}

static void
read_header(struct csv *csv, struct header *header)
{
	header->n = header->name = csv->n;
	for (size_t i = 0; i < csv->n; i++) {
		const char *name = csv->fields[i];
		bool is_name =
		    slice_equal_nocase(slice_of(name), SLICE("name"));

		header->columns[i] = find_column(name);
		if (is_name)
			header->name = i;
		if (is_name || header->columns[i] != NULL)
			import_say(csv->import, csv->row_line, IMPORT_TAKEN,
			    "column %s", name);
		else
			import_say(csv->import, csv->row_line, IMPORT_DROPPED,
			    "column %s is not known", name);
	}
}

static void
fill(struct csv *csv, const struct header *header, struct import_account *a)
{
	for (size_t i = 0; i < csv->n; i++) {
		const struct column *column = header->columns[i];

		if (column == NULL || csv->fields[i][0] == '\0' ||
		    column->set(a, csv->fields[i]))
			continue;
		a->refused = true;
		import_say_of(a, csv->row_line, IMPORT_REFUSED,
		    "account %s: %s must be %s", a->name, column->name,
		    column->expected);
	}
	if (a->password != NULL && a->password_file != NULL) {
		a->password_file = NULL;
		import_say_of(a, csv->row_line, IMPORT_CHANGED,
		    "account %s: password and password_file; the first counts",
		    a->name);
	}
}

static void
read_row(struct csv *csv, const struct header *header)
{
	struct import_account *a;
	const char *wish;

	if (csv->n == 1 && csv->fields[0][0] == '\0')
		return;
	if (csv->broken || csv->n > header->n) {
		import_say(csv->import, csv->row_line, IMPORT_REFUSED,
		    "quotes that do not match, or more fields than columns");
		return;
	}
	wish = header->name < csv->n ? csv->fields[header->name] : "";
	for (size_t i = 0; i < csv->n && wish[0] == '\0'; i++)
		if (header->columns[i] != NULL &&
		    header->columns[i]->set == set_user)
			wish = csv->fields[i];
	a = import_add_account(csv->import, wish, csv->row_line);
	if (a == NULL)
		return;
	a->protocol = IMPORT_POP3S;
	fill(csv, header, a);
	import_say_of(a, csv->row_line, IMPORT_TAKEN, "account %s", a->name);
}

static size_t
count(struct slice s, uint8_t byte)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i] == byte;
	return n;
}

void
import_csv(struct import *import, struct slice source)
{
	struct csv csv = { .import = import, .rest = source, .line = 1 };
	struct slice first = slice_first(source, slice_find(source, '\n'));
	struct header header;

	csv.separator = count(first, ';') > count(first, ',') ? ';' : ',';
	if (!cut_row(&csv))
		return;
	read_header(&csv, &header);
	while (cut_row(&csv))
		read_row(&csv, &header);
}
