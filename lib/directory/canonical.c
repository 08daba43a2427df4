/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/canonical.h"

static void
add_address(struct canonical *c, const struct address *address)
{
	if (c->n == 0) {
		c->address = *address;
		c->n = 1;
	} else if (!address_equal(&c->address, address)) {
		c->n = 2;
	}
}

void
canonical_add(struct canonical *c, struct slice value)
{
	struct address address;

	if (!slice_cut_prefix(&value, SLICE("SMTP:")) &&
	    slice_find(value, ':') < slice_find(value, '@'))
		return;
	if (address_parse(value, &address) == ADDRESS_OK)
		add_address(c, &address);
}

void
canonical_merge(struct canonical *c, const struct canonical *other)
{
	if (other->n > 0)
		add_address(c, &other->address);
	if (other->n > 1)
		c->n = 2;
}
