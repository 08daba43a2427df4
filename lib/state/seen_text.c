/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_text.h"

#include "base/clock.h"
#include "base/digest.h"

#include <string.h>
#include <time.h>

#define NAMESPACE "yaml:"

static bool
stays_in_mailbox(uint8_t byte)
{
	return byte >= ' ' && byte != 0x7f && byte != '%';
}

static bool
stays_in_uid(uint8_t byte)
{
	return byte_is_graphic(byte) && byte != '%';
}

static void
write_escaped(struct slice s, slice_test *stays, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++)
		if (stays(s.data[i]))
			buf_add_byte(out, s.data[i]);
		else
			buf_printf(out, "%%%02X", s.data[i]);
}

static bool
is_injected(enum seen_status status)
{
	return status == SEEN_INJECTED || status == SEEN_DISPOSED ||
	       status == SEEN_DUPLICATE;
}

static void
write_time(int64_t wall_ms, struct buf *out)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char text[32];
	struct tm utc;

	if (wall_ms <= 0 || gmtime_r(&seconds, &utc) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		buf_add_string(out, "-");
	else
		buf_add_string(out, text);
}

void
seen_text_write(const struct seen_entry *e, struct buf *out)
{
	struct slice mailbox = slice_of(e->mailbox);
	char hex[DIGEST_HEX_SIZE];

	slice_cut_prefix(&mailbox, SLICE(NAMESPACE));
	write_escaped(mailbox, stays_in_mailbox, out);
	buf_add_byte(out, '\t');
	write_escaped(e->uid, stays_in_uid, out);
	buf_printf(out, "\t%s\t", seen_status_name(e->row.status));
	write_time(
	    is_injected(e->row.status) ? e->row.injected_ms : e->since_ms, out);
	if (e->content != NULL) {
		hex_write((struct slice){ e->content, SEEN_CONTENT_SIZE }, hex);
		buf_printf(out, "\t%s", hex);
	}
	buf_add_byte(out, '\n');
}

/* False when it is empty, does not fit, or holds what must be escaped. */
static bool
read_escaped(struct slice s, slice_test *stays, struct buf *out)
{
	uint8_t byte;

	while (s.len > 0 && !buf_overflowed(out)) {
		size_t used = 1;

		byte = s.data[0];
		if (byte == '%') {
			if (!hex_read(
				slice_first(slice_from(s, 1), 2), &byte, 1))
				return false;
			used = 3;
		} else if (!stays(byte)) {
			return false;
		}
		buf_add_byte(out, byte);
		s = slice_from(s, used);
	}
	return out->len > 0 && !buf_overflowed(out);
}

static bool
is_name_byte(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '.' || byte == '_' ||
	       byte == '@' || byte == '+' || byte == '-';
}

static bool
read_mailbox(struct slice field, struct seen_line *out)
{
	struct slice name = slice_first(field, slice_find(field, '/'));
	struct buf key;
	bool ok;

	buf_init(&key, sizeof(out->mailbox) - 1);
	buf_add_string(&key, NAMESPACE);
	ok = name.len > 0 && slice_all(name, is_name_byte) &&
	     read_escaped(field, stays_in_mailbox, &key) &&
	     slice_find(buf_slice(&key), 0) == key.len;
	if (ok)
		memcpy(out->mailbox, buf_string(&key), key.len + 1);
	out->entry.mailbox = out->mailbox;
	buf_clear(&key);
	return ok;
}

static bool
read_uid(struct slice field, struct seen_line *out)
{
	struct buf uid;
	bool ok;

	buf_init(&uid, sizeof(out->uid));
	ok = read_escaped(field, stays_in_uid, &uid);
	if (ok)
		memcpy(out->uid, uid.data, uid.len);
	out->entry.uid = (struct slice){ out->uid, uid.len };
	buf_clear(&uid);
	return ok;
}

