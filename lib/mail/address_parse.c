/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/address.h"

#include <string.h>

#include "mail/lexical.h"

/* A list is first cut into entries, then each entry is parsed as a whole.
 * Both go forward only, over nested comments too, so that no sequence of bytes
 * costs more than a few looks at each. */

enum { WORDS_MAX = 1024 }; /* what IDNA may still shorten to a domain */

struct words {
	uint8_t text[WORDS_MAX];
	size_t len;
};

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_QUOTED, TOKEN_CHAR };

/* address_make() or address_make_sender() */
typedef enum address_fault
address_maker(struct slice local, struct slice domain, struct address *out);

struct token {
	enum token_kind kind;
	struct slice text;
};

static bool
byte_is_separator(uint8_t c)
{
	return c == ',' || c == ';';
}

/* The offset after the quoted string, the comment or the one byte at `at`. */
static size_t
piece_end(struct slice s, size_t at)
{
	if (s.data[at] == '"')
		return lexical_quoted_end(s, at);
	if (s.data[at] == '(')
		return lexical_comment_end(s, at);
	return at + 1;
}

/* --- one entry --------------------------------------------------------- */

/* The next token after blanks and comments; false when a quoted string or a
 * comment does not end. */
static bool
next_token(struct slice *s, struct token *t)
{
	size_t at, end;

	for (at = lexical_skip_blanks(*s, 0); at < s->len && s->data[at] == '(';
	     at = lexical_skip_blanks(*s, end))
		if ((end = lexical_comment_end(*s, at)) == 0)
			return false;
	*s = slice_from(*s, at);
	t->kind = TOKEN_END;
	if (s->len == 0)
		return true;
	end = piece_end(*s, 0);
	t->kind = s->data[0] == '"' ? TOKEN_QUOTED : TOKEN_CHAR;
	if (byte_is_atext(s->data[0])) {
		t->kind = TOKEN_WORD;
		while (end < s->len && byte_is_atext(s->data[end]))
			end++;
	}
	t->text = slice_first(*s, end);
	*s = slice_from(*s, end);
	return end > 0;
}

static bool
add_word(struct words *w, const struct token *t)
{
	struct slice text = t->text;

	if (t->kind == TOKEN_QUOTED)
		text = slice_first(slice_from(text, 1), text.len - 2);
	for (size_t i = 0; i < text.len; i++) {
		if (t->kind == TOKEN_QUOTED && text.data[i] == '\\')
			i++;
		if (w->len == WORDS_MAX)
			return false;
		w->text[w->len++] = text.data[i];
	}
	return true;
}

/* Words with dots between them, up to the token that is neither, which is left
 * in *stop.  Dots in odd places are let through (mobile carriers handed out
 * such local parts); a domain does not get away with them. */
static enum address_fault
read_words(struct slice *s, bool quoted, struct words *w, struct token *stop)
{
	bool after_word = false;

	w->len = 0;
	for (;;) {
		bool dot, word;

		if (!next_token(s, stop))
			return ADDRESS_SYNTAX;
		dot = stop->kind == TOKEN_CHAR && stop->text.data[0] == '.';
		word = stop->kind == TOKEN_WORD ||
		       (quoted && stop->kind == TOKEN_QUOTED);
		if (!dot && !word)
			return ADDRESS_OK;
		if (word && after_word)
			return ADDRESS_SYNTAX;
		if (!add_word(w, stop))
			return ADDRESS_TOO_LONG;
		after_word = word;
	}
}

static bool
token_is(const struct token *t, uint8_t c)
{
	return t->kind == TOKEN_CHAR && t->text.data[0] == c;
}

/* Mail programs put 'a@b' for a@b.  No domain ends like this, so nothing else
 * can be meant. */
static void
strip_apostrophes(struct slice *local, struct slice *domain)
{
	if (local->len > 1 && domain->len > 1 && local->data[0] == '\'' &&
	    domain->data[domain->len - 1] == '\'') {
		*local = slice_from(*local, 1);
		domain->len--;
	}
}

static bool
byte_is_route(uint8_t c)
{
	return byte_is_alnum(c) || byte_is_space(c) || c >= 0x80 ||
	       (c != '\0' && strchr("@,.-_", c) != NULL);
}

/* addr-spec, with a source route before it (RFC 5321 appendix C: to be
 * ignored). */
static enum address_fault
parse_spec(struct slice s, address_maker *make, struct address *out)
{
	struct slice route, local_part, domain_part;
	struct words local, domain;
	struct token stop;
	enum address_fault fault;

	s = slice_trim(s);
	slice_cut_prefix_nocase(&s, SLICE("mailto:"));
	if (s.len == 0)
		return ADDRESS_EMPTY;
	if (s.data[0] == '@' && (!slice_cut_until(&s, ':', &route) ||
				    !slice_all(route, byte_is_route)))
		return ADDRESS_SYNTAX;
	fault = read_words(&s, true, &local, &stop);
	if (fault != ADDRESS_OK)
		return fault;
	if (!token_is(&stop, '@'))
		return ADDRESS_SYNTAX;
	fault = read_words(&s, false, &domain, &stop);
	if (fault != ADDRESS_OK)
		return fault;
	if (stop.kind != TOKEN_END)
		return token_is(&stop, '@') ? ADDRESS_UNSAFE : ADDRESS_SYNTAX;
	local_part = (struct slice){ local.text, local.len };
	domain_part = (struct slice){ domain.text, domain.len };
	strip_apostrophes(&local_part, &domain_part);
	return make(local_part, domain_part, out);
}

