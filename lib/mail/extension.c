/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/extension.h"

#include <stdio.h>
#include <string.h>

/* Where the extension begins, or 0. */
static size_t
base_length(const char *local, const char *delimiters)
{
	struct slice s = slice_of(local);
	size_t len = strcspn(local, delimiters);

	if (slice_equal_nocase(s, SLICE("postmaster")))
		return 0;
	/* owner-list and list-request are names of their own. */
	if (strchr(delimiters, '-') != NULL &&
	    (slice_starts_nocase(s, SLICE("owner-")) ||
		slice_ends_nocase(s, SLICE("-request"))))
		return 0;
	return len == s.len ? 0 : len;
}

bool
extension_remove(
    const struct address *address, const char *delimiters, struct address *base)
{
	size_t len = base_length(address->local, delimiters);

	return len > 0 &&
	       address_make(slice_first(slice_of(address->local), len),
		   slice_of(address->domain), base) == ADDRESS_OK;
}

bool
extension_copy(const struct address *to, const struct address *from,
    const struct address *base, struct address *out)
{
	char local[2 * ADDRESS_LOCAL_MAX + 1];

	snprintf(local, sizeof(local), "%s%s", to->local,
	    from->local + strlen(base->local));
	return address_make(slice_of(local), slice_of(to->domain), out) ==
	       ADDRESS_OK;
}
