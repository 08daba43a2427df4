/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/encoded_text.h"

#include <iconv.h>
#include <string.h>

enum { CHARSET_MAX = 40, TEXT_MAX = 64 * 1024, WORD_MAX = 4096 };

struct word {
	struct slice charset, text;
	uint8_t encoding; /* 'b' or 'q' */
};

/* "=?charset?encoding?text?=" at the front. */
static bool
cut_encoded_word(struct slice *s, struct word *word)
{
	struct slice rest = *s, encoding;

	if (!slice_cut_prefix(&rest, SLICE("=?")) ||
	    !slice_cut_until(&rest, '?', &word->charset) ||
	    !slice_cut_until(&rest, '?', &encoding) ||
	    !slice_cut_until(&rest, '?', &word->text) ||
	    !slice_cut_prefix(&rest, SLICE("=")) || encoding.len != 1)
		return false;
	word->encoding = byte_lower(encoding.data[0]);
	if ((word->encoding != 'b' && word->encoding != 'q') ||
	    !slice_all(word->text, byte_is_graphic))
		return false;
	/* RFC 2231 5 appends a language. */
	word->charset =
	    slice_first(word->charset, slice_find(word->charset, '*'));
	*s = rest;
	return true;
}

static int
hex_value(uint8_t c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = memchr(digits, byte_lower(c), 16);

	return at == NULL ? -1 : (int)(at - digits);
}

static void
decode_q(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c == '_') {
			c = ' ';
		} else if (c == '=' && i + 2 < s.len &&
			   hex_value(s.data[i + 1]) >= 0 &&
			   hex_value(s.data[i + 2]) >= 0) {
			c = (uint8_t)(hex_value(s.data[i + 1]) * 16 +
				      hex_value(s.data[i + 2]));
			i += 2;
		}
		buf_add_byte(out, c);
	}
}

static int
base64_value(uint8_t c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno"
				     "pqrstuvwxyz0123456789+/";
	const char *at = memchr(digits, c, 64);

	return at == NULL ? -1 : (int)(at - digits);
}

static void
decode_b(struct slice s, struct buf *out)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int value = base64_value(s.data[i]);

		if (value < 0)
			continue;
		bits = bits << 6 | (uint32_t)value;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_add_byte(out, (uint8_t)(bits >> n));
		}
	}
}

/* No '/': iconv's "//TRANSLIT" and paths are not for strangers. */
static bool
is_charset_byte(uint8_t c)
{
	return byte_is_alnum(c) || c == '-' || c == '_' || c == '.' ||
	       c == ':' || c == '+';
}

static bool
convert(struct slice charset, struct slice text, struct buf *out)
{
	char name[CHARSET_MAX + 1] = "", piece[256];
	/* iconv() takes its input without const and leaves it alone. */
	char *in = (char *)(uintptr_t)text.data;
	size_t left = text.len, result;
	iconv_t cd;

	if (charset.len == 0 || charset.len > CHARSET_MAX ||
	    !slice_all(charset, is_charset_byte))
		return false;
	memcpy(name, charset.data, charset.len);
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1)
		return false;
	do {
		char *to = piece;
		size_t room = sizeof(piece), before = left;

		result = iconv(cd, &in, &left, &to, &room);
		buf_add(out, (struct slice){ (const uint8_t *)piece,
				 sizeof(piece) - room });
		if (result == (size_t)-1 && room == sizeof(piece) &&
		    left == before)
			break; /* bytes that this charset does not have */
	} while (left > 0);
	iconv_close(cd);
	if (left > 0)
		buf_add_byte(out, '?');
	return true;
}

static bool
decode_word(const struct word *word, struct buf *out)
{
	struct buf bytes;
	bool known = true;

	buf_init(&bytes, WORD_MAX);
	(word->encoding == 'q' ? decode_q : decode_b)(word->text, &bytes);
	/* Not through iconv: a character may be cut between two words. */
	if (slice_equal_nocase(word->charset, SLICE("utf-8")))
		buf_add(out, buf_slice(&bytes));
	else
		known = convert(word->charset, buf_slice(&bytes), out);
	buf_clear(&bytes);
	return known;
}

/* Blanks, folding included; a blank between encoded words does not count. */
static void
decode(struct slice s, struct buf *out)
{
	bool after_word = false;

	while (s.len > 0) {
		size_t blanks = 0;
		struct slice rest, before;
		struct word word;

		while (blanks < s.len && byte_is_space(s.data[blanks]))
			blanks++;
		rest = before = slice_from(s, blanks);
		if (cut_encoded_word(&rest, &word)) {
			if (blanks > 0 && !after_word)
				buf_add_byte(out, ' ');
			if (!decode_word(&word, out))
				buf_add(out,
				    slice_first(before, before.len - rest.len));
			after_word = true;
			s = rest;
			continue;
		}
		if (blanks > 0)
			buf_add_byte(out, ' ');
		if (rest.len > 0)
			buf_add_byte(out, rest.data[0]);
		s = slice_from(rest, 1);
		after_word = false;
	}
}

/* The length of the character at the front, 0 when it is no UTF-8. */
static size_t
character(struct slice s, uint32_t *code)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t least;
	} forms[] = { { 0x80, 0x00, 0 }, { 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

	for (size_t n = 0; n < 4; n++) {
		if ((s.data[0] & forms[n].mask) != forms[n].lead)
			continue;
		if (s.len <= n)
			return 0;
		*code = s.data[0] & (uint8_t)~forms[n].mask;
		for (size_t i = 1; i <= n; i++) {
			if ((s.data[i] & 0xc0) != 0x80)
				return 0;
			*code = *code << 6 | (s.data[i] & 0x3f);
		}
		if (*code < forms[n].least || *code > 0x10ffff ||
		    (*code >= 0xd800 && *code < 0xe000))
			return 0;
		return n + 1;
	}
	return 0;
}

static bool
is_safe(uint32_t code)
{
	return code >= 0x20 && (code < 0x7f || code >= 0xa0) &&
	       (code < 0x200b || code > 0x200f) &&
	       (code < 0x2028 || code > 0x202e) &&
	       (code < 0x2060 || code > 0x206f) && code != 0xfeff;
}

void
encoded_text_read(struct slice body, struct buf *out)
{
	struct buf text;
	struct slice s;

	buf_init(&text, TEXT_MAX);
	decode(slice_trim(body), &text);
	s = buf_slice(&text);
	while (s.len > 0) {
		uint32_t code = 0;
		size_t len = character(s, &code);
		struct slice shown = slice_first(s, len);

		if (len == 0 || !is_safe(code))
			shown = SLICE("?");
		if (!buf_add(out, shown))
			break;
		s = slice_from(s, len == 0 ? 1 : len);
	}
	buf_clear(&text);
}
