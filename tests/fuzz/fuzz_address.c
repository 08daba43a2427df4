/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is taken for an address is written so that it parses to the same
 * address again, in an envelope command as well as in a list. */
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static void
check_written(const char *text)
{
	bool quoted = text[0] == '"';

	for (const char *c = text; *c != '\0'; c++)
		demand((uint8_t)*c > ' ' || (*c == ' ' && quoted));
}

static void
check_address(const struct address *a)
{
	char text[ADDRESS_TEXT_SIZE];
	struct address again;

	address_write(a, text);
	check_written(text);
	demand(address_parse(slice_of(text), &again) == ADDRESS_OK);
	demand(strcmp(a->local, again.local) == 0);
	demand(strcmp(a->domain, again.domain) == 0);
	demand(strpbrk(a->local, "%!@") == NULL && a->local[0] != '-');
}

static void
check_sender(struct slice s)
{
	struct address a, again;
	char text[ADDRESS_TEXT_SIZE];

	if (address_parse_sender(s, &a) != ADDRESS_OK)
		return;
	check_written(address_write(&a, text));
	demand(address_parse_sender(slice_of(text), &again) == ADDRESS_OK);
	demand(address_equal(&a, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice field = { data, len };
	struct address_list list;
	struct address_entry e;
	struct address a;

	address_list_init(&list, field);
	while (address_list_next(&list, &e)) {
		demand(e.text.len > 0);
		demand(e.text.data >= data &&
		       e.text.data + e.text.len <= data + len);
		if (e.fault == ADDRESS_OK)
			check_address(&e.address);
	}
	if (address_parse(field, &a) == ADDRESS_OK)
		check_address(&a);
	check_sender(field);
	return 0;
}
