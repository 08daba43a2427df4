/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/tiers.h"

#include <string.h>

#include "base/mem.h"
#include "config/providers.h"
#include "mail/encoded_text.h"
#include "recipients/explain.h"
#include "recipients/lists.h"
#include "recipients/subject.h"

enum {
	/* What names nobody is kept for the explanation only. */
	NOBODIES_MAX = 100,
	ROOM_MIN = 8,
	SUBJECT_SHOWN_MAX = 256,
};

/* --- one candidate ----------------------------------------------------- */

static const struct {
	const char *result, *text;
} kinds[] = {
	[CANDIDATE_USABLE] = { "usable", "in an accepted domain" },
	[CANDIDATE_FOREIGN] = { "foreign", "in no accepted domain" },
	[CANDIDATE_OWN] = { "own", "the mailbox itself, which names nobody" },
	[CANDIDATE_INVALID] = { "invalid", "cannot be used" },
};

static enum candidate_kind
classify(const struct search *s, const struct address *a)
{
	for (size_t i = 0; i < s->account->n_addresses; i++)
		if (address_equal(a, &s->account->addresses[i]))
			return CANDIDATE_OWN;
	return config_domain(s->config, a->domain) != NULL ? CANDIDATE_USABLE
							   : CANDIDATE_FOREIGN;
}

static void
keep(struct search *s, const struct candidate *c)
{
	struct candidates *out = s->out;

	if (out->n == s->room) {
		s->room = s->room == 0 ? ROOM_MIN : 2 * s->room;
		out->all = mem_resize(out->all, s->room, sizeof(*out->all));
	}
	out->all[out->n++] = *c;
}

/* `text` is how the message has it. */
static void
add_candidate(struct search *s, struct candidate c, struct slice text)
{
	bool names = c.fault == ADDRESS_OK;

	c.kind = CANDIDATE_INVALID;
	if (c.fault == ADDRESS_OK) {
		c.kind = classify(s, &c.address);
		names = c.kind != CANDIDATE_OWN;
	}
	if (s->out->overflow || (c.kind != CANDIDATE_INVALID &&
				    !address_set_add(&s->known, &c.address)))
		return;
	if (names ? s->n_named == TICKET_CANDIDATES_MAX
		  : s->out->n - s->n_named == NOBODIES_MAX) {
		s->out->overflow = names;
		return;
	}
	s->n_named += names;
	c.text = explain_printable(text);
	keep(s, &c);
	explain_add(s->out,
	    (struct explain_point){ "candidate", text, kinds[c.kind].result },
	    "%s%s%s", kinds[c.kind].text, c.fault == ADDRESS_OK ? "" : ": ",
	    c.fault == ADDRESS_OK ? "" : address_fault_text(c.fault));
}

/* --- the fields of the envelope ---------------------------------------- */

/* Where the fields of one name stand. */
struct occurrences {
	size_t trusted, below;
	struct header_field last;
};

static bool
is_below(const struct search *s, const struct header_field *f)
{
	return f->whole.data >= s->zone.trusted.data + s->zone.trusted.len;
}

static struct occurrences
count_fields(const struct search *s, const char *name)
{
	struct occurrences found = { .trusted = 0 };
	struct header_field f;
	struct header h;

	header_init(&h, s->header);
	while (header_next(&h, &f)) {
		if (!header_is(&f, name))
			continue;
		found.last = f;
		if (is_below(s, &f))
			found.below++;
		else
			found.trusted++;
	}
	return found;
}

/* Takes off what the provider put around the local part. */
static void
strip(const struct recipient_settings *settings, struct address_entry *e)
{
	struct slice suffix = slice_of(settings->strip_suffix);
	struct slice local = slice_of(e->address.local);
	struct address stripped;

	if (e->fault != ADDRESS_OK)
		return;
	slice_cut_prefix_nocase(&local, slice_of(settings->strip_prefix));
	if (slice_ends_nocase(local, suffix))
		local.len -= suffix.len;
	if (local.len == strlen(e->address.local))
		return;
	e->fault = address_make(local, slice_of(e->address.domain), &stripped);
	e->address = stripped;
}

static struct slice
envelope_value(const struct header_field *f, const char *name)
{
	const char *end = providers_end_of_address(name);

	if (end == NULL)
		return f->body;
	return slice_first(
	    f->body, slice_search_nocase(f->body, slice_of(end)));
}

