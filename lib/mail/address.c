/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "mail/domain.h"

bool
byte_is_atext(uint8_t c)
{
	return byte_is_alnum(c) || c >= 0x80 ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Length of the UTF-8 character at the front; 0 for anything else, for an
 * overlong form, a surrogate, and for a control of C0 or C1. */
static size_t
character_length(struct slice s)
{
	static const struct {
		uint8_t mask, lead, len;
		uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 1, 0x20 },
		{ 0xe0, 0xc0, 2, 0xa0 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t f = 0; f < sizeof(forms) / sizeof(*forms); f++) {
		uint32_t code = s.data[0] & (uint8_t)~forms[f].mask;

		if ((s.data[0] & forms[f].mask) != forms[f].lead)
			continue;
		if (s.len < forms[f].len)
			return 0;
		for (size_t i = 1; i < forms[f].len; i++) {
			if ((s.data[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s.data[i] & 0x3f);
		}
		if (code < forms[f].least || code == 0x7f || code > 0x10ffff ||
		    (code >= 0xd800 && code < 0xe000))
			return 0;
		return forms[f].len;
	}
	return 0;
}

static bool
is_printable(struct slice s)
{
	while (s.len > 0) {
		size_t len = character_length(s);

		if (len == 0)
			return false;
		s = slice_from(s, len);
	}
	return true;
}

static bool
is_unsafe(struct slice local, bool sender)
{
	const char *refused = sender ? "@" : "%!@";

	for (const char *c = refused; *c != '\0'; c++)
		if (slice_find(local, (uint8_t)*c) < local.len)
			return true;
	return local.data[0] == '-';
}

static enum address_fault
make(struct slice local, struct slice domain, bool sender, struct address *out)
{
	if (local.len == 0 || !is_printable(local))
		return ADDRESS_SYNTAX;
	if (is_unsafe(local, sender))
		return ADDRESS_UNSAFE;
	if (local.len > ADDRESS_LOCAL_MAX)
		return ADDRESS_TOO_LONG;
	if (!domain_normalise(domain, out->domain))
		return domain.len > ADDRESS_DOMAIN_MAX ? ADDRESS_TOO_LONG
						       : ADDRESS_SYNTAX;
	if (local.len + 1 + strlen(out->domain) > ADDRESS_MAX)
		return ADDRESS_TOO_LONG;
	memcpy(out->local, local.data, local.len);
	out->local[local.len] = '\0';
	return ADDRESS_OK;
}

enum address_fault
address_make(struct slice local, struct slice domain, struct address *out)
{
	return make(local, domain, false, out);
}

enum address_fault
address_make_sender(
    struct slice local, struct slice domain, struct address *out)
{
	return make(local, domain, true, out);
}

bool
address_is_null(const struct address *a)
{
	return a->domain[0] == '\0';
}

bool
address_equal(const struct address *a, const struct address *b)
{
	return slice_equal_nocase(slice_of(a->local), slice_of(b->local)) &&
	       slice_equal_nocase(slice_of(a->domain), slice_of(b->domain));
}

static int
compare_nocase(const char *a, const char *b)
{
	while (*a != '\0' && byte_lower((uint8_t)*a) == byte_lower((uint8_t)*b))
		a++, b++;
	return byte_lower((uint8_t)*a) - byte_lower((uint8_t)*b);
}

int
address_compare(const struct address *a, const struct address *b)
{
	int order = compare_nocase(a->local, b->local);

	return order != 0 ? order : compare_nocase(a->domain, b->domain);
}

/* FNV-1a */
static uint32_t
hash_text(uint32_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ byte_lower((uint8_t)*text)) * 16777619U;
	return hash;
}

/* Its high bits are the better ones. */
uint32_t
address_hash(const struct address *a)
{
	uint32_t hash =
	    hash_text(hash_text(2166136261U, a->local) * 16777619U, a->domain);

	return hash ^ hash >> 16;
}

/* RFC 5321 4.1.2: Dot-string. */
static bool
is_dot_string(const char *local)
{
	bool after_dot = true;

	for (const char *c = local; *c != '\0'; c++) {
		if (*c == '.' ? after_dot : !byte_is_atext((uint8_t)*c))
			return false;
		after_dot = *c == '.';
	}
	return !after_dot;
}

char *
address_write(const struct address *a, char out[static ADDRESS_TEXT_SIZE])
{
	bool plain = is_dot_string(a->local);
	char *to = out;

	*to = '\0';
	if (address_is_null(a))
		return out;
	if (!plain)
		*to++ = '"';
	for (const char *c = a->local; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			*to++ = '\\';
		*to++ = *c;
	}
	if (!plain)
		*to++ = '"';
	*to++ = '@';
	memcpy(to, a->domain, strlen(a->domain) + 1);
	return out;
}

char *
address_path(const struct address *a)
{
	char text[ADDRESS_TEXT_SIZE];
	size_t size = sizeof(text) + 2;
	char *out = mem_new(size);

	snprintf(out, size, "<%s>", address_write(a, text));
	return out;
}

char *
address_key(const struct address *a, char out[static ADDRESS_TEXT_SIZE])
{
	for (char *c = address_write(a, out); *c != '\0'; c++)
		*c = (char)byte_lower((uint8_t)*c);
	return out;
}

const char *
address_fault_text(enum address_fault fault)
{
	static const char *const texts[] = {
		[ADDRESS_OK] = "valid",
		[ADDRESS_EMPTY] = "no address there",
		[ADDRESS_SYNTAX] = "not a mail address",
		[ADDRESS_TOO_LONG] = "too long",
		[ADDRESS_UNSAFE] = "unsafe characters in the local part",
	};

	return texts[fault];
}