static bool
read_status(struct slice field, struct seen_line *out)
{
	for (int i = SEEN_INJECTED; i < SEEN_STATUSES; i++)
		if (slice_equal(field,
			slice_of(seen_status_name((enum seen_status)i)))) {
			out->entry.row.status = (enum seen_status)i;
			return true;
		}
	return false;
}

static bool
cut_digits(struct slice *s, size_t digits, int *value)
{
	struct slice field = slice_first(*s, digits);
	uint64_t number;

	if (field.len != digits || !slice_cut_number(&field, 9999, &number) ||
	    field.len > 0)
		return false;
	*s = slice_from(*s, digits);
	*value = (int)number;
	return true;
}

/* 2026-11-22T02:50:00Z */
static bool
parse_time(struct slice s, int64_t *wall_ms)
{
	struct tm utc = { .tm_year = 0 };

	if (!cut_digits(&s, 4, &utc.tm_year) ||
	    !slice_cut_prefix(&s, SLICE("-")) ||
	    !cut_digits(&s, 2, &utc.tm_mon) ||
	    !slice_cut_prefix(&s, SLICE("-")) ||
	    !cut_digits(&s, 2, &utc.tm_mday) ||
	    !slice_cut_prefix(&s, SLICE("T")) ||
	    !cut_digits(&s, 2, &utc.tm_hour) ||
	    !slice_cut_prefix(&s, SLICE(":")) ||
	    !cut_digits(&s, 2, &utc.tm_min) ||
	    !slice_cut_prefix(&s, SLICE(":")) ||
	    !cut_digits(&s, 2, &utc.tm_sec) || !slice_equal(s, SLICE("Z")) ||
	    utc.tm_year < 1970 || utc.tm_mon < 1 || utc.tm_mon > 12 ||
	    utc.tm_mday < 1 || utc.tm_mday > 31 || utc.tm_hour > 23 ||
	    utc.tm_min > 59 || utc.tm_sec > 60)
		return false;
	utc.tm_year -= 1900;
	utc.tm_mon -= 1;
	*wall_ms = (int64_t)timegm(&utc) * 1000;
	return true;
}

/* What was injected at an unknown time counts as injected now: `keep` must not
 * end too early. */
static bool
read_time(struct slice field, struct seen_line *out)
{
	struct seen_entry *e = &out->entry;

	e->since_ms = clock_wall_ms();
	if (!slice_equal(field, SLICE("-")) && !parse_time(field, &e->since_ms))
		return false;
	if (is_injected(e->row.status))
		e->row.injected_ms = e->since_ms;
	return true;
}

static bool
read_content(struct slice field, struct seen_line *out)
{
	out->entry.content = out->content;
	return hex_read(field, out->content, sizeof(out->content));
}

bool
seen_text_read(struct slice line, struct seen_line *out, struct error *err)
{
	static const struct {
		const char *what;
		bool (*read)(struct slice, struct seen_line *);
	} fields[] = {
		{ "an account's name, perhaps with / and a folder",
		    read_mailbox },
		{ "a UID", read_uid },
		{ "a status (injected, baseline, …)", read_status },
		{ "a time (2026-12-24T18:00:00Z) or -", read_time },
		{ "64 hexadecimal digits", read_content },
	};
	enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };
	struct slice field;
	bool more = true;
	size_t n = 0;

	out->entry = (struct seen_entry){ .id = "", .reason = "imported" };
	out->empty = line.len == 0 || line.data[0] == '#';
	if (out->empty)
		return true;
	for (; more; n++) {
		more = slice_cut_until(&line, '\t', &field);
		if (!more)
			field = line;
		if (n == N_FIELDS)
			return error_set(
			    err, ERROR_CONFIG, "more than %d fields", N_FIELDS);
		if (!fields[n].read(field, out))
			return error_set(err, ERROR_CONFIG,
			    "field %zu: expected %s", n + 1, fields[n].what);
	}
	return n >= 4 ||
	       error_set(err, ERROR_CONFIG,
		   "%zu fields, separated by tabs; expected 4 or 5", n);
}
