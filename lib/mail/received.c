/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/header.h"
#include "mail/lexical.h"

/* What the comment after the "from" word says, by server:
 *
 *   Postfix, Google, Courier   from HELO (NAME [IP]), HELO perhaps "[IP]"
 *   Sendmail                   from HELO (IDENT@NAME [IP] (may be forged))
 *   Exim                       from NAME ([IP] helo=HELO)
 *                              from [IP] (helo=HELO)
 *   Sendmail, Nemesis, Exim    from HELO ([IP])
 *   qmail                      from NAME (HELO HELO) (IDENT@IP)
 *   Microsoft, qmail           from HELO (IP)
 *   Dovecot's LMTP             from HELO
 *
 * A client is believed only where the server wrote a name of its own finding:
 * before "[IP]" in the parentheses, or outside them when the HELO word is
 * given as "helo=".  qmail's NAME is what the client's own DNS says, without
 * the check in the other direction; "may be forged" says that this check
 * failed.  From an empty client nobody concludes that it belongs to the
 * provider. */

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_COMMENT };

struct token {
	enum token_kind kind;
	struct slice text; /* without the parentheses */
};

/* The offset after the word that begins at `at`; what stands in angle brackets
 * may hold blanks in quotes. */
static size_t
word_end(struct slice s, size_t at)
{
	bool bracket = s.data[at] == '<';

	while (at < s.len) {
		size_t end = at + 1;

		if (bracket && s.data[at] == '>')
			return end;
		if (!bracket && (byte_is_space(s.data[at]) ||
				    s.data[at] == '(' || s.data[at] == ';'))
			break;
		if (bracket && s.data[at] == '"')
			end = lexical_quoted_end(s, at);
		if (end == 0)
			return s.len;
		at = end;
	}
	return at;
}

/* The next word or comment; the date after ";" is the end. */
static struct token
next_token(struct slice *s)
{
	struct token t = { .kind = TOKEN_END };
	size_t end;

	*s = slice_from(*s, lexical_skip_blanks(*s, 0));
	if (s->len == 0 || s->data[0] == ';')
		return t;
	if (s->data[0] == '(') {
		end = lexical_comment_end(*s, 0);
		if (end == 0)
			return t;
		t.kind = TOKEN_COMMENT;
		t.text = slice_first(slice_from(*s, 1), end - 2);
	} else {
		end = word_end(*s, 0);
		t.kind = TOKEN_WORD;
		t.text = slice_first(*s, end);
	}
	*s = slice_from(*s, end);
	return t;
}

/* "[1.2.3.4]", perhaps with ":port" after it. */
static bool
read_brackets(struct slice word, struct slice *inside)
{
	struct slice address;

	if (!slice_cut_prefix(&word, SLICE("[")) ||
	    !slice_cut_until(&word, ']', &address))
		return false;
	slice_cut_prefix(&word, SLICE(":"));
	if (!slice_all(word, byte_is_digit))
		return false;
	*inside = address;
	return true;
}

static bool
read_exim(struct slice words, struct received *r)
{
	struct slice word, name = r->helo;

	while (slice_cut_word(&words, &word)) {
		if (!slice_cut_prefix_nocase(&word, SLICE("helo=")))
			continue;
		r->helo = word;
		if (!read_brackets(name, &r->client_ip))
			r->client = name;
		return true;
	}
	return false;
}

/* `name` stands before the bracket, `rest` begins with it.  The ident part is
 * what the client says: with a second bracket it may have made up the first. */
static void
read_name(struct slice name, struct slice rest, struct received *r)
{
	size_t ident = slice_find_last(name, '@');
	struct slice word, ip;

	if (!slice_cut_word(&rest, &word) || !read_brackets(word, &ip) ||
	    slice_find(rest, '[') < rest.len)
		return;
	r->client_ip = ip;
	if (slice_search_nocase(rest, SLICE("forged")) < rest.len)
		return;
	r->client = ident < name.len ? slice_from(name, ident + 1) : name;
	if (slice_equal_nocase(r->client, SLICE("unknown")))
		r->client.len = 0;
}

static void
read_client(struct slice comment, struct received *r)
{
	struct slice rest = comment, word, ip;

	if (!slice_cut_word(&rest, &word))
		return;
	if (slice_equal_nocase(word, SLICE("HELO")) ||
	    slice_equal_nocase(word, SLICE("EHLO")))
		slice_cut_word(&rest, &r->helo);
	else if (read_brackets(word, &r->client_ip))
		read_exim(rest, r);
	else if (!read_brackets(r->helo, &ip) || !read_exim(comment, r))
		read_name(word, rest, r);
}

static struct slice
without_brackets(struct slice word)
{
	if (slice_cut_prefix(&word, SLICE("<")) && word.len > 0 &&
	    word.data[word.len - 1] == '>')
		word.len--;
	return word;
}

/* A keyword counts once, and its value is never taken for a keyword, whatever
 * a client called itself. */
static void
read_clauses(struct slice body, struct received *r)
{
	struct {
		struct slice keyword, *value;
	} clauses[] = {
		{ SLICE("by"), &r->by },
		{ SLICE("with"), &r->with },
		{ SLICE("for"), &r->recipient },
		{ SLICE("id"), &(struct slice){ NULL, 0 } },
		{ SLICE("via"), &(struct slice){ NULL, 0 } },
	};
	struct token t;

	while ((t = next_token(&body)).kind != TOKEN_END)
		for (size_t i = 0; i < sizeof(clauses) / sizeof(*clauses); i++)
			if (t.kind == TOKEN_WORD &&
			    clauses[i].value->len == 0 &&
			    slice_equal_nocase(t.text, clauses[i].keyword)) {
				t = next_token(&body);
				if (t.kind == TOKEN_WORD)
					*clauses[i].value = t.text;
				break;
			}
	r->recipient = without_brackets(r->recipient);
}

void
received_parse(struct slice body, struct received *r)
{
	struct slice rest = body;
	struct token t = next_token(&rest);

	*r = (struct received){ .helo = { NULL, 0 } };
	if (t.kind == TOKEN_WORD && slice_equal_nocase(t.text, SLICE("from"))) {
		t = next_token(&rest);
		if (t.kind == TOKEN_WORD)
			r->helo = t.text;
		body = rest;
		t = next_token(&rest);
		if (t.kind == TOKEN_COMMENT)
			read_client(t.text, r);
	}
	read_clauses(body, r);
}
