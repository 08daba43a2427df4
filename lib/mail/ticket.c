/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/ticket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

enum {
	LINE_MAX_COLUMNS = 78,
	TAB_COLUMNS = 8,
	/* A value in xtext: three characters for each byte at worst. */
	VALUE_MAX = 3 * ADDRESS_TEXT_SIZE,
};

static const char *const tier_names[] = {
	[TIER_ENVELOPE] = "envelope",
	[TIER_RECEIVED] = "received",
	[TIER_HEADERS] = "headers",
	[TIER_FALLBACK] = "fallback",
	[TIER_SINGLE] = "single",
};

const char *
tier_name(enum tier tier)
{
	return tier_names[tier];
}

bool
tier_parse(struct slice s, enum tier *tier)
{
	for (size_t i = 0; i < sizeof(tier_names) / sizeof(*tier_names); i++)
		if (slice_equal(s, slice_of(tier_names[i]))) {
			*tier = (enum tier)i;
			return true;
		}
	return false;
}

void
ticket_key_init(struct ticket_key *key, const uint8_t bytes[TICKET_KEY_SIZE])
{
	uint8_t digest[DIGEST_SIZE];

	memcpy(key->bytes, bytes, TICKET_KEY_SIZE);
	digest_sha256((struct slice){ bytes, TICKET_KEY_SIZE }, digest);
	hex_write(
	    (struct slice){ digest, (TICKET_KEY_ID_SIZE - 1) / 2 }, key->id);
}

void
ticket_clear(struct ticket *t)
{
	free(t->candidates);
	*t = (struct ticket){ .candidates = NULL };
}

static void
compute_mac(
    const struct ticket_key *key, struct slice text, uint8_t mac[DIGEST_SIZE])
{
	digest_hmac_sha256(
	    (struct slice){ key->bytes, TICKET_KEY_SIZE }, text, mac);
}

/* --- writing ----------------------------------------------------------- */

struct writer {
	struct buf field;       /* folded */
	struct buf signed_text; /* without white space: what the MAC is over */
	size_t column;
};

static bool
byte_is_xchar(uint8_t c)
{
	return byte_is_graphic(c) && c != '+' && c != '=' && c != ';' &&
	       c != ',';
}

static void
xtext_write(const char *s, char out[static VALUE_MAX])
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *s != '\0'; s++) {
		uint8_t c = (uint8_t)*s;

		if (byte_is_xchar(c)) {
			*out++ = *s;
			continue;
		}
		*out++ = '+';
		*out++ = digits[c >> 4];
		*out++ = digits[c & 15];
	}
	*out = '\0';
}

/* "name=VALUEend", on a new line when this one would get too long. */
static void
add_value(struct writer *w, const char *name, const char *value, char end)
{
	char text[VALUE_MAX];
	struct buf *field = &w->field;
	size_t len;

	assert(strlen(value) < ADDRESS_TEXT_SIZE);
	xtext_write(value, text);
	len = strlen(name) + strlen(text) + 1;
	if (w->column + len > LINE_MAX_COLUMNS) {
		buf_add_string(field, "\n\t");
		w->column = TAB_COLUMNS;
	} else if (name[0] != '\0') {
		buf_add_byte(field, ' ');
		w->column++;
	}
	w->column += len;
	buf_printf(field, "%s%s%c", name, text, end);
	buf_printf(&w->signed_text, "%s%s%c", name, text, end);
}

static void
add_candidates(struct writer *w, const struct ticket *t)
{
	char text[ADDRESS_TEXT_SIZE];

	if (t->n_candidates == 0)
		add_value(w, "r=", "", ';');
	for (size_t i = 0; i < t->n_candidates; i++)
		add_value(w, i == 0 ? "r=" : "",
		    address_write(&t->candidates[i], text),
		    i + 1 == t->n_candidates ? ';' : ',');
}

static void
add_mac(struct writer *w, const struct ticket_key *key)
{
	uint8_t mac[DIGEST_SIZE];
	char hex[DIGEST_HEX_SIZE];

	compute_mac(key, buf_slice(&w->signed_text), mac);
	hex_write((struct slice){ mac, DIGEST_SIZE }, hex);
	buf_add_string(&w->field, "\n\tm=");
	buf_add_string(&w->field, hex);
	buf_add_byte(&w->field, '\n');
}

bool
ticket_write(
    const struct ticket *t, const struct ticket_key *key, struct buf *out)
{
	struct writer w = { .column = sizeof(TICKET_FIELD) };
	char fallback[ADDRESS_TEXT_SIZE];
	bool fits;

	if (t->n_candidates > TICKET_CANDIDATES_MAX)
		return false;
	buf_init(&w.field, TICKET_MAX);
	buf_init(&w.signed_text, TICKET_MAX);
	buf_add_string(&w.field, TICKET_FIELD ":");
	add_value(&w, "v=", "1", ';');
	add_value(&w, "k=", key->id, ';');
	add_value(&w, "a=", t->account, ';');
	add_value(&w, "i=", t->id, ';');
	add_value(&w, "f=", address_write(&t->fallback, fallback), ';');
	add_value(&w, "t=", tier_name(t->tier), ';');
	add_candidates(&w, t);
	add_mac(&w, key);
	fits = !buf_overflowed(&w.field) && buf_add(out, buf_slice(&w.field));
	buf_clear(&w.field);
	buf_clear(&w.signed_text);
	return fits;
}

