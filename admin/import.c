/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import.h"

#include "mail/address.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LEN = 80 };

static const struct {
	const char *name;
	unsigned port;
} protocols[] = {
	[IMPORT_POP3] = { "pop3", 110 },
	[IMPORT_POP3S] = { "pop3s", 995 },
	[IMPORT_IMAP] = { "imap", 143 },
	[IMPORT_IMAPS] = { "imaps", 993 },
};

unsigned
import_port(enum import_protocol protocol)
{
	return protocols[protocol].port;
}

const char *
import_protocol_name(enum import_protocol protocol)
{
	return protocols[protocol].name;
}

void
import_init(struct import *import)
{
	*import = (struct import){ .domain = NULL };
}

void
import_clear(struct import *import)
{
	arena_clear(&import->arena);
	import_init(import);
}

/* Room for one more element; the old array stays in the arena. */
static void *
grown(struct arena *arena, void *array, size_t n, size_t *room, size_t size)
{
	void *larger;

	if (n < *room)
		return array;
	*room = *room == 0 ? 8 : 2 * *room;
	larger = arena_new_array(arena, *room, size);
	if (n > 0)
		memcpy(larger, array, n * size);
	return larger;
}

void
import_add(struct import *import, struct import_list *list, const char *item)
{
	if (list->n >= IMPORT_LIST_MAX) {
		import->overflowed = true;
		return;
	}
	list->items = grown(&import->arena, list->items, list->n, &list->room,
	    sizeof(*list->items));
	list->items[list->n++] = item;
}

void
import_add_once(
    struct import *import, struct import_list *list, const char *item)
{
	for (size_t i = 0; i < list->n; i++)
		if (slice_equal_nocase(
			slice_of(list->items[i]), slice_of(item)))
			return;
	import_add(import, list, item);
}

__attribute__((format(printf, 3, 0))) static void
say(struct import *import, struct import_finding finding, const char *fmt,
    va_list ap)
{
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	finding.text = arena_string(&import->arena, slice_of(text));
	free(text);
	finding.number = import->n_findings;
	import->findings =
	    grown(&import->arena, import->findings, import->n_findings,
		&import->findings_room, sizeof(*import->findings));
	import->findings[import->n_findings++] = finding;
}

void
import_say(struct import *import, size_t line, enum import_verdict verdict,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(import, (struct import_finding){ .line = line, .verdict = verdict },
	    fmt, ap);
	va_end(ap);
}

void
import_say_of(const struct import_account *account, size_t line,
    enum import_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(account->import,
	    (struct import_finding){
		.line = line, .verdict = verdict, .account = account },
	    fmt, ap);
	va_end(ap);
}

void
import_say_in(struct import *import, struct import_place place,
    enum import_verdict verdict, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(import,
	    (struct import_finding){
		.file = place.file, .line = place.line, .verdict = verdict },
	    fmt, ap);
	va_end(ap);
}

static bool
is_name_byte(uint8_t byte)
{
	return byte_is_alnum(byte) ||
	       slice_find(SLICE("._-@+"), byte) < sizeof("._-@+") - 1;
}

static const char *
valid_name(struct import *import, const char *wish)
{
	struct slice rest = slice_of(wish);
	char *name;

	while (rest.len > 0 && !byte_is_alnum(rest.data[0]))
		rest = slice_from(rest, 1);
	if (rest.len == 0)
		rest = SLICE("account");
	name = arena_string(&import->arena, slice_first(rest, NAME_MAX_LEN));
	for (char *c = name; *c != '\0'; c++)
		if (!is_name_byte((uint8_t)*c))
			*c = '-';
	return name;
}

static bool
is_free(const struct import *import, const char *name)
{
	for (size_t i = 0; i < import->n_accounts; i++)
		if (strcmp(import->accounts[i]->name, name) == 0)
			return false;
	return true;
}

static const char *
unique_name(struct import *import, const char *wish)
{
	const char *first = valid_name(import, wish), *name = first;

	for (size_t n = 2; !is_free(import, name); n++) {
		/* The next number hardly ever fails, the count never for
		 * long: nobody can make this slow. */
		if (n > 9)
			n += import->n_accounts;
		name = arena_printf(&import->arena, "%s-%zu", first, n);
	}
	return name;
}

struct import_account *
import_add_account(struct import *import, const char *wish, size_t line)
{
	struct import_account *account;

	if (import->n_accounts >= IMPORT_ACCOUNTS_MAX) {
		import_say(import, line, IMPORT_REFUSED,
		    "more than %d accounts; split the file",
		    IMPORT_ACCOUNTS_MAX);
		return NULL;
	}
	account = arena_new(&import->arena, sizeof(*account));
	account->name = unique_name(import, wish);
	account->line = line;
	account->import = import;
	import->accounts =
	    grown(&import->arena, import->accounts, import->n_accounts,
		&import->accounts_room, sizeof(struct import_account *));
	import->accounts[import->n_accounts++] = account;
	return account;
}

