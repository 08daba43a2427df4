/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_ini.h"

#include "base/buf.h"

#include <string.h>

enum { NESTING_MAX = 8 };

struct reader {
	struct import *import;
	struct ini *ini;
	const char *section;    /* NULL before the first */
	struct ini_entry *open; /* the one that an indented line continues */
	struct buf value;       /* of it */
	size_t line;
};

static void
close_entry(struct reader *r)
{
	if (r->open != NULL)
		r->open->value = arena_string(
		    &r->import->arena, slice_trim(buf_slice(&r->value)));
	r->open = NULL;
	buf_reset(&r->value);
}

static void
add_entry(struct reader *r, const char *key, struct slice value)
{
	struct ini *ini = r->ini;

	if (ini->n == ini->room) {
		size_t room = ini->room == 0 ? 32 : 2 * ini->room;
		struct ini_entry *larger =
		    arena_new_array(&r->import->arena, room, sizeof(*larger));

		if (ini->n > 0)
			memcpy(larger, ini->entries, ini->n * sizeof(*larger));
		ini->entries = larger;
		ini->room = room;
	}
	r->open = &ini->entries[ini->n++];
	*r->open = (struct ini_entry){
		.section = r->section, .key = key, .value = "", .line = r->line
	};
	buf_add(&r->value, value);
}

static const char *
small_letters(struct arena *arena, struct slice name)
{
	char *copy = arena_string(arena, slice_trim(name));

	for (char *c = copy; *c != '\0'; c++)
		*c = (char)byte_lower((uint8_t)*c);
	return copy;
}

static void
read_entry(struct reader *r, struct slice line)
{
	size_t equals = slice_find(line, '='), colon = slice_find(line, ':');
	size_t end = equals < colon ? equals : colon;

	close_entry(r);
	if (end == line.len || end == 0 || r->section == NULL) {
		import_say(r->import, r->line, IMPORT_REFUSED,
		    "no setting, or one before the first section (its text "
		    "may be a password and is not shown)");
		return;
	}
	add_entry(r, small_letters(&r->import->arena, slice_first(line, end)),
	    slice_trim(slice_from(line, end + 1)));
}

static void
read_section(struct reader *r, struct slice line)
{
	close_entry(r);
	r->section = arena_string(&r->import->arena,
	    slice_first(slice_from(line, 1), slice_find(line, ']') - 1));
	import_say(r->import, r->line, IMPORT_TAKEN, "section %s", r->section);
}

static void
read_line(struct reader *r, struct slice line)
{
	struct slice text = slice_trim(line);

	if (text.len == 0 || text.data[0] == '#' || text.data[0] == ';')
		return;
	if (r->open != NULL && byte_is_space(line.data[0])) {
		buf_add_byte(&r->value, '\n');
		buf_add(&r->value, text);
	} else if (text.data[0] == '[' && slice_find(text, ']') < text.len) {
		read_section(r, text);
	} else {
		read_entry(r, text);
	}
}

void
ini_parse(struct import *import, struct slice source, struct ini *ini)
{
	struct reader r = { .import = import, .ini = ini };
	struct slice line;

	*ini = (struct ini){ .n = 0 };
	buf_init(&r.value, IMPORT_SOURCE_MAX);
	while (slice_cut_line(&source, &line)) {
		r.line++;
		read_line(&r, line);
	}
	close_entry(&r);
	buf_wipe(&r.value);
}

struct ini_entry *
ini_find(const struct ini *ini, const char *section, const char *key)
{
	for (size_t i = ini->n; i > 0; i--)
		if (strcmp(ini->entries[i - 1].section, section) == 0 &&
		    strcmp(ini->entries[i - 1].key, key) == 0)
			return &ini->entries[i - 1];
	return NULL;
}

static uint8_t
unescaped(uint8_t byte)
{
	return byte == 'n' ? '\n' : byte == 't' ? '\t' : byte;
}

/* 'it''s', "it's", r'\.'; NULL when it does not end. */
static const char *
cut_string(struct arena *arena, struct slice *s, bool raw)
{
	uint8_t quote = s->data[0];
	char *text, *end;
	size_t i = 1;

	while (i < s->len && s->data[i] != quote)
		i += s->data[i] == '\\' ? 2 : 1;
	if (i >= s->len)
		return NULL;
	text = end = arena_string(arena, slice_first(slice_from(*s, 1), i - 1));
	for (const char *c = text; *c != '\0'; c++) {
		uint8_t next = (uint8_t)c[1];

		/* As Python does, what is no escape stays. */
		if (*c == '\\' && !raw && next != '\0' &&
		    slice_find(SLICE("\\'\"nt"), next) < 5)
			*end++ = (char)unescaped((uint8_t) * ++c);
		else
			*end++ = *c;
	}
	*end = '\0';
	*s = slice_from(*s, i + 1);
	return text;
}

static bool
is_quote(struct slice s, size_t at)
{
	return at < s.len && (s.data[at] == '"' || s.data[at] == '\'');
}

/* The letters before a string; *raw tells whether r was there. */
static void
skip_prefix(struct slice *s, bool *raw)
{
	size_t len = 0;

	*raw = false;
	while (len < s->len && len < 2 &&
	       slice_find(SLICE("rub"), byte_lower(s->data[len])) < 3)
		len++;
	if (!is_quote(*s, len))
		return;
	for (size_t i = 0; i < len; i++)
		*raw = *raw || byte_lower(s->data[i]) == 'r';
	*s = slice_from(*s, len);
}

bool
python_strings(struct import *import, struct slice s, struct import_list *list)
{
	bool follows = false;
	int depth = 0;

	for (s = slice_trim(s); s.len > 0; s = slice_trim(s)) {
		const char *text;
		bool raw;

		if (s.data[0] == '(' || s.data[0] == '[') {
			if (++depth > NESTING_MAX)
				return false;
		} else if (s.data[0] == ')' || s.data[0] == ']') {
			depth--;
		} else if (s.data[0] != ',') {
			skip_prefix(&s, &raw);
			text = is_quote(s, 0)
				   ? cut_string(&import->arena, &s, raw)
				   : NULL;
			if (text == NULL)
				return false;
			/* 'a' 'b' is 'ab'. */
			if (follows)
				list->items[list->n - 1] =
				    arena_printf(&import->arena, "%s%s",
					list->items[list->n - 1], text);
			else
				import_add(import, list, text);
			follows = list->n > 0;
			continue;
		}
		follows = false;
		s = slice_from(s, 1);
	}
	return depth == 0;
}

bool
python_boolean(struct slice s, bool *value)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = { { "1", true }, { "yes", true }, { "true", true },
		{ "on", true }, { "0", false }, { "no", false },
		{ "false", false }, { "off", false } };

	s = slice_trim(s);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_equal_nocase(s, slice_of(words[i].word))) {
			*value = words[i].value;
			return true;
		}
	return false;
}