/* The offset of the first byte of `set` outside quoted strings and comments,
 * from `at` on; s.len when there is none.  False when one of these does not
 * end. */
static bool
find_outside(struct slice s, size_t at, const char *set, size_t *found)
{
	while (at < s.len) {
		size_t end = piece_end(s, at);

		if (s.data[at] != '\0' && strchr(set, s.data[at]) != NULL)
			break;
		if (end == 0)
			return false;
		at = end;
	}
	*found = at;
	return true;
}

/* What stands in angle brackets is the address, whatever the words around it
 * look like; but an "@" after them, or a second pair, could be another one. */
static enum address_fault
parse_angle(
    struct slice s, size_t open, address_maker *make, struct address *out)
{
	size_t start = open, close, next;

	while (start < s.len &&
	       (s.data[start] == '<' || byte_is_space(s.data[start])))
		start++;
	if (!find_outside(s, start, ">", &close) ||
	    !find_outside(s, close, "<@", &next) || next < s.len)
		return ADDRESS_SYNTAX;
	return parse_spec(
	    (struct slice){ s.data + start, close - start }, make, out);
}

static enum address_fault
parse_entry(struct slice s, address_maker *make, struct address *out)
{
	size_t open, at;

	if (slice_find(s, '\0') < s.len || !find_outside(s, 0, "<", &open))
		return ADDRESS_SYNTAX;
	if (open < s.len)
		return parse_angle(s, open, make, out);
	if (!find_outside(s, 0, "@", &at))
		return ADDRESS_SYNTAX;
	return at < s.len ? parse_spec(s, make, out) : ADDRESS_EMPTY;
}

/* --- a list ------------------------------------------------------------ */

/* Where the cutting of one entry has got to. */
struct cutter {
	struct slice s;
	size_t at;
	size_t start; /* of the entry, after a group's name */
	bool at_sign; /* outside brackets */
	enum { OUTSIDE, IN_ANGLE, IN_ROUTE } place;
};

static bool
next_is(const struct cutter *c, uint8_t byte)
{
	size_t next = lexical_skip_blanks(c->s, c->at + 1);

	return next < c->s.len && c->s.data[next] == byte;
}

static void
note_byte(struct cutter *c, uint8_t byte)
{
	if (byte == '<')
		c->place = next_is(c, '@') ? IN_ROUTE : IN_ANGLE;
	else if (byte == '>')
		c->place = OUTSIDE;
	else if (byte == ':' && c->place == IN_ROUTE)
		c->place = IN_ANGLE;
	else if (byte == ':' && c->place == OUTSIDE && !c->at_sign)
		c->start = c->at + 1;
	else if (byte == '@')
		c->at_sign = true;
}

/* RFC 3461's "rfc822;" holds a ";" that separates nothing, and a route holds
 * commas. */
static bool
ends_entry(const struct cutter *c, uint8_t byte)
{
	struct slice before = { c->s.data + c->start, c->at - c->start };

	if (!byte_is_separator(byte))
		return false;
	if (byte == ',')
		return c->place != IN_ROUTE || !next_is(c, '@');
	return !slice_equal_nocase(slice_trim(before), SLICE("rfc822"));
}

static struct slice
cut_entry(struct address_list *list)
{
	struct cutter c = { .s = list->rest };
	struct slice entry;

	while (c.at < c.s.len) {
		uint8_t byte = c.s.data[c.at];

		if (ends_entry(&c, byte))
			break;
		if (byte == ';')
			c.start = c.at + 1;
		note_byte(&c, byte);
		/* A quote without its partner spoils the entry that it stands
		 * in and no other. */
		c.at = lexical_piece_end(c.s, c.at, &list->unended);
	}
	entry = slice_first(slice_from(c.s, c.start), c.at - c.start);
	list->rest = slice_from(c.s, c.at + 1);
	return slice_trim(entry);
}

void
address_list_init(struct address_list *list, struct slice field)
{
	*list = (struct address_list){ .rest = field };
}

static bool
next_entry(struct address_list *list, struct slice *entry)
{
	entry->len = 0;
	while (entry->len == 0 && list->rest.len > 0)
		*entry = cut_entry(list);
	return entry->len > 0;
}

bool
address_list_next(struct address_list *list, struct address_entry *e)
{
	if (!next_entry(list, &e->text))
		return false;
	e->fault = parse_entry(e->text, address_make, &e->address);
	return true;
}

static enum address_fault
parse_single(struct slice s, address_maker *make, struct address *out)
{
	struct address_list list;
	struct slice entry, second;

	address_list_init(&list, s);
	if (!next_entry(&list, &entry))
		return ADDRESS_EMPTY;
	if (next_entry(&list, &second))
		return ADDRESS_SYNTAX;
	return parse_entry(entry, make, out);
}

enum address_fault
address_parse(struct slice s, struct address *out)
{
	return parse_single(s, address_make, out);
}

enum address_fault
address_parse_sender(struct slice s, struct address *out)
{
	struct slice path = slice_trim(s);

	if (path.len == 0 || slice_equal(path, SLICE("<>"))) {
		*out = (struct address){ .local = "" };
		return ADDRESS_OK;
	}
	return parse_single(path, address_make_sender, out);
}
