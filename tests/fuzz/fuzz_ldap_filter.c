/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_ldap_filter - first line: a template; the rest: what a stranger wrote
 * as local part.  Whatever it is, the filter that comes out has the
 * parentheses, wildcards and backslashes of the template and no others.  Reading
 * the template for a batch ends.
 */
#include "directory/ldap_batch.h"
#include "directory/ldap_filter.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
count(struct slice s, uint8_t byte)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.data[i] == byte;
	return n;
}

/* Each backslash that came with a value is followed by two digits. */
static void
check_filter(struct slice template, struct slice filter)
{
	static const char structure[] = "()*=&|!<>~{}";

	for (const char *c = structure; *c != '\0'; c++) {
		size_t before = count(template, (uint8_t)*c);
		size_t after = count(filter, (uint8_t)*c);

		if (*c == '{' || *c == '}' ? after != 0 : after != before)
			abort();
	}
	for (size_t i = 0; i < filter.len; i++)
		if (filter.data[i] == '\0')
			abort();
}

/* What a batch is asked by stands in the template. */
static void
check_batch(const char *template, const struct address *address)
{
	struct ldap_batch batch;

	ldap_batch_read(template, &batch);
	for (size_t i = 0; i < batch.n; i++) {
		const struct ldap_assertion *a = &batch.assertions[i];

		if (strstr(template, a->attribute) == NULL ||
		    strstr(template, a->prefix) == NULL)
			abort();
		ldap_batch_owns(
		    &batch, a->attribute, slice_of(address->local), address);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = { data, size }, template, local;
	struct address address = { "", "example.org" };
	struct buf text, out;
	struct error err;

	if (!slice_cut_line(&rest, &template) ||
	    slice_find(template, 0) != template.len)
		return 0;
	local = slice_first(rest, ADDRESS_LOCAL_MAX);
	for (size_t i = 0; i < local.len && local.data[i] != '\0'; i++)
		address.local[i] = (char)local.data[i];
	buf_init(&text, size);
	buf_add(&text, template);
	buf_init(&out, LDAP_FILTER_MAX);
	if (ldap_filter_check(buf_string(&text), &err)) {
		ldap_filter_write(buf_string(&text), &address, &out);
		if (buf_overflowed(&out))
			abort();
		check_filter(template, buf_slice(&out));
		check_batch(buf_string(&text), &address);
	}
	buf_clear(&text);
	buf_clear(&out);
	return 0;
}
