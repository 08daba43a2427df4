/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_getmailrc - the one account of a getmailrc.
 */
#include "admin/import_getmailrc_settings.h"

#include <string.h>

static bool
is_section(const struct ini_entry *e, const char *name)
{
	return strcmp(e->section, name) == 0;
}

static bool
is_filter(const struct ini_entry *e)
{
	return slice_starts(slice_of(e->section), SLICE("filter"));
}

static const char *
value_of(const struct getmail *g, const char *section, const char *key)
{
	struct ini_entry *entry = ini_find(&g->ini, section, key);

	if (entry == NULL)
		return "";
	entry->used = true;
	return entry->value;
}

static void
take(struct getmail *g, const char *key, const char *text)
{
	struct ini_entry *entry = ini_find(&g->ini, "destination", key);

	if (entry == NULL)
		return;
	entry->used = true;
	import_say_of(g->account, entry->line,
	    text == NULL ? IMPORT_TAKEN : IMPORT_DROPPED, "%s%s%s", key,
	    text == NULL ? "" : ": ", text == NULL ? "" : text);
}

/* "^anna@example\.org$" is an address, and most others are not. */
static const char *
literal(struct import *import, const char *regex)
{
	char *copy = arena_string(&import->arena, slice_of(regex)), *end = copy;
	const char *c = copy;

	if (*c == '^')
		c++;
	for (; *c != '\0'; c++) {
		if (c[0] == '$' && c[1] == '\0')
			break;
		if (c[0] == '\\' && !byte_is_alnum((uint8_t)c[1]) &&
		    c[1] != '\0')
			c++;
		else if (strchr("\\[](){}*+?|^$", *c) != NULL)
			return NULL;
		*end++ = *c;
	}
	*end = '\0';
	return copy;
}

/* Pairs of a regex and a destination. */
static void
report_sorter(struct getmail *g)
{
	struct ini_entry *entry = ini_find(&g->ini, "destination", "locals");
	struct import_list pairs = { .n = 0 };
	const char *address;

	if (entry == NULL)
		return;
	entry->used = true;
	if (!python_strings(g->import, slice_of(entry->value), &pairs)) {
		import_say_of(g->account, entry->line, IMPORT_REFUSED,
		    "locals: expected tuples of strings");
		return;
	}
	for (size_t i = 0; i + 1 < pairs.n; i += 2) {
		address = literal(g->import, pairs.items[i]);
		if (address != NULL)
			import_accept_domain_of(g->import, address);
		import_say_of(g->account, entry->line, IMPORT_DROPPED,
		    "locals: %s to %s: Postfix maps addresses, by "
		    "virtual_alias_maps or virtual_mailbox_maps",
		    address == NULL ? pairs.items[i] : address,
		    pairs.items[i + 1]);
	}
}

/* Where mail for the whole domain goes on to, Postfix says. */
static void
finish_catch_all(struct getmail *g, const char *type)
{
	const char *path = value_of(g, "destination", "path");
	struct ini_entry *entry = ini_find(&g->ini, "destination", "type");

	if (strcmp(type, "MultiSorter") == 0)
		report_sorter(g);
	if (entry == NULL)
		return;
	if (strstr(path, "sendmail") != NULL)
		import_say_of(g->account, entry->line, IMPORT_TAKEN,
		    "type %s: mail goes to Postfix", type);
	else
		import_say_of(g->account, entry->line, IMPORT_CHANGED,
		    "type %s: mail goes to Postfix; how it gets into a mailbox "
		    "then is Postfix's matter",
		    type);
}

static void
finish_single(struct getmail *g)
{
	struct ini_entry *type = ini_find(&g->ini, "destination", "type");
	const char *user = value_of(g, "destination", "user");
	struct import_list words = { .n = 0 };
	const char *command = "";

	if (python_strings(g->import,
		slice_of(value_of(g, "destination", "arguments")), &words))
		for (size_t i = 0; i < words.n && i < 64; i++)
			command = arena_printf(&g->import->arena, "%s %.256s",
			    command, words.items[i]);
	import_deliver_to_owner(g->account, slice_of(command),
	    type == NULL ? g->account->line : type->line);
	/* A program that runs as somebody delivers to him. */
	if (user[0] != '\0' && strchr(g->account->deliver_to, '@') == NULL)
		g->account->deliver_to = user;
	take(g, "user", NULL);
}

