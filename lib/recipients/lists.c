/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/lists.h"

#include <string.h>

#include "mail/lexical.h"
#include "recipients/explain.h"

enum { KEY_SIZE = ADDRESS_TEXT_SIZE };

struct finder {
	struct search *s;
	void (*take)(struct search *, const struct mailing_list *);
	const struct mailing_list *found[LISTS_MAX];
	size_t n;
};

static void
take(struct finder *f, const char *key, const struct header_field *field)
{
	const struct mailing_list *list = config_list(f->s->config, key);

	for (size_t i = 0; i < f->n; i++)
		if (f->found[i] == list)
			return;
	if (list == NULL || f->s->out->overflow)
		return;
	if (f->n == LISTS_MAX) {
		f->s->out->overflow = true;
		return;
	}
	f->found[f->n++] = list;
	explain_add(f->s->out,
	    (struct explain_point){ "field", field->name, "taken" }, "%.*s",
	    SLICE_ARG(slice_first(slice_trim(field->body), 256)));
	explain_add(f->s->out,
	    (struct explain_point){ "list", slice_of(key), "mapped" },
	    "one of lists, which says whom it is for");
	f->take(f->s, list);
}

/* What stands in angle brackets, outside of phrases in quotes and of comments,
 * one after the other. */
struct brackets {
	struct slice rest;
	struct lexical_unended unended;
};

static bool
next_bracketed(struct brackets *b, struct slice *inside)
{
	size_t at = 0;

	while (at < b->rest.len && b->rest.data[at] != '<')
		at = lexical_piece_end(b->rest, at, &b->unended);
	b->rest = slice_from(b->rest, at + 1);
	return slice_cut_until(&b->rest, '>', inside);
}

/* In lower case, without what folding may have put inside. */
static bool
make_key(struct slice id, char out[static KEY_SIZE])
{
	size_t len = 0;

	for (size_t i = 0; i < id.len; i++) {
		if (byte_is_space(id.data[i]))
			continue;
		if (!byte_is_graphic(id.data[i]) || len == KEY_SIZE - 1)
			return false;
		out[len++] = (char)byte_lower(id.data[i]);
	}
	out[len] = '\0';
	return len > 0;
}

/* `"Announcements" <announce.lists.example.com>`, or the bare identifier, as
 * some servers write it.  The phrase may hold more brackets: Mailman let lists
 * describe themselves in HTML. */
static bool
read_list_id(struct slice body, char out[static KEY_SIZE])
{
	struct brackets brackets = { .rest = body };
	struct slice rest = body, word, id = { .len = 0 };

	while (next_bracketed(&brackets, &word))
		id = word;
	if (id.data != NULL)
		return make_key(id, out);
	return slice_cut_word(&rest, &word) && slice_trim(rest).len == 0 &&
	       make_key(word, out);
}

/* RFC 2919 3: there is one, and a server replaces what another one wrote.  Where
 * two differ, somebody broke that rule, and it may be the author. */
static void
find_by_id(struct finder *f)
{
	char first[KEY_SIZE] = "", key[KEY_SIZE];
	struct candidates *out = f->s->out;
	struct header_field field, last;
	struct header all;

	header_init(&all, f->s->header);
	while (header_next(&all, &field)) {
		if (!header_is(&field, "List-Id") ||
		    !read_list_id(field.body, key))
			continue;
		if (first[0] != '\0' &&
		    !slice_equal(slice_of(first), slice_of(key))) {
			explain_add(out,
			    (struct explain_point){
				"list", slice_of(key), "forged" },
			    "a second List-Id beside %s: neither is believed",
			    first);
			explain_warn(out,
			    "it says that it is from two lists, %s and %s: "
			    "neither is believed",
			    first, key);
			return;
		}
		memcpy(first, key, sizeof(first));
		last = field;
	}
	if (first[0] == '\0')
		return;
	take(f, first, &last);
	if (f->n == 0)
		explain_add(out,
		    (struct explain_point){
			"list", slice_of(first), "unknown" },
		    "no entry of lists has this List-Id");
}

static void
take_address(struct finder *f, const struct address *address,
    const struct header_field *field)
{
	char key[KEY_SIZE];

	take(f, address_key(address, key), field);
}

/* RFC 2369 3: URLs in angle brackets, or NO. */
static void
find_in_post(struct finder *f, const struct header_field *field)
{
	struct brackets brackets = { .rest = field->body };
	struct slice url, path;
	struct address address;

	while (next_bracketed(&brackets, &url)) {
		url = slice_trim(url);
		if (!slice_cut_prefix_nocase(&url, SLICE("mailto:")))
			continue;
		if (slice_cut_until(&url, '?', &path))
			url = path;
		if (address_parse(url, &address) == ADDRESS_OK)
			take_address(f, &address, field);
	}
}

static void
find_in_addresses(struct finder *f, const struct header_field *field)
{
	struct address_list list;
	struct address_entry e;

	address_list_init(&list, field->body);
	while (address_list_next(&list, &e))
		if (e.fault == ADDRESS_OK)
			take_address(f, &e.address, field);
}

static void
find_in(struct finder *f, const char *name,
    void (*find)(struct finder *, const struct header_field *))
{
	struct header_field field;
	struct header all;

	header_init(&all, f->s->header);
	while (header_next(&all, &field))
		if (header_is(&field, name))
			find(f, &field);
}

bool
lists_search(struct search *s,
    void (*take_list)(struct search *, const struct mailing_list *))
{
	struct finder f = { .s = s, .take = take_list };

	/* To and Cc may name many, who need not be looked at. */
	if (s->config->n_lists == 0)
		return false;
	find_by_id(&f);
	if (f.n == 0)
		find_in(&f, "List-Post", find_in_post);
	if (f.n > 0)
		return true;
	find_in(&f, "To", find_in_addresses);
	find_in(&f, "Cc", find_in_addresses);
	return false;
}