static bool
next_envelope_entry(
    const struct search *s, struct address_list *list, struct address_entry *e)
{
	if (!address_list_next(list, e))
		return false;
	strip(&s->account->recipients, e);
	return true;
}

static void
add_entry(struct search *s, const struct address_entry *e)
{
	add_candidate(s,
	    (struct candidate){ .fault = e->fault, .address = e->address },
	    e->text);
}

static void
explain_strip(struct search *s, const struct address_entry *e)
{
	struct address_entry stripped = *e;
	char text[ADDRESS_TEXT_SIZE];

	strip(&s->account->recipients, &stripped);
	if (stripped.fault == ADDRESS_OK &&
	    !address_equal(&stripped.address, &e->address))
		explain_add(s->out,
		    (struct explain_point){ "strip", e->text, "stripped" },
		    "%s, by strip_prefix and strip_suffix",
		    address_write(&stripped.address, text));
}

static void
take_envelope_field(
    struct search *s, const struct header_field *f, const char *name)
{
	struct address_list list;
	struct address_entry e;

	explain_add(s->out, (struct explain_point){ "field", f->name, "taken" },
	    "%.*s", SLICE_ARG(slice_first(slice_trim(f->body), 256)));
	address_list_init(&list, envelope_value(f, name));
	while (address_list_next(&list, &e)) {
		explain_strip(s, &e);
		strip(&s->account->recipients, &e);
		add_entry(s, &e);
	}
}

static bool
is_wanted(int occurrence, size_t number, size_t count)
{
	if (occurrence == OCCURRENCE_ALL)
		return true;
	if (occurrence == OCCURRENCE_LAST)
		return number == count;
	return number == (size_t)occurrence;
}

static void
search_top(struct search *s, const char *name)
{
	struct occurrences found = count_fields(s, name);
	size_t number = 0;
	struct header_field f;
	struct header h;

	if (found.below > 0)
		explain_add(s->out,
		    (struct explain_point){
			"field", slice_of(name), "untrusted" },
		    "stands %swhere the sender could have written it",
		    found.trusted == 0 ? "only " : "once more ");
	header_init(&h, s->zone.trusted);
	while (number < found.trusted && header_next(&h, &f))
		if (header_is(&f, name) &&
		    is_wanted(s->account->recipients.occurrence, ++number,
			found.trusted))
			take_envelope_field(s, &f, name);
}

/* The provider appended the field below everything that came in.  A second one
 * below the boundary, or another address than the boundary took, means that
 * the sender wrote it. */
static bool
is_credible(
    const struct search *s, const struct occurrences *found, const char *name)
{
	struct slice recipient = s->zone.boundary.recipient;
	struct address_list list;
	struct address_entry e;
	struct address expected;

	if (found->below > 1)
		return false;
	if (recipient.len == 0 ||
	    address_parse(recipient, &expected) != ADDRESS_OK)
		return true;
	address_list_init(&list, envelope_value(&found->last, name));
	while (next_envelope_entry(s, &list, &e))
		if (e.fault != ADDRESS_OK ||
		    !address_equal(&e.address, &expected))
			return false;
	return true;
}

/* False when the field was refused: then the tier is over, since what other
 * names hold is no better. */
static bool
search_bottom(struct search *s, const char *name)
{
	struct occurrences found = count_fields(s, name);

	if (found.trusted + found.below == 0)
		return true;
	if (is_credible(s, &found, name)) {
		take_envelope_field(s, &found.last, name);
		return true;
	}
	explain_add(s->out,
	    (struct explain_point){ "field", found.last.name, "forged" },
	    "%zu of them below the boundary, whose \"for\" is \"%.*s\"",
	    found.below,
	    SLICE_ARG(slice_first(s->zone.boundary.recipient, 256)));
	explain_warn(s->out,
	    "the %s field at the bottom does not fit the provider's Received "
	    "line, it may be forged: not used",
	    name);
	return false;
}

static void
search_envelope(struct search *s)
{
	const struct recipient_settings *settings = &s->account->recipients;
	const char *const *name = settings->envelope_headers;

	if (name == NULL)
		name = providers_envelope_headers();
	for (; *name != NULL && s->n_named == 0; name++) {
		if (!settings->position_bottom)
			search_top(s, *name);
		else if (!search_bottom(s, *name))
			return;
	}
}

