/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_fetchmailrc_parse.h"

#include "admin/import_fetchmailrc_words.h"

#include <string.h>

struct parser {
	struct import *import;
	struct rc *rc;
	struct rc_words words;
	struct rc_word ahead;
	bool looked;
	struct rc_server *server; /* the one that is open */
	struct rc_user *user;     /* the same */
	bool skipping;            /* up to the next keyword */
};

/* The next word, which stays.  How it is read is for the first who looks. */
static const struct rc_word *
peek(struct parser *p, bool literal)
{
	if (!p->looked)
		p->ahead = rc_words_next(&p->words, literal);
	p->looked = true;
	return &p->ahead;
}

static void
take(struct parser *p)
{
	p->looked = false;
}

static bool
is_word(const struct rc_word *word, const char *text)
{
	return word->kind == RC_WORD && !word->literal &&
	       strcmp(word->text, text) == 0;
}

static const struct rc_keyword *
find_keyword(const char *text)
{
	const struct rc_keyword *k;

	for (k = rc_keywords; k->name != NULL; k++)
		if (strcmp(text, k->name) == 0 ||
		    (k->longer != NULL && strcmp(text, k->longer) == 0))
			return k;
	return NULL;
}

/* `nokeep` is `no keep`. */
static const struct rc_keyword *
find_glued(const char *text)
{
	const struct rc_keyword *k;

	if (strncmp(text, "no", 2) != 0)
		return NULL;
	k = find_keyword(text + 2);
	return k != NULL && k->negatable ? k : NULL;
}

static bool
is_structure(const struct rc_word *word)
{
	static const char *const words[] = { "poll", "server", "skip",
		"defaults", "set", "user", "username", "no", "here", "there" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(word, words[i]))
			return true;
	return false;
}

/* Anything that cannot be an argument. */
static bool
is_keyword(const struct rc_word *word)
{
	if (word->kind != RC_WORD)
		return true;
	return !word->literal &&
	       (is_structure(word) || find_keyword(word->text) != NULL ||
		   find_glued(word->text) != NULL);
}

static void
refuse(struct parser *p, size_t line, const char *reason)
{
	if (!p->skipping)
		import_say(p->import, line, IMPORT_REFUSED, "%s", reason);
	p->skipping = true;
}

static const char *
take_string(struct parser *p, bool literal)
{
	const struct rc_word *word = peek(p, literal);

	if (word->kind != RC_WORD)
		return NULL;
	take(p);
	return word->text;
}

/* Local names; `words` gets the remote ones. */
static void
take_names(struct parser *p, struct rc_option *option)
{
	bool literal = true;

	for (;;) {
		const struct rc_word *word = peek(p, literal);
		const char *remote, *local = NULL;

		literal = false;
		if (word->kind == RC_STAR) {
			option->star = true;
			take(p);
			continue;
		}
		if (is_keyword(word))
			break;
		remote = word->text;
		take(p);
		if (peek(p, false)->kind == RC_EQUALS) {
			take(p);
			local = take_string(p, true);
		}
		import_add(p->import, &option->words, remote);
		import_add(p->import, &option->locals, local);
	}
	option->there = is_word(peek(p, false), "there");
	option->here = is_word(peek(p, false), "here");
	if (option->there || option->here)
		take(p);
}

static bool
is_number(const char *text)
{
	struct slice s = slice_of(text);

	slice_cut_prefix(&s, SLICE("-"));
	return s.len > 0 && slice_all(s, byte_is_digit);
}

static void
take_strings(struct parser *p, struct rc_option *option)
{
	while (!is_keyword(peek(p, false)))
		import_add(p->import, &option->words, take_string(p, false));
}

/* False when the argument is missing. */
static bool
take_argument(struct parser *p, struct rc_option *option)
{
	enum rc_argument kind = option->keyword->argument;
	const char *text;

	if (kind == RC_NOTHING || (option->no && kind != RC_NAMES))
		return true;
	if (kind == RC_NAMES) {
		take_names(p, option);
		return option->words.n > 0 || option->star;
	}
	if (kind == RC_STRINGS) {
		take_strings(p, option);
		return option->words.n > 0;
	}
	/* An "=" may stand between `set X` and its value. */
	if (option->keyword->scope == RC_GLOBAL &&
	    peek(p, false)->kind == RC_EQUALS)
		take(p);
	text = take_string(p, kind == RC_LITERAL);
	if (text == NULL)
		return false;
	import_add(p->import, &option->words, text);
	if (kind == RC_ENVELOPE && is_number(text) &&
	    !is_keyword(peek(p, false)))
		import_add(p->import, &option->words, take_string(p, false));
	return true;
}

static void
open_user(struct parser *p, size_t line, const char *name)
{
	struct rc_user *user = arena_new(&p->import->arena, sizeof(*user));

	user->line = line;
	user->name = name;
	user->options.end = &user->options.first;
	*p->server->users_end = user;
	p->server->users_end = &user->next;
	p->server->n_users++;
	p->user = user;
}

static void
add_option(struct parser *p, struct rc_option *option)
{
	struct rc_options *list = &p->rc->globals;

	switch (option->keyword->scope) {
	case RC_GLOBAL:
		break;
	case RC_SERVER:
		if (p->user != NULL) {
			refuse(p, option->line,
			    "an option of a server after those of its users: "
			    "fetchmail would not start");
			return;
		}
		list = &p->server->options;
		break;
	case RC_USER:
		if (p->user == NULL)
			open_user(p, option->line, NULL);
		list = &p->user->options;
		break;
	}
	*list->end = option;
	list->end = &option->next;
}

