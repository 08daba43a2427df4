/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_fetchmailrc_words.h"

#include <string.h>

static bool
is_separator(uint8_t byte)
{
	return byte_is_space(byte) || byte == ';' || byte == ':' || byte == ',';
}

static bool
ends_word(uint8_t byte)
{
	return is_separator(byte) || byte == '=';
}

static void
skip(struct rc_words *words, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (words->rest.data[i] == '\n')
			words->line++;
	words->rest = slice_from(words->rest, len);
}

static void
skip_blanks(struct rc_words *words)
{
	for (;;) {
		struct slice rest = words->rest;
		size_t len = 0;

		while (len < rest.len && is_separator(rest.data[len]))
			len++;
		if (len < rest.len && rest.data[len] == '#')
			len = len + slice_find(slice_from(rest, len), '\n');
		else if (slice_starts(slice_from(rest, len), SLICE("\\\n")))
			len += 2;
		else if (len == 0)
			return;
		skip(words, len);
	}
}

static int
digit_value(uint8_t byte)
{
	if (byte_is_digit(byte))
		return byte - '0';
	byte = byte_lower(byte);
	return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : 16;
}

/* \12 is decimal, \012 octal, \x12 hexadecimal. */
static uint8_t
cut_number(struct slice *s)
{
	unsigned value = 0;
	int base = 10, digits = 3;

	if (byte_lower(s->data[0]) == 'x') {
		base = 16;
		digits = 2;
		*s = slice_from(*s, 1);
	} else if (s->data[0] == '0') {
		base = 8;
	}
	for (; digits > 0 && s->len > 0; digits--) {
		int digit = digit_value(s->data[0]);

		if (digit >= base)
			break;
		value = value * (unsigned)base + (unsigned)digit;
		*s = slice_from(*s, 1);
	}
	return (uint8_t)value;
}

static uint8_t
cut_letter(struct slice *s)
{
	static const char letters[] = "ntbr", bytes[] = "\n\t\b\r";
	uint8_t byte = s->data[0];
	size_t i = slice_find(SLICE("ntbr"), byte);

	*s = slice_from(*s, 1);
	return i < sizeof(letters) - 1 ? (uint8_t)bytes[i] : byte;
}

/* The text without its escapes, which never make it longer; NULL when there
 * is a NUL in it. */
static const char *
unescape(struct arena *arena, struct slice s)
{
	char *text = arena_string(arena, s), *end = text;

	while (s.len > 0) {
		uint8_t byte = s.data[0];

		s = slice_from(s, 1);
		if (byte == '\\') {
			if (s.len == 0)
				break;
			if (slice_cut_prefix(&s, SLICE("\n")))
				continue;
			byte = byte_is_digit(s.data[0]) ||
				       byte_lower(s.data[0]) == 'x'
				   ? cut_number(&s)
				   : cut_letter(&s);
		}
		if (byte == 0)
			return NULL;
		*end++ = (char)byte;
	}
	*end = '\0';
	return text;
}

static bool
is_noise(const char *text)
{
	static const char *const noise[] = { "and", "with", "has", "wants",
		"options" };

	for (size_t i = 0; i < sizeof(noise) / sizeof(noise[0]); i++)
		if (strcmp(text, noise[i]) == 0)
			return true;
	return false;
}

static struct rc_word
broken(struct rc_words *words)
{
	words->rest.len = 0;
	return (struct rc_word){ .kind = RC_BROKEN, .line = words->line };
}

static struct rc_word
cut_quoted(struct rc_words *words)
{
	struct rc_word word = {
		.kind = RC_WORD, .literal = true, .line = words->line
	};
	struct slice inside = slice_from(words->rest, 1);
	size_t len = slice_find(inside, words->rest.data[0]);

	if (len == inside.len || len > RC_WORD_MAX)
		return broken(words);
	word.text = unescape(words->arena, slice_first(inside, len));
	if (word.text == NULL)
		return broken(words);
	skip(words, len + 2);
	return word;
}

static struct rc_word
cut_bare(struct rc_words *words, bool literal)
{
	struct rc_word word = {
		.kind = RC_WORD, .literal = literal, .line = words->line
	};
	size_t len = 0;

	while (len < words->rest.len && !ends_word(words->rest.data[len]))
		len++;
	if (len > RC_WORD_MAX)
		return broken(words);
	word.text = unescape(words->arena, slice_first(words->rest, len));
	if (word.text == NULL)
		return broken(words);
	skip(words, len);
	/* It means everybody, even after `is`. */
	if (strcmp(word.text, "*") == 0)
		word.kind = RC_STAR;
	return word;
}

struct rc_word
rc_words_next(struct rc_words *words, bool literal)
{
	struct rc_word word;

	for (;;) {
		skip_blanks(words);
		word = (struct rc_word){ .kind = RC_END, .line = words->line };
		if (words->rest.len == 0)
			return word;
		if (words->rest.data[0] == '=') {
			skip(words, 1);
			word.kind = RC_EQUALS;
			return word;
		}
		if (words->rest.data[0] == '"' || words->rest.data[0] == '\'')
			return cut_quoted(words);
		word = cut_bare(words, literal);
		if (word.kind != RC_WORD || literal || !is_noise(word.text))
			return word;
	}
}