/* --- the boundary's "for" ---------------------------------------------- */

static void
search_received(struct search *s)
{
	struct slice recipient = s->zone.boundary.recipient;
	struct candidate c = { .text = NULL };

	explain_add(s->out,
	    (struct explain_point){ "field", SLICE("Received"),
		recipient.len > 0 ? "taken" : "empty" },
	    "%s",
	    recipient.len > 0 ? "its \"for\" names the recipient"
			      : "no \"for\" in the boundary line");
	if (recipient.len == 0)
		return;
	c.fault = address_parse(recipient, &c.address);
	add_candidate(s, c, recipient);
}

/* --- To, Cc, Bcc ------------------------------------------------------- */

static void
take_header_field(struct search *s, const struct header_field *f)
{
	struct address_list list;
	struct address_entry e;

	explain_add(s->out, (struct explain_point){ "field", f->name, "taken" },
	    "%.*s", SLICE_ARG(slice_first(slice_trim(f->body), 256)));
	address_list_init(&list, f->body);
	while (!s->out->overflow && address_list_next(&list, &e))
		add_entry(s, &e);
}

static void
add_word(void *search, struct slice word)
{
	struct candidate c = { .text = NULL };

	c.fault = address_parse(word, &c.address);
	add_candidate(search, c, word);
}

static void
take_subject(struct search *s, const struct header_field *f)
{
	struct buf text;

	buf_init(&text, SUBJECT_SHOWN_MAX);
	encoded_text_read(f->body, &text);
	explain_add(s->out, (struct explain_point){ "field", f->name, "taken" },
	    "addresses in parentheses; %s", buf_string(&text));
	buf_clear(&text);
	subject_words(f->body, add_word, s);
}

static bool
is_one_of(const struct header_field *f, const char *const *names)
{
	for (; *names != NULL; names++)
		if (header_is(f, *names))
			return true;
	return false;
}

/* Each resending puts its block of fields on top (RFC 5322 3.6.6): the first
 * is the newest. */
static void
search_resent(struct search *s)
{
	static const char *const names[] = { "Resent-To", "Resent-Cc",
		"Resent-Bcc", NULL };
	bool inside = false;
	struct header_field f;
	struct header h;

	header_init(&h, s->header);
	while (header_next(&h, &f)) {
		if (is_one_of(&f, names)) {
			inside = true;
			take_header_field(s, &f);
		} else if (inside &&
			   !slice_starts_nocase(f.name, SLICE("Resent-"))) {
			return;
		}
	}
}

static bool
names_ours(const struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].kind == CANDIDATE_USABLE)
			return true;
	return false;
}

static void
take_list(struct search *s, const struct mailing_list *list)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < list->n_to; i++)
		add_candidate(s, (struct candidate){ .address = list->to[i] },
		    slice_of(address_write(&list->to[i], text)));
}

static void
search_fields(struct search *s)
{
	struct header_field f;
	struct header h;

	header_init(&h, s->header);
	while (header_next(&h, &f)) {
		if (!is_one_of(&f, s->account->recipients.headers))
			continue;
		if (header_is(&f, "Subject"))
			take_subject(s, &f);
		else
			take_header_field(s, &f);
	}
}

/* Whoever resends a list's mail to one of ours means him, not its people; a
 * list's own Resent-To names the list. */
static void
search_headers(struct search *s)
{
	bool resent;

	search_resent(s);
	resent = s->n_named > 0;
	if (names_ours(s->out) || lists_search(s, take_list) || resent ||
	    s->account->recipients.headers == NULL)
		return;
	search_fields(s);
}

bool
tier_search(struct search *s, enum tier tier)
{
	static void (*const searches[])(struct search *) = {
		[TIER_ENVELOPE] = search_envelope,
		[TIER_RECEIVED] = search_received,
		[TIER_HEADERS] = search_headers,
	};

	searches[tier](s);
	explain_add(s->out,
	    (struct explain_point){ "tier", slice_of(tier_name(tier)),
		s->n_named > 0 ? "decides" : "nobody" },
	    "recipients named: %zu", s->n_named);
	return s->n_named > 0;
}