static void
parse_option(
    struct parser *p, const struct rc_keyword *keyword, bool no, size_t line)
{
	struct rc_option *option =
	    arena_new(&p->import->arena, sizeof(*option));

	option->keyword = keyword;
	option->no = no;
	option->line = line;
	p->skipping = false;
	if (no && !keyword->negatable)
		refuse(p, line, "`no` before something that has no `no`");
	else if (!take_argument(p, option))
		refuse(p, line,
		    arena_printf(&p->import->arena, "%s without its argument",
			keyword->name));
	else if (keyword->scope != RC_GLOBAL && p->server == NULL)
		refuse(p, line, "an option before the first poll");
	else
		add_option(p, option);
}

static void
open_server(struct parser *p, size_t line, const char *name, bool skip)
{
	struct rc_server *server =
	    arena_new(&p->import->arena, sizeof(*server));

	server->line = line;
	server->name = name;
	server->skip = skip;
	server->options.end = &server->options.first;
	server->users_end = &server->users;
	*p->rc->servers_end = server;
	p->rc->servers_end = &server->next;
	p->server = server;
	p->user = NULL;
	p->skipping = false;
}

static void
parse_server(struct parser *p, const struct rc_word *verb)
{
	bool skip = strcmp(verb->text, "skip") == 0;
	size_t line = verb->line;
	const char *name = NULL;

	take(p);
	if (strcmp(verb->text, "defaults") != 0) {
		name = take_string(p, true);
		if (name == NULL) {
			refuse(p, line, "a server without its name");
			return;
		}
	}
	open_server(p, line, name, skip);
}

/* user NAME [there] | user NAMES here */
static void
parse_user(struct parser *p, size_t line)
{
	struct rc_option *option;

	take(p);
	p->skipping = false;
	option = arena_new(&p->import->arena, sizeof(*option));
	option->keyword = find_keyword("is");
	option->line = line;
	take_names(p, option);
	if (p->server == NULL || (option->words.n != 1 && !option->here)) {
		refuse(p, line,
		    "user without its name, with more than its "
		    "name, or before the first poll");
		return;
	}
	if (option->words.n == 1 && !option->here) {
		open_user(p, line, option->words.items[0]);
		return;
	}
	/* Local names; `is NAME there` must follow. */
	open_user(p, line, NULL);
	add_option(p, option);
}

static void
parse_set(struct parser *p, size_t line)
{
	const struct rc_keyword *keyword;
	const struct rc_word *word;
	bool no = false;

	take(p);
	if (is_word(peek(p, false), "no")) {
		take(p);
		no = true;
	}
	word = peek(p, false);
	keyword = word->kind == RC_WORD ? find_keyword(word->text) : NULL;
	if (keyword == NULL && word->kind == RC_WORD) {
		keyword = find_glued(word->text);
		no = no || keyword != NULL;
	}
	if (keyword == NULL || keyword->scope != RC_GLOBAL) {
		refuse(p, line, "a set line that is not known");
		return;
	}
	take(p);
	parse_option(p, keyword, no, line);
}

static void
parse_no(struct parser *p, size_t line)
{
	const struct rc_keyword *keyword;

	take(p);
	keyword = peek(p, false)->kind == RC_WORD
		      ? find_keyword(peek(p, false)->text)
		      : NULL;
	if (keyword == NULL) {
		refuse(p, line, "`no` before something that is not known");
		return;
	}
	take(p);
	parse_option(p, keyword, true, line);
}

static void
parse_keyword(struct parser *p, const struct rc_word *word)
{
	const struct rc_keyword *keyword = find_keyword(word->text);
	size_t line = word->line;
	bool no = false;

	if (keyword == NULL) {
		keyword = find_glued(word->text);
		no = keyword != NULL;
	}
	take(p);
	if (keyword != NULL)
		parse_option(p, keyword, no, line);
	else
		refuse(p, line,
		    "something that fetchmail's grammar does not "
		    "know (its text may be a password and is not "
		    "shown)");
}

static void
parse_statement(struct parser *p)
{
	struct rc_word word = *peek(p, false);

	if (is_word(&word, "poll") || is_word(&word, "server") ||
	    is_word(&word, "skip") || is_word(&word, "defaults"))
		parse_server(p, &word);
	else if (is_word(&word, "user") || is_word(&word, "username"))
		parse_user(p, word.line);
	else if (is_word(&word, "set"))
		parse_set(p, word.line);
	else if (is_word(&word, "no"))
		parse_no(p, word.line);
	else if (word.kind == RC_WORD && !word.literal)
		parse_keyword(p, &word);
	else {
		take(p);
		p->skipping = p->skipping && word.kind != RC_BROKEN;
		refuse(p, word.line,
		    word.kind == RC_BROKEN
			? "a quote without its end, or too long a word; "
			  "nothing after it is read"
			: "a value where a keyword should be");
	}
}

void
rc_parse(struct import *import, struct slice source, struct rc *rc)
{
	struct parser p = { .import = import,
		.rc = rc,
		.words = {
		    .arena = &import->arena, .rest = source, .line = 1 } };

	*rc = (struct rc){ .servers = NULL };
	rc->globals.end = &rc->globals.first;
	rc->servers_end = &rc->servers;
	rc->names_end = &rc->names;
	while (peek(&p, false)->kind != RC_END)
		parse_statement(&p);
}
