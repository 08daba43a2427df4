/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import.h"

#include "base/log.h"
#include "mail/domain.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
	NAME_MAX_LEN = 80,
	TEXT_MAX = 1024, /* of a value in the configuration */
	USER_MAX = 255,
	SAFE_SIZE = 2048,
};

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
	struct slice whole = slice_of(name);
	char domain[DOMAIN_SIZE];

	if (slice_find(whole, '@') < whole.len &&
	    domain_normalise(
		slice_from(whole, slice_find_last(whole, '@') + 1), domain))
		import_add_once(import, &import->domains,
		    arena_string(&import->arena, slice_of(domain)));
}

const char *
import_address(struct import *import, const char *name)
{
	struct slice whole = slice_of(name);
	const char *domain = import->domain;

	if (slice_find(whole, '@') < whole.len)
		return name;
	for (size_t i = 0; i < import->domains.n && domain == NULL; i++)
		if (import->domains.items[i][0] != '.')
			domain = import->domains.items[i];
	return arena_printf(&import->arena, "%s@%s", name,
	    domain == NULL ? IMPORT_NO_DOMAIN : domain);
}

/* Bytes that mean nothing to a shell. */
static bool
is_plain(uint8_t byte)
{
	return byte_is_alnum(byte) ||
	       slice_find(SLICE("_./=:,@%+- "), byte) < 11;
}

void
import_command(struct import_account *account, size_t line, struct slice text)
{
	struct import *import = account->import;
	struct slice rest = slice_trim(text), word;

	account->command.n = 0;
	if (rest.len > 0 && rest.data[0] == '/' && slice_all(rest, is_plain)) {
		while (slice_cut_word(&rest, &word))
			import_add(import, &account->command,
			    arena_string(&import->arena, word));
		import_say_of(account, line, IMPORT_TAKEN,
		    "the command that prints the password");
		return;
	}
	import_add(import, &account->command, "/bin/sh");
	import_add(import, &account->command, "-c");
	import_add(
	    import, &account->command, arena_string(&import->arena, rest));
	import_say_of(account, line, IMPORT_CHANGED,
	    "the command that prints the password runs in a shell, as the "
	    "user mailhaul and with his key rings and $HOME; a program with "
	    "its absolute path is better");
}

bool
import_number(struct slice text, uint64_t *number)
{
	struct slice rest = slice_trim(text);

	return slice_cut_number(&rest, UINT32_MAX, number) && rest.len == 0;
}

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
	return NULL;
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
finish(struct import *import)
{
	for (size_t i = 0; i < import->n_accounts; i++) {
		struct import_account *a = import->accounts[i];
		const char *fault = a->refused ? NULL : fault_of(a);

		limit_numbers(a);
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
	if (import->postmaster != NULL && !is_writable(import->postmaster))
		import->postmaster = NULL;
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
	finish(import);
}

static int
by_place(const void *a, const void *b)
{
	const struct import_finding *x = a, *y = b;

	if ((x->file == NULL) != (y->file == NULL))
		return x->file == NULL ? -1 : 1;
	/* What has no line is about the whole, and comes last. */
	if (x->line != y->line && x->file == NULL)
		return x->line - 1 < y->line - 1 ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

static void
print_finding(const struct import_finding *f, const char *file, FILE *out)
{
	static const char *const names[] = { "taken", "changed", "dropped",
		"refused" };
	char name[SAFE_SIZE], text[SAFE_SIZE];

	log_safe(
	    name, sizeof(name), slice_of(f->file == NULL ? file : f->file));
	log_safe(text, sizeof(text), slice_of(f->text));
	if (f->line > 0)
		fprintf(out, "%s:%zu: %s: %s\n", name, f->line,
		    names[f->verdict], text);
	else
		fprintf(out, "%s: %s: %s\n", name, names[f->verdict], text);
}

int
import_report(struct import *import, const char *file, FILE *out)
{
	enum import_verdict worst = IMPORT_TAKEN;

	if (import->n_findings > 1)
		qsort(import->findings, import->n_findings,
		    sizeof(*import->findings), by_place);
	for (size_t i = 0; i < import->n_findings; i++) {
		struct import_finding *f = &import->findings[i];

		if (f->account != NULL && f->account->refused)
			f->verdict = IMPORT_REFUSED;
		if (f->verdict > worst)
			worst = f->verdict;
		print_finding(f, file, out);
	}
	if (worst == IMPORT_REFUSED)
		return EX_DATAERR;
	return worst == IMPORT_DROPPED ? 1 : EX_OK;
}
