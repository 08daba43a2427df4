/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/imap_parse.h"

static void
skip_blanks(struct slice *s)
{
	while (slice_cut_prefix(s, SLICE(" ")))
		;
}

/* Blanks and parentheses end an atom, but not within its brackets. */
static size_t
atom_length(struct slice s)
{
	bool brackets = false;
	size_t i;

	for (i = 0; i < s.len; i++) {
		uint8_t c = s.data[i];

		if (c == '\r' || c == '\n' || c == '"')
			break;
		if (!brackets && (c == ' ' || c == '(' || c == ')'))
			break;
		if (c == '[')
			brackets = true;
		if (c == ']')
			brackets = false;
	}
	return i;
}

static bool
cut_atom(struct slice *s, struct imap_token *token)
{
	size_t len = atom_length(*s);

	if (len == 0)
		return false;
	token->kind = IMAP_ATOM;
	token->text = slice_first(*s, len);
	*s = slice_from(*s, len);
	if (slice_equal_nocase(token->text, SLICE("NIL")))
		token->kind = IMAP_NIL;
	return true;
}

static bool
cut_quoted(struct slice *s, struct imap_token *token)
{
	for (size_t i = 1; i < s->len && s->data[i] != '\n'; i++) {
		if (s->data[i] == '\\') {
			token->escaped = true;
			i++;
		} else if (s->data[i] == '"') {
			token->kind = IMAP_STRING;
			token->text = slice_first(slice_from(*s, 1), i - 1);
			*s = slice_from(*s, i + 1);
			return true;
		}
	}
	return false;
}

static bool
cut_literal(struct slice *s, struct imap_token *token)
{
	struct slice rest = *s;
	uint64_t size;

	slice_cut_prefix(&rest, SLICE("~"));
	if (!slice_cut_prefix(&rest, SLICE("{")) ||
	    !slice_cut_number(&rest, INT64_MAX, &size))
		return false;
	slice_cut_prefix(&rest, SLICE("+"));
	if (!slice_cut_prefix(&rest, SLICE("}\r\n")) || size > rest.len)
		return false;
	token->kind = IMAP_STRING;
	token->text = slice_first(rest, (size_t)size);
	*s = slice_from(rest, (size_t)size);
	return true;
}

bool
imap_cut_token(struct slice *s, struct imap_token *token)
{
	struct slice rest = *s;
	bool found;

	*token = (struct imap_token){ .kind = IMAP_ATOM };
	skip_blanks(&rest);
	if (slice_starts(rest, SLICE("(")) || slice_starts(rest, SLICE(")"))) {
		token->kind = rest.data[0] == '(' ? IMAP_OPEN : IMAP_CLOSE;
		token->text = slice_first(rest, 1);
		rest = slice_from(rest, 1);
		found = true;
	} else if (slice_starts(rest, SLICE("\""))) {
		found = cut_quoted(&rest, token);
	} else {
		found = cut_literal(&rest, token) || cut_atom(&rest, token);
	}
	if (found)
		*s = rest;
	return found;
}

bool
imap_skip_value(struct slice *s)
{
	struct slice rest = *s;
	struct imap_token token;
	unsigned depth = 0;

	do {
		if (!imap_cut_token(&rest, &token))
			return false;
		if (token.kind == IMAP_OPEN && ++depth > IMAP_DEPTH_MAX)
			return false;
		if (token.kind == IMAP_CLOSE && depth-- == 0)
			return false;
	} while (depth > 0);
	*s = rest;
	return true;
}

void
imap_add_text(struct buf *out, struct imap_token token)
{
	struct slice s = token.text;

	if (!token.escaped) {
		buf_add(out, s);
		return;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] == '\\' && i + 1 < s.len)
			i++;
		buf_add_byte(out, s.data[i]);
	}
}

