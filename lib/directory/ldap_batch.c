/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/ldap_batch.h"

#include <string.h>

enum { DEPTH_MAX = 16 };

/* What a part of the filter says about one address. */
enum part {
	PART_OTHER,    /* something that cannot be told from values */
	PART_CONSTANT, /* the same for all addresses */
	PART_VALUES,   /* true when one of the assertions is */
	PART_GUARDED,  /* the same, and a constant is true as well */
};

struct reading {
	struct slice rest;
	size_t depth;
	struct ldap_batch *out;
};

static enum part read_filter(struct reading *);

static bool
is_attribute_byte(uint8_t c)
{
	return byte_is_alnum(c) || c == '-' || c == '.';
}

static bool
is_prefix_byte(uint8_t c)
{
	return byte_is_alnum(c) || c == ':' || c == '-' || c == '_';
}

static bool
copy(char *out, struct slice text, slice_test *test)
{
	if (text.len >= LDAP_ASSERTION_TEXT || !slice_all(text, test))
		return false;
	memcpy(out, text.data, text.len);
	out[text.len] = '\0';
	return true;
}

/* attribute=value, without the parentheses. */
static enum part
read_assertion(struct reading *r, struct slice text)
{
	struct slice name, placeholder = SLICE("{address}");
	struct ldap_assertion *a = &r->out->assertions[r->out->n];

	if (slice_find(text, '{') == text.len)
		return PART_CONSTANT;
	if (r->out->n == LDAP_ASSERTIONS_MAX ||
	    !slice_cut_until(&text, '=', &name) || name.len == 0 ||
	    !slice_ends_nocase(text, placeholder) ||
	    !copy(a->attribute, name, is_attribute_byte) ||
	    !copy(a->prefix, slice_first(text, text.len - placeholder.len),
		is_prefix_byte))
		return PART_OTHER;
	r->out->n++;
	return PART_VALUES;
}

static enum part
either(enum part a, enum part b)
{
	/* (|(&(mail=X)(c))(uid=X)): a value does not tell which c it needs */
	return a == b && a != PART_GUARDED ? a : PART_OTHER;
}

static enum part
both(enum part a, enum part b)
{
	if (a == PART_OTHER || b == PART_OTHER)
		return PART_OTHER;
	if (a == PART_CONSTANT)
		return b == PART_VALUES ? PART_GUARDED : b;
	return b == PART_CONSTANT ? PART_GUARDED : PART_OTHER;
}

/* The operands of "&" or "|" up to the closing parenthesis. */
static enum part
read_list(struct reading *r, enum part (*combine)(enum part, enum part))
{
	enum part all = read_filter(r);

	/* What is PART_OTHER may not have been read. */
	while (all != PART_OTHER && r->rest.len > 0 && r->rest.data[0] == '(')
		all = combine(all, read_filter(r));
	return all;
}

static enum part
read_inside(struct reading *r)
{
	struct slice text;

	if (slice_cut_prefix(&r->rest, SLICE("&")))
		return read_list(r, both);
	if (slice_cut_prefix(&r->rest, SLICE("|")))
		return read_list(r, either);
	if (slice_cut_prefix(&r->rest, SLICE("!")))
		return read_filter(r) == PART_CONSTANT ? PART_CONSTANT
						       : PART_OTHER;
	text = slice_first(r->rest, slice_find(r->rest, ')'));
	r->rest = slice_from(r->rest, text.len);
	return read_assertion(r, text);
}

static enum part
read_filter(struct reading *r)
{
	enum part part;

	if (r->depth == DEPTH_MAX || !slice_cut_prefix(&r->rest, SLICE("(")))
		return PART_OTHER;
	r->depth++;
	part = read_inside(r);
	r->depth--;
	return slice_cut_prefix(&r->rest, SLICE(")")) ? part : PART_OTHER;
}

void
ldap_batch_read(const char *filter, struct ldap_batch *out)
{
	struct reading r = { .rest = slice_of(filter), .out = out };
	enum part part;

	*out = (struct ldap_batch){ 0 };
	part = read_filter(&r);
	if (r.rest.len > 0 || (part != PART_VALUES && part != PART_GUARDED))
		out->n = 0;
}

static bool
is_address(struct slice value, const struct address *address)
{
	struct slice local = slice_of(address->local);

	return slice_cut_prefix_nocase(&value, local) &&
	       slice_cut_prefix(&value, SLICE("@")) &&
	       slice_equal_nocase(value, slice_of(address->domain));
}

bool
ldap_batch_owns(const struct ldap_batch *batch, const char *attribute,
    struct slice value, const struct address *address)
{
	for (size_t i = 0; i < batch->n; i++) {
		const struct ldap_assertion *a = &batch->assertions[i];
		struct slice rest = value;

		if (slice_equal_nocase(
			slice_of(attribute), slice_of(a->attribute)) &&
		    slice_cut_prefix_nocase(&rest, slice_of(a->prefix)) &&
		    is_address(rest, address))
			return true;
	}
	return false;
}
