/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/ldap_filter.h"

#include <string.h>

/* What stands in braces, and whether it tells one person from another. */
static const struct {
	const char *name;
	bool local, domain;
} fields[] = {
	{ "{address}", true, true },
	{ "{local}", true, false },
	{ "{domain}", false, true },
};
enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]), NO_FIELD = N_FIELDS };

/* The longest value: each byte of an address escaped, and the "@". */
enum { VALUE_MAX = 3 * (ADDRESS_LOCAL_MAX + ADDRESS_DOMAIN_MAX) + 1 };

static bool
is_plain(uint8_t c)
{
	return byte_is_alnum(c) || (c != '\0' && strchr("@._+-", c) != NULL);
}

static void
add_escaped(struct buf *out, const char *value)
{
	struct slice s = slice_of(value);

	for (size_t i = 0; i < s.len; i++)
		if (is_plain(s.data[i]))
			buf_add_byte(out, s.data[i]);
		else
			buf_printf(out, "\\%02x", s.data[i]);
}

/* Which field the template has at its front; it is taken off. */
static size_t
cut_field(struct slice *template)
{
	for (size_t i = 0; i < N_FIELDS; i++)
		if (slice_cut_prefix(template, slice_of(fields[i].name)))
			return i;
	return NO_FIELD;
}

static bool
check_braces(struct slice rest, bool *personal, size_t *worst_len)
{
	while (rest.len > 0) {
		size_t field = cut_field(&rest);

		if (field != NO_FIELD) {
			*personal = *personal || fields[field].local;
			*worst_len += VALUE_MAX;
			continue;
		}
		if (rest.data[0] == '{' || rest.data[0] == '}')
			return false;
		rest = slice_from(rest, 1);
		++*worst_len;
	}
	return true;
}

/* In a filter a parenthesis that is meant literally is \28 or \29. */
static bool
is_balanced(struct slice filter)
{
	size_t depth = 0;

	if (filter.len == 0 || filter.data[0] != '(')
		return false;
	for (size_t i = 0; i < filter.len; i++) {
		if (filter.data[i] == '(')
			depth++;
		else if (filter.data[i] == ')' && depth-- == 0)
			return false;
		if (depth == 0 && i + 1 < filter.len)
			return false;
	}
	return depth == 0;
}

bool
ldap_filter_check(const char *filter, struct error *err)
{
	struct slice template = slice_of(filter);
	bool personal = false;
	size_t worst_len = 0;

	if (!check_braces(template, &personal, &worst_len))
		return error_set(err, ERROR_CONFIG,
		    "filter %s: only {address}, {local} and {domain} may "
		    "stand in braces",
		    filter);
	if (!is_balanced(template))
		return error_set(err, ERROR_CONFIG,
		    "filter %s: must be one filter in parentheses", filter);
	if (!personal)
		return error_set(err, ERROR_CONFIG,
		    "filter %s: needs {address} or {local}, else everybody "
		    "exists",
		    filter);
	if (worst_len > LDAP_FILTER_MAX)
		return error_set(err, ERROR_CONFIG, "filter is too long");
	return true;
}

void
ldap_filter_write(
    const char *filter, const struct address *address, struct buf *out)
{
	struct slice rest = slice_of(filter);

	while (rest.len > 0) {
		size_t field = cut_field(&rest);

		if (field == NO_FIELD) {
			buf_add_byte(out, rest.data[0]);
			rest = slice_from(rest, 1);
			continue;
		}
		if (fields[field].local)
			add_escaped(out, address->local);
		if (fields[field].local && fields[field].domain)
			buf_add_byte(out, '@');
		if (fields[field].domain)
			add_escaped(out, address->domain);
	}
}