static void
finish_destination(struct getmail *g)
{
	const char *type = value_of(g, "destination", "type");
	const char *path = value_of(g, "destination", "path");
	/* That is what is done here, too. */
	const char *text =
	    strstr(path, "/sendmail") != NULL ? NULL : "Postfix delivers";

	if (g->multidrop || strcmp(type, "MultiSorter") == 0)
		finish_catch_all(g, type);
	else
		finish_single(g);
	take(g, "path", text);
	take(g, "arguments", text);
}

/* What nothing else has looked at. */
static void
report_rest(struct getmail *g)
{
	for (size_t i = 0; i < g->ini.n; i++) {
		struct ini_entry *e = &g->ini.entries[i];

		if (e->used)
			continue;
		if (is_filter(e))
			import_say(g->import, e->line, IMPORT_DROPPED,
			    "%s: mail goes to Postfix, whose milters and "
			    "filters see it",
			    e->key);
		else if (ini_find(&g->ini, e->section, e->key) != e)
			import_say(g->import, e->line, IMPORT_REFUSED,
			    "%s: given again further down", e->key);
		else if (is_section(e, "retriever") || is_section(e, "options"))
			import_say(g->import, e->line, IMPORT_REFUSED,
			    "%s: not known", e->key);
		else
			import_say(g->import, e->line, IMPORT_DROPPED,
			    "%s: Postfix delivers", e->key);
	}
}

static void
apply_settings(struct getmail *g)
{
	for (size_t i = 0; i < g->ini.n; i++) {
		struct ini_entry *e = &g->ini.entries[i];

		if (!e->used && ini_find(&g->ini, e->section, e->key) == e)
			e->used = getmail_apply(g, e);
	}
}

static void
finish(struct getmail *g)
{
	struct import_account *a = g->account;

	a->state_host = a->host;
	a->state_user = a->user;
	a->state_port = a->port > 0 ? a->port : import_port(a->protocol);
	if (a->keep == NULL)
		a->keep = "forever"; /* getmail's default */
	if (g->no_uids && strcmp(a->keep, "none") != 0) {
		a->disabled = true;
		a->keep = "none";
		import_say_of(a, a->line, IMPORT_REFUSED,
		    "account %s: without UIDs nothing can be kept; it is "
		    "written with keep: none and enabled: false",
		    a->name);
	}
	if (g->clear_text)
		import_say_of(a, a->line, IMPORT_CHANGED,
		    "account %s: getmail speaks in clear text; here %s is "
		    "required, or tls: {mode: never}",
		    a->name, a->protocol == IMPORT_IMAP ? "STARTTLS" : "STLS");
	finish_destination(g);
	report_rest(g);
	import_say_of(a, a->line, IMPORT_TAKEN, "account %s", a->name);
}

void
import_getmailrc(struct import *import, struct slice source)
{
	struct getmail g = { .import = import };
	struct ini_entry *type, *server, *user;

	ini_parse(import, source, &g.ini);
	type = ini_find(&g.ini, "retriever", "type");
	server = ini_find(&g.ini, "retriever", "server");
	user = ini_find(&g.ini, "retriever", "username");
	if (type == NULL || server == NULL) {
		import_say(import, 1, IMPORT_REFUSED,
		    "no [retriever] with type and server");
		report_rest(&g);
		return;
	}
	/* One account for each file: its mailbox is its best name. */
	g.account = import_add_account(
	    import, user == NULL ? server->value : user->value, type->line);
	getmail_apply_type(&g, type);
	apply_settings(&g);
	finish(&g);
}
