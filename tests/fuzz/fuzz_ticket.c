/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign bytes are never a valid ticket; what was written from any addresses
 * comes back the same, folded otherwise too. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "mail/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* With a right MAC behind it, whatever stands there reaches the parser. */
static void
read_signed(struct slice text, const struct ticket_key *key)
{
	struct slice secret = { key->bytes, TICKET_KEY_SIZE };
	char hex[DIGEST_HEX_SIZE];
	uint8_t mac[DIGEST_SIZE];
	struct ticket ticket;
	struct buf body;

	buf_init(&body, 2 * TICKET_MAX);
	buf_printf(&body, "v=1;k=%s;", key->id);
	for (size_t i = 0; i < text.len; i++)
		if (!byte_is_space(text.data[i]))
			buf_add_byte(&body, text.data[i]);
	buf_add_byte(&body, ';');
	digest_hmac_sha256(secret, buf_slice(&body), mac);
	hex_write((struct slice){ mac, DIGEST_SIZE }, hex);
	buf_printf(&body, "m=%s", hex);
	if (ticket_read(buf_slice(&body), key, 1, &ticket) == TICKET_VALID)
		ticket_clear(&ticket);
	buf_clear(&body);
}

static void
write_and_read(struct slice list, const struct ticket_key *key)
{
	struct address addresses[32];
	struct ticket ticket = {
		.account = "yaml:a", .id = "1", .candidates = addresses
	};
	struct address_list entries;
	struct address_entry e;
	struct ticket again;
	struct buf field;
	struct slice body;

	address_list_init(&entries, list);
	while (ticket.n_candidates < 32 && address_list_next(&entries, &e))
		if (e.fault == ADDRESS_OK)
			addresses[ticket.n_candidates++] = e.address;
	if (ticket.n_candidates == 0)
		return;
	ticket.fallback = addresses[0];
	buf_init(&field, 2 * TICKET_MAX);
	demand(ticket_write(&ticket, key, &field));
	body = buf_slice(&field);
	demand(slice_cut_prefix(&body, SLICE(TICKET_FIELD ":")));
	demand(ticket_read(body, key, 1, &again) == TICKET_VALID);
	demand(again.n_candidates == ticket.n_candidates);
	for (size_t i = 0; i < again.n_candidates; i++)
		demand(strcmp(again.candidates[i].local, addresses[i].local) ==
			   0 &&
		       strcmp(again.candidates[i].domain,
			   addresses[i].domain) == 0);
	ticket_clear(&again);
	buf_clear(&field);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t bytes[TICKET_KEY_SIZE] = { 1 };
	struct slice input = { data, len };
	struct ticket_key key;
	struct ticket ticket;
	enum ticket_verdict verdict;

	ticket_key_init(&key, bytes);
	verdict = ticket_read(input, &key, 1, &ticket);
	demand(verdict != TICKET_VALID);
	if (verdict == TICKET_UNKNOWN_KEY)
		ticket_clear(&ticket);
	read_signed(input, &key);
	write_and_read(input, &key);
	return 0;
}