void
import_accept_domain_of(struct import *import, const char *name)
{
	struct address address;

	if (address_parse(slice_of(name), &address) == ADDRESS_OK)
		import_add_once(import, &import->domains,
		    arena_string(&import->arena, slice_of(address.domain)));
}

const char *
import_own_domain(const struct import *import)
{
	const char *domain = import->domain;

	for (size_t i = 0; i < import->domains.n && domain == NULL; i++)
		if (import->domains.items[i][0] != '.')
			domain = import->domains.items[i];
	return domain;
}

const char *
import_address(struct import *import, const char *name)
{
	struct slice whole = slice_of(name);
	const char *domain = import_own_domain(import);

	if (slice_find(whole, '@') < whole.len)
		return name;
	return arena_printf(&import->arena, "%s@%s", name,
	    domain == NULL ? IMPORT_NO_DOMAIN : domain);
}

/* What the source calls its own place. */
const char *
import_path(struct import *import, const char *path)
{
	struct slice rest = slice_of(path);

	if (slice_cut_prefix(&rest, SLICE("~/")) && import->home != NULL)
		return arena_printf(
		    &import->arena, "%s/%.*s", import->home, SLICE_ARG(rest));
	if (path[0] == '/' || path[0] == '~' || import->folder == NULL)
		return path;
	return arena_printf(&import->arena, "%s/%s", import->folder, path);
}

static bool
is_quote(uint8_t byte)
{
	return byte == '"' || byte == '\'';
}

void
import_deliver_to_owner(
    struct import_account *account, struct slice command, size_t line)
{
	struct import *import = account->import;
	struct address address;
	struct slice word;

	account->deliver_to =
	    import->owner == NULL ? "postmaster" : import->owner;
	while (slice_cut_word(&command, &word)) {
		while (word.len > 0 && is_quote(word.data[0]))
			word = slice_from(word, 1);
		while (word.len > 0 && is_quote(word.data[word.len - 1]))
			word.len--;
		if (address_parse(word, &address) != ADDRESS_OK)
			continue;
		account->deliver_to = arena_string(&import->arena, word);
		import_accept_domain_of(import, account->deliver_to);
	}
	import_say_of(account, line, IMPORT_CHANGED,
	    "account %s: mail goes to Postfix, for %s; how it gets into a "
	    "mailbox then is Postfix's matter",
	    account->name, account->deliver_to);
}

/* Bytes that mean nothing to a shell. */
static bool
is_plain(uint8_t byte)
{
	return byte_is_alnum(byte) ||
	       slice_find(SLICE("_./=:,@%+- "), byte) < 11;
}

enum import_verdict
import_command(struct import_account *account, struct slice text)
{
	struct import *import = account->import;
	struct slice rest = slice_trim(text), word;

	account->command.n = 0;
	if (rest.len > 0 && rest.data[0] == '/' && slice_all(rest, is_plain)) {
		while (slice_cut_word(&rest, &word))
			import_add(import, &account->command,
			    arena_string(&import->arena, word));
		return IMPORT_TAKEN;
	}
	import_add(import, &account->command, "/bin/sh");
	import_add(import, &account->command, "-c");
	import_add(
	    import, &account->command, arena_string(&import->arena, rest));
	return IMPORT_CHANGED;
}

const char *
import_fingerprint(struct import *import, struct slice text)
{
	enum { DIGITS = 64 };
	char *digits = arena_new(&import->arena, DIGITS + 1);
	size_t n = 0;

	text = slice_trim(text);
	slice_cut_prefix_nocase(&text, SLICE("sha256:"));
	slice_cut_prefix_nocase(&text, SLICE("sha256="));
	for (size_t i = 0; i < text.len; i++) {
		uint8_t byte = byte_lower(text.data[i]);

		if (byte == ':' || byte == ' ')
			continue;
		if (n == DIGITS ||
		    (!byte_is_digit(byte) && (byte < 'a' || byte > 'f')))
			return NULL;
		digits[n++] = (char)byte;
	}
	return n == DIGITS ? digits : NULL;
}

bool
import_duration(struct slice text, uint64_t *seconds)
{
	static const struct {
		uint8_t unit;
		uint64_t factor;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };

	if (!slice_cut_number(&text, 100000, seconds) || text.len != 1 ||
	    *seconds == 0)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text.data[0] == units[i].unit) {
			*seconds *= units[i].factor;
			return *seconds <= UINT64_C(3650) * 86400;
		}
	return false;
}

bool
import_number(struct slice text, uint64_t *number)
{
	struct slice rest = slice_trim(text);

	return slice_cut_number(&rest, UINT32_MAX, number) && rest.len == 0;
}