/* --- reading ----------------------------------------------------------- */

/* Into out[size] with a NUL; false for other text than xtext, for NUL, and
 * when it does not fit. */
static bool
xtext_read(struct slice s, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c == '+') {
			if (!hex_read(
				slice_first(slice_from(s, i + 1), 2), &c, 1))
				return false;
			i += 2;
		}
		if (c == '\0' || len + 1 >= size)
			return false;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return true;
}

/* Takes "name=value;" off the front. */
static bool
cut_value(struct slice *s, const char *name, struct slice *value)
{
	struct slice rest = *s;

	if (!slice_cut_prefix(&rest, slice_of(name)) ||
	    !slice_cut_until(&rest, ';', value))
		return false;
	*s = rest;
	return true;
}

static bool
read_address(struct slice xtext, struct address *out)
{
	char text[ADDRESS_TEXT_SIZE];

	return xtext_read(xtext, text, sizeof(text)) &&
	       address_parse(slice_of(text), out) == ADDRESS_OK;
}

static size_t
count_entries(struct slice list)
{
	struct slice one;
	size_t n = 1;

	while (slice_cut_until(&list, ',', &one))
		n++;
	return n;
}

static bool
read_candidates(struct slice list, struct ticket *t)
{
	size_t n = count_entries(list);
	struct slice one;

	if (list.len == 0)
		return true;
	if (n > TICKET_CANDIDATES_MAX)
		return false;
	t->candidates = mem_new_array(n, sizeof(*t->candidates));
	while (t->n_candidates < n) {
		if (!slice_cut_until(&list, ',', &one))
			one = list;
		if (!read_address(one, &t->candidates[t->n_candidates]))
			return false;
		t->n_candidates++;
	}
	return true;
}

/* What is between "k=…;" and "m=". */
static bool
read_content(struct slice s, struct ticket *t)
{
	struct slice value;

	*t = (struct ticket){ .candidates = NULL };
	return cut_value(&s, "a=", &value) &&
	       xtext_read(value, t->account, sizeof(t->account)) &&
	       cut_value(&s, "i=", &value) &&
	       xtext_read(value, t->id, sizeof(t->id)) &&
	       cut_value(&s, "f=", &value) &&
	       read_address(value, &t->fallback) &&
	       cut_value(&s, "t=", &value) && tier_parse(value, &t->tier) &&
	       cut_value(&s, "r=", &value) && s.len == 0 &&
	       read_candidates(value, t);
}

static const struct ticket_key *
find_key(struct slice id, const struct ticket_key *keys, size_t n_keys)
{
	for (size_t i = 0; i < n_keys; i++)
		if (slice_equal(id, slice_of(keys[i].id)))
			return &keys[i];
	return NULL;
}

static bool
has_mac(struct slice text, struct slice mac, const struct ticket_key *key)
{
	uint8_t given[DIGEST_SIZE], right[DIGEST_SIZE];

	compute_mac(key, text, right);
	return hex_read(mac, given, DIGEST_SIZE) && digest_equal(given, right);
}

/* `text` has no white space any more. */
static enum ticket_verdict
judge(struct slice text, const struct ticket_key *keys, size_t n_keys,
    struct ticket *out)
{
	struct slice rest = text, version, id, mac;
	const struct ticket_key *key;
	size_t end;

	if (!cut_value(&rest, "v=", &version) ||
	    !slice_equal(version, SLICE("1")) || !cut_value(&rest, "k=", &id))
		return TICKET_FORGED;
	key = find_key(id, keys, n_keys);
	end = slice_find_last(text, ';') + 1;
	mac = slice_from(text, end);
	if (!slice_cut_prefix(&mac, SLICE("m=")) ||
	    (key != NULL && !has_mac(slice_first(text, end), mac, key)))
		return TICKET_FORGED;
	rest.len -= text.len - end;
	if (read_content(rest, out))
		return key == NULL ? TICKET_UNKNOWN_KEY : TICKET_VALID;
	ticket_clear(out);
	return TICKET_FORGED;
}

enum ticket_verdict
ticket_read(struct slice body, const struct ticket_key *keys, size_t n_keys,
    struct ticket *out)
{
	enum ticket_verdict verdict = TICKET_FORGED;
	struct slice word;
	struct buf text;

	buf_init(&text, TICKET_MAX);
	while (slice_cut_word(&body, &word) && buf_add(&text, word))
		;
	if (!buf_overflowed(&text))
		verdict = judge(buf_slice(&text), keys, n_keys, out);
	buf_clear(&text);
	return verdict;
}
