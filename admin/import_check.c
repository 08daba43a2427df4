/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read must become a configuration: accounts that none can hold are
 * refused.
 */
#include "admin/import.h"

#include "mail/address.h"
#include "mail/domain.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

enum {
	TEXT_MAX = 1024, /* of a value in the configuration */
	USER_MAX = 255,
	FIELD_NAME_MAX = 100,
	PREFIX_MAX = 100,
	HOSTS_MAX = 64,
	FINGERPRINT_LEN = 64,
};

/* The next character of UTF-8; false when it is none. */
static bool
cut_character(struct slice *s, uint32_t *character)
{
	static const uint32_t first[] = { 0, 0x80, 0x800, 0x10000 };
	uint8_t byte = s->data[0];
	size_t more = byte < 0x80 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;

	if ((byte >= 0x80 && byte < 0xc0) || byte >= 0xf8 || s->len <= more)
		return false;
	*character = more == 0 ? byte : byte & (0x3fu >> more);
	for (size_t i = 1; i <= more; i++) {
		if ((s->data[i] & 0xc0) != 0x80)
			return false;
		*character = *character << 6 | (s->data[i] & 0x3f);
	}
	*s = slice_from(*s, more + 1);
	return *character >= first[more];
}

/* Characters that YAML takes as they are, within a line. */
static bool
is_printable_utf8(struct slice s)
{
	static const struct {
		uint32_t from, to;
	} refused[] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0x2028, 0x2029 },
		{ 0xd800, 0xdfff }, { 0xfeff, 0xfeff }, { 0xfffe, 0xffff },
		{ 0x110000, UINT32_MAX } };
	uint32_t c;

	while (s.len > 0) {
		if (!cut_character(&s, &c))
			return false;
		for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]);
		     i++)
			if (c >= refused[i].from && c <= refused[i].to)
				return false;
	}
	return true;
}

static bool
is_writable(const char *text)
{
	struct slice s = slice_of(text);

	return s.len <= TEXT_MAX && is_printable_utf8(s);
}

static bool
list_is_writable(const struct import_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i][0] == '\0' || !is_writable(list->items[i]))
			return false;
	return true;
}

static bool
all_is_writable(const struct import_account *a)
{
	const char *const texts[] = { a->user, a->host, a->password_file,
		a->ca_file, a->server_name, a->fingerprint,
		a->client_certificate, a->client_key, a->deliver_to,
		a->fallback, a->strip_prefix, a->move_to };
	const struct import_list *const lists[] = { &a->command,
		&a->envelope_headers, &a->trusted_hosts, &a->folders };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!is_writable(texts[i]))
			return false;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!list_is_writable(lists[i]))
			return false;
	return true;
}

static bool
is_host(const char *text)
{
	char name[DOMAIN_SIZE];
	struct in6_addr room;

	return inet_pton(AF_INET, text, &room) == 1 ||
	       inet_pton(AF_INET6, text, &room) == 1 ||
	       domain_normalise(slice_of(text), name);
}

static bool
is_bare(uint8_t byte)
{
	return byte_is_atext(byte) || byte == '.';
}

/* Of a name that will be completed with a domain, nothing may need quotes. */
bool
import_is_recipient(const char *name)
{
	struct slice text = slice_of(name);
	struct address address;

	if (name == NULL)
		return true;
	if (slice_find(text, '@') < text.len)
		return slice_find(text, '<') == text.len &&
		       address_parse(text, &address) == ADDRESS_OK;
	return address_make(text, SLICE("example.org"), &address) ==
		   ADDRESS_OK &&
	       slice_all(text, is_bare);
}

static bool
is_field_name(const char *name)
{
	struct slice text = slice_of(name);

	return text.len > 0 && text.len <= FIELD_NAME_MAX &&
	       slice_all(text, byte_is_graphic) &&
	       slice_find(text, ':') == text.len;
}

static const char *
fault_of_recipients(const struct import_account *a)
{
	if (!import_is_recipient(a->deliver_to) ||
	    !import_is_recipient(a->fallback))
		return "a local name that can be in no address";
	for (size_t i = 0; i < a->envelope_headers.n; i++)
		if (!is_field_name(a->envelope_headers.items[i]))
			return "no name of a header field";
	if (a->strip_prefix != NULL && strlen(a->strip_prefix) > PREFIX_MAX)
		return "too long a prefix of addresses";
	return NULL;
}