enum imap_announcement
imap_cut_literal(struct slice *line, uint64_t *size)
{
	size_t brace = slice_find_last(*line, '{');
	struct slice digits = slice_from(*line, brace + 1);

	if (brace == line->len || line->data[line->len - 1] != '}')
		return IMAP_NO_LITERAL;
	if (!slice_cut_number(&digits, INT64_MAX, size))
		return IMAP_BAD_LITERAL;
	slice_cut_prefix(&digits, SLICE("+"));
	if (!slice_equal(digits, SLICE("}")))
		return IMAP_BAD_LITERAL;
	if (brace > 0 && line->data[brace - 1] == '~')
		brace--;
	*line = slice_first(*line, brace);
	return IMAP_LITERAL;
}

static const struct slice conditions[] = {
	[IMAP_OK] = SLICE("OK"),
	[IMAP_NO] = SLICE("NO"),
	[IMAP_BAD] = SLICE("BAD"),
	[IMAP_BYE] = SLICE("BYE"),
	[IMAP_PREAUTH] = SLICE("PREAUTH"),
};

bool
imap_read_status(struct slice s, struct imap_status *status)
{
	struct slice word, code;

	*status = (struct imap_status){ .condition = IMAP_OK };
	if (!slice_cut_word(&s, &word))
		return false;
	while (!slice_equal_nocase(word, conditions[status->condition])) {
		if (status->condition == IMAP_PREAUTH)
			return false;
		status->condition++;
	}
	status->words = slice_trim(s);
	s = status->words;
	if (slice_cut_prefix(&s, SLICE("[")) &&
	    slice_cut_until(&s, ']', &code)) {
		slice_cut_word(&code, &status->code);
		status->arguments = slice_trim(code);
	}
	return true;
}

bool
imap_open_fetch(struct slice *s, struct imap_fetch *fetch)
{
	struct imap_token token;

	*fetch = (struct imap_fetch){ .body = IMAP_NO_BODY };
	return imap_cut_token(s, &token) && token.kind == IMAP_OPEN;
}

static bool
read_number(struct slice *s, uint64_t max, uint64_t *value)
{
	struct imap_token token;

	return imap_cut_token(s, &token) && token.kind == IMAP_ATOM &&
	       slice_cut_number(&token.text, max, value) && token.text.len == 0;
}

static bool
read_uid(struct slice *s, struct imap_fetch *fetch)
{
	uint64_t uid;

	if (!read_number(s, UINT32_MAX, &uid) || uid == 0 ||
	    (fetch->uid != 0 && fetch->uid != uid))
		return false;
	fetch->uid = (uint32_t)uid;
	return true;
}

static bool
read_body(struct slice *s, struct imap_fetch *fetch)
{
	struct imap_token token;

	if (fetch->body != IMAP_NO_BODY)
		return false;
	skip_blanks(s);
	if (s->len == 0) {
		fetch->body = IMAP_BODY_NEXT;
		return true;
	}
	if (!imap_cut_token(s, &token) ||
	    (token.kind != IMAP_STRING && token.kind != IMAP_NIL))
		return false;
	fetch->body = token.kind == IMAP_NIL || token.text.len == 0
			  ? IMAP_EMPTY_BODY
			  : IMAP_STRING_BODY;
	return true;
}

static bool
read_item(struct slice *s, struct slice name, struct imap_fetch *fetch)
{
	if (slice_equal_nocase(name, SLICE("UID")))
		return read_uid(s, fetch);
	if (slice_equal_nocase(name, SLICE("BODY[]")))
		return read_body(s, fetch);
	if (!slice_equal_nocase(name, SLICE("RFC822.SIZE")))
		return imap_skip_value(s);
	fetch->sized = true;
	return read_number(s, INT64_MAX, &fetch->size);
}

bool
imap_read_fetch(struct slice *s, struct imap_fetch *fetch)
{
	struct imap_token token;

	while (imap_cut_token(s, &token)) {
		if (token.kind == IMAP_CLOSE)
			return slice_trim(*s).len == 0;
		if (token.kind != IMAP_ATOM || !read_item(s, token.text, fetch))
			return false;
		if (fetch->body == IMAP_BODY_NEXT && s->len == 0)
			return true;
	}
	return false;
}
