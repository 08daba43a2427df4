/* SPDX-License-Identifier: Apache-2.0 */
/* Every part lies within the field, and a client is one word that means
 * somebody. */
#include <stdlib.h>

#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_within(struct slice part, struct slice body)
{
	if (part.len > 0 && (part.data < body.data ||
				part.data + part.len > body.data + body.len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice body = { data, len };
	struct received r;

	received_parse(body, &r);
	check_within(r.helo, body);
	check_within(r.client, body);
	check_within(r.client_ip, body);
	check_within(r.by, body);
	check_within(r.with, body);
	check_within(r.recipient, body);
	for (size_t i = 0; i < r.client.len; i++)
		if (byte_is_space(r.client.data[i]))
			abort();
	if (slice_equal_nocase(r.client, SLICE("unknown")))
		abort();
	return 0;
}
