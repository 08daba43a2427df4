/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_name.h"

#include "base/digest.h"

#include <string.h>

enum {
	UTF16_MAX = 2 * IMAP_NAME_MAX,
	BASE64_SIZE = (UTF16_MAX + 2) / 3 * 4 + 1,
};

/* UTF-8's first bytes by the length that they announce. */
static const struct {
	uint8_t mask, first;
	unsigned length;
	uint32_t least; /* what a shorter form could not say */
} forms[] = {
	{ 0x80, 0x00, 1, 1 }, /* NUL is in no name */
	{ 0xe0, 0xc0, 2, 0x80 },
	{ 0xf0, 0xe0, 3, 0x800 },
	{ 0xf8, 0xf0, 4, 0x10000 },
};

static bool
cut_character(struct slice *s, uint32_t *value)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (s->len == 0 ||
		    (s->data[0] & forms[i].mask) != forms[i].first)
			continue;
		if (s->len < forms[i].length)
			return false;
		*value = s->data[0] & (uint8_t)~forms[i].mask;
		for (unsigned k = 1; k < forms[i].length; k++) {
			if ((s->data[k] & 0xc0) != 0x80)
				return false;
			*value = *value << 6 | (s->data[k] & 0x3f);
		}
		*s = slice_from(*s, forms[i].length);
		return *value >= forms[i].least && *value <= 0x10ffff &&
		       (*value < 0xd800 || *value > 0xdfff);
	}
	return false;
}

static void
add_utf16(struct buf *out, uint32_t unit)
{
	buf_add_byte(out, (uint8_t)(unit >> 8));
	buf_add_byte(out, (uint8_t)unit);
}

static void
add_character_utf16(struct buf *out, uint32_t value)
{
	if (value >= 0x10000) {
		add_utf16(out, 0xd800 + ((value - 0x10000) >> 10));
		value = 0xdc00 + ((value - 0x10000) & 0x3ff);
	}
	add_utf16(out, value);
}

/* "&", base64 with "," for "/" and without padding, "-". */
static void
add_shifted(struct buf *out, struct buf *utf16)
{
	char text[BASE64_SIZE];

	if (utf16->len == 0)
		return;
	base64_write(buf_slice(utf16), text, sizeof(text));
	buf_add_byte(out, '&');
	for (const char *p = text; *p != '\0' && *p != '='; p++)
		buf_add_byte(out, *p == '/' ? ',' : (uint8_t)*p);
	buf_add_byte(out, '-');
	buf_reset(utf16);
}

bool
imap_name_encode(struct slice name, struct buf *out)
{
	struct buf utf16;
	uint32_t value;
	bool valid = name.len <= IMAP_NAME_MAX;

	buf_init(&utf16, UTF16_MAX);
	while (valid && name.len > 0) {
		valid = cut_character(&name, &value);
		if (valid && value >= 0x20 && value <= 0x7e) {
			add_shifted(out, &utf16);
			buf_add_byte(out, (uint8_t)value);
			if (value == '&')
				buf_add_byte(out, '-');
		} else if (valid) {
			add_character_utf16(&utf16, value);
		}
	}
	add_shifted(out, &utf16);
	buf_clear(&utf16);
	return valid && !buf_overflowed(out);
}

static void
add_character(struct buf *out, uint32_t value)
{
	if (value < 0x80) {
		buf_add_byte(out, (uint8_t)value);
	} else if (value < 0x800) {
		buf_add_byte(out, (uint8_t)(0xc0 | value >> 6));
		buf_add_byte(out, (uint8_t)(0x80 | (value & 0x3f)));
	} else if (value < 0x10000) {
		buf_add_byte(out, (uint8_t)(0xe0 | value >> 12));
		buf_add_byte(out, (uint8_t)(0x80 | (value >> 6 & 0x3f)));
		buf_add_byte(out, (uint8_t)(0x80 | (value & 0x3f)));
	} else {
		buf_add_byte(out, (uint8_t)(0xf0 | value >> 18));
		buf_add_byte(out, (uint8_t)(0x80 | (value >> 12 & 0x3f)));
		buf_add_byte(out, (uint8_t)(0x80 | (value >> 6 & 0x3f)));
		buf_add_byte(out, (uint8_t)(0x80 | (value & 0x3f)));
	}
}

/* Halves of pairs that lack the other come out as what cut_character()
 * refuses. */
static void
add_units(struct buf *out, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2) {
		uint32_t unit = (uint32_t)bytes[i] << 8 | bytes[i + 1];

		if (unit >= 0xd800 && unit < 0xdc00 && i + 3 < len) {
			uint32_t low =
			    (uint32_t)bytes[i + 2] << 8 | bytes[i + 3];

			unit = 0x10000 + ((unit - 0xd800) << 10) +
			       ((low - 0xdc00) & 0x3ff);
			i += 2;
		}
		add_character(out, unit);
	}
}

/* What stands between "&" and "-". */
static bool
decode_shifted(struct slice text, struct buf *out)
{
	char padded[BASE64_SIZE + 3];
	uint8_t bytes[UTF16_MAX + 3];
	size_t len = 0, decoded;

	if (text.len >= BASE64_SIZE)
		return false;
	while (len < text.len) {
		padded[len] =
		    text.data[len] == ',' ? '/' : (char)text.data[len];
		len++;
	}
	while (len % 4 != 0)
		padded[len++] = '=';
	if (!base64_read((struct slice){ (const uint8_t *)padded, len }, bytes,
		sizeof(bytes), &decoded))
		return false;
	add_units(out, bytes, decoded);
	return true;
}

static bool
decode(struct slice wire, struct buf *out)
{
	struct slice plain, shifted;

	while (slice_cut_until(&wire, '&', &plain)) {
		buf_add(out, plain);
		if (!slice_cut_until(&wire, '-', &shifted))
			return false;
		if (shifted.len == 0)
			buf_add_byte(out, '&');
		else if (!decode_shifted(shifted, out))
			return false;
	}
	buf_add(out, wire);
	return true;
}

/* There is one right form of a name; by trying, all wrong ones are found. */
bool
imap_name_decode(struct slice wire, struct buf *out)
{
	struct buf name, again;
	bool valid;

	buf_init(&name, 2 * IMAP_NAME_MAX);
	buf_init(&again, 4 * IMAP_NAME_MAX);
	valid = wire.len <= IMAP_NAME_MAX && decode(wire, &name) &&
		!buf_overflowed(&name) &&
		imap_name_encode(buf_slice(&name), &again) &&
		slice_equal(buf_slice(&again), wire);
	if (valid)
		buf_add(out, buf_slice(&name));
	buf_clear(&name);
	buf_clear(&again);
	return valid;
}
