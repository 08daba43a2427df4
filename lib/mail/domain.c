/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/domain.h"

#include <idn2.h>
#include <string.h>

enum {
	LABEL_MAX = 63,
	/* Each character of a U-label takes at most four bytes and gives at
	 * least one byte of the A-label. */
	UNICODE_MAX = 4 * DOMAIN_SIZE,
};

static bool
byte_is_ascii(uint8_t c)
{
	return c < 0x80;
}

static bool
byte_is_host(uint8_t c)
{
	return byte_is_alnum(c) || c == '-' || c == '_';
}

static bool
is_label(struct slice label)
{
	return label.len > 0 && label.len <= LABEL_MAX &&
	       label.data[0] != '-' && label.data[label.len - 1] != '-' &&
	       slice_all(label, byte_is_host);
}

/* A name whose last label is a number would be read as an IPv4 address. */
static bool
is_host_name(struct slice name)
{
	struct slice label;

	while (slice_cut_until(&name, '.', &label))
		if (!is_label(label))
			return false;
	return is_label(name) && !slice_all(name, byte_is_digit);
}

static bool
write_lower(struct slice name, char out[static DOMAIN_SIZE])
{
	if (name.len > 0 && name.data[name.len - 1] == '.')
		name.len--;
	if (name.len >= DOMAIN_SIZE || !is_host_name(name))
		return false;
	for (size_t i = 0; i < name.len; i++)
		out[i] = (char)byte_lower(name.data[i]);
	out[name.len] = '\0';
	return true;
}

/* A-labels that came as such are not decoded: whatever is registered under
 * them, they name one host only. */
bool
domain_normalise(struct slice name, char out[static DOMAIN_SIZE])
{
	uint8_t unicode[UNICODE_MAX + 1], *ascii;
	bool done;

	if (slice_all(name, byte_is_ascii))
		return write_lower(name, out);
	if (name.len > UNICODE_MAX || slice_find(name, '\0') < name.len)
		return false;
	memcpy(unicode, name.data, name.len);
	unicode[name.len] = '\0';
	if (idn2_lookup_u8(unicode, &ascii,
		IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
		return false;
	done = write_lower(slice_of((char *)ascii), out);
	idn2_free(ascii);
	return done;
}

bool
domain_matches(const char *pattern, const char *name)
{
	size_t whole = strlen(name), part = strlen(pattern);

	if (pattern[0] != '.')
		return strcmp(pattern, name) == 0;
	return whole > part && strcmp(name + (whole - part), pattern) == 0;
}
