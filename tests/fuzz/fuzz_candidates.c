/* SPDX-License-Identifier: Apache-2.0 */
/* The first byte chooses the settings, the rest is a header.  Whoever is
 * usable lies in an accepted domain, and is written as an address that means
 * the same; each address appears once; what people read is printable. */
#include <stdlib.h>
#include <string.h>

#include "mail/domain.h"
#include "recipients/candidates.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const struct accepted_domain domains[] = {
	{ .name = "example.org" },
	{ .name = ".example.org" },
};
static const struct address people[] = { { "anna", "example.org" },
	{ "carl", "sales.example.org" } };
static const struct mailing_list lists[] = {
	{ "announce.lists.example.com", people, 1 },
	{ "talk@lists.example.com", people, 2 },
};
static const struct config config = {
	.domains = domains, .n_domains = 2, .lists = lists, .n_lists = 2
};
static const char *const hosts[] = { ".isp.example", "mx.google.com",
	".kundenserver.de", NULL };
static const char *const headers[] = { "To", "Cc", "Bcc", "Subject", NULL };

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

static void
choose_settings(uint8_t choice, struct recipient_settings *s)
{
	static const int occurrences[] = { 1, 2, OCCURRENCE_LAST,
		OCCURRENCE_ALL };

	*s = (struct recipient_settings){
		.tiers = { TIER_ENVELOPE, TIER_RECEIVED, TIER_HEADERS },
		.n_tiers = 3,
		.occurrence = occurrences[choice & 3],
		.position_bottom = (choice & 4) != 0,
		.strip_prefix = (choice & 8) != 0 ? "mbox-" : "",
		.strip_suffix = (choice & 8) != 0 ? "-box" : "",
		.trusted_hosts = (choice & 16) != 0 ? hosts : NULL,
		.headers = headers,
	};
}

static void
check_printable(const char *text)
{
	for (; *text != '\0'; text++)
		demand(*text >= ' ' && *text <= '~');
}

static void
check_candidate(const struct candidates *c, size_t n)
{
	const struct address *a = &c->all[n].address;
	char text[ADDRESS_TEXT_SIZE];
	struct address again;

	check_printable(c->all[n].text);
	if (c->all[n].kind == CANDIDATE_INVALID)
		return;
	demand(address_parse(slice_of(address_write(a, text)), &again) ==
	       ADDRESS_OK);
	demand(address_equal(a, &again));
	if (c->all[n].kind == CANDIDATE_USABLE)
		demand(domain_matches("example.org", a->domain) ||
		       domain_matches(".example.org", a->domain));
	for (size_t i = 0; i < n && i < 50; i++)
		demand(c->all[i].kind == CANDIDATE_INVALID ||
		       !address_equal(a, &c->all[i].address));
}

static void
check_ticket(const struct candidates *c, const struct account *account)
{
	static const uint8_t bytes[TICKET_KEY_SIZE] = { 1 };
	struct ticket_key key;
	struct ticket ticket;
	struct buf field;

	ticket_key_init(&key, bytes);
	buf_init(&field, TICKET_MAX);
	candidates_ticket(c, account, "0123456789abcdef", &ticket);
	demand(ticket_write(&ticket, &key, &field));
	buf_clear(&field);
	ticket_clear(&ticket);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct slice header = slice_from((struct slice){ data, len }, 1);
	struct account account = { .name = "office" };
	struct candidates found;
	struct address own;

	if (len == 0)
		return 0;
	address_parse(SLICE("box17@isp.example"), &own);
	address_parse(SLICE("office@example.org"), &account.fallback);
	account.addresses = &own;
	account.n_addresses = 1;
	choose_settings(data[0], &account.recipients);
	candidates_find(&config, &account, header, &found);
	for (size_t i = 0; i < found.n; i++)
		check_candidate(&found, i);
	for (size_t i = 0; i < found.n_findings; i++) {
		check_printable(found.findings[i].subject);
		check_printable(found.findings[i].text);
	}
	for (size_t i = 0; i < found.n_warnings; i++)
		check_printable(found.warnings[i]);
	check_ticket(&found, &account);
	candidates_clear(&found);
	return 0;
}