static bool
is_fingerprint(const char *text)
{
	return strlen(text) == FINGERPRINT_LEN &&
	       strspn(text, "0123456789abcdef") == FINGERPRINT_LEN;
}

static const char *
fault_of(const struct import_account *a)
{
	if (a->host == NULL || !is_host(a->host))
		return "no server, or one whose name cannot be";
	if (a->user == NULL || a->user[0] == '\0' || strlen(a->user) > USER_MAX)
		return "no user name, or too long a one";
	if (a->port > UINT16_MAX)
		return "no such port";
	if (!all_is_writable(a))
		return "something in it is no printable text, is empty or too "
		       "long";
	if (a->server_name != NULL && !is_host(a->server_name))
		return "no such server name";
	if (a->fingerprint != NULL && !is_fingerprint(a->fingerprint))
		return "no SHA-256 of a certificate";
	return fault_of_recipients(a);
}

/* What is beyond what the configuration takes. */
static void
limit_numbers(struct import_account *a)
{
	const struct {
		const char *name;
		uint64_t *value, most;
	} limits[] = {
		{ "every", &a->every_s, 7 * 86400 },
		{ "timeout", &a->timeout_s, 3600 },
		{ "max_messages_per_pass", &a->max_messages, 100000 },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (*limits[i].value <= limits[i].most)
			continue;
		*limits[i].value = limits[i].most;
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: %s is %" PRIu64 " at most", a->name,
		    limits[i].name, limits[i].most);
	}
}

/* Names of servers and users may be listed without end. */
static void
limit_lists(struct import_account *a)
{
	if (a->trusted_hosts.n <= HOSTS_MAX)
		return;
	a->trusted_hosts.n = HOSTS_MAX;
	import_say_of(a, a->line, IMPORT_REFUSED,
	    "account %s: more than %d trusted_hosts; the rest is left out",
	    a->name, HOSTS_MAX);
}

static void
limit_pop3(struct import_account *a)
{
	if (a->protocol != IMPORT_POP3 && a->protocol != IMPORT_POP3S)
		return;
	if (a->folders.n > 0)
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: POP3 has no folders", a->name);
	if (a->move_to != NULL)
		import_say_of(a, a->line, IMPORT_DROPPED,
		    "account %s: POP3 cannot move, it only deletes", a->name);
	a->folders.n = 0;
	a->move_to = NULL;
}

static void
finish_list(struct import *import, struct import_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++)
		if (list_is_writable(
			&(struct import_list){ &list->items[i], 1, 1 }))
			list->items[kept++] = list->items[i];
	if (kept < list->n)
		import_say(import, 0, IMPORT_REFUSED,
		    "%zu names of domains or users that are no printable text",
		    list->n - kept);
	list->n = kept;
}

static void
check(struct import *import)
{
	for (size_t i = 0; i < import->n_accounts; i++) {
		struct import_account *a = import->accounts[i];
		const char *fault = a->refused ? NULL : fault_of(a);

		limit_numbers(a);
		limit_lists(a);
		limit_pop3(a);
		if (fault == NULL)
			continue;
		a->refused = true;
		import_say_of(a, a->line, IMPORT_REFUSED, "account %s: %s",
		    a->name, fault);
	}
	if (import->overflowed)
		import_say(import, 0, IMPORT_REFUSED,
		    "a list of more than %d names was cut", IMPORT_LIST_MAX);
	finish_list(import, &import->domains);
	finish_list(import, &import->users);
	if (!import_is_recipient(import->postmaster)) {
		import->postmaster = NULL;
		import_say(import, 0, IMPORT_REFUSED,
		    "the postmaster can be in no address");
	}
}

void
import_read(struct import *import, import_reader *reader, struct slice source)
{
	slice_cut_prefix(&source, SLICE("\xef\xbb\xbf")); /* a BOM */
	if (source.len > IMPORT_SOURCE_MAX ||
	    slice_find(source, '\0') < source.len) {
		import_say(import, 1, IMPORT_REFUSED,
		    "larger than %d bytes, or no text", IMPORT_SOURCE_MAX);
		return;
	}
	reader(import, source);
	if (import->n_accounts == 0)
		import_say(import, 0, IMPORT_REFUSED, "no account is in it");
	check(import);
}
