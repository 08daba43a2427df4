/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/survey.h"

#include <stdio.h>
#include <string.h>

#include "config/providers.h"
#include "config/recipients_yaml.h"
#include "recipients/zone.h"

enum { SURE = 3, LABELS_MAX = 3 };

struct reading {
	const struct slice *headers;
	struct zone zones[SURVEY_MESSAGES];
	size_t n;
};

/* --- people ------------------------------------------------------------ */

static void
add_person(struct survey_people *people, const struct address *address)
{
	for (unsigned i = 0; i < people->n; i++)
		if (address_equal(&people->all[i], address))
			return;
	if (people->n < SURVEY_PEOPLE)
		people->all[people->n++] = *address;
	else
		people->more = true;
}

static void
add_people(struct survey_people *people, const char *name, struct slice value)
{
	const char *end = providers_end_of_address(name);
	struct address_list list;
	struct address_entry e;

	if (end != NULL)
		value = slice_first(
		    value, slice_search_nocase(value, slice_of(end)));
	address_list_init(&list, value);
	while (!people->more && address_list_next(&list, &e))
		if (e.fault == ADDRESS_OK)
			add_person(people, &e.address);
}

static bool
is_only(const struct survey_people *people, const struct address *own)
{
	return people->n == 0 || (people->n == 1 && own != NULL &&
				     address_equal(&people->all[0], own));
}

/* --- whose servers these are ------------------------------------------- */

/* Below these, names belong to different people. */
static bool
is_shared_label(struct slice label)
{
	static const char *const shared[] = { "ac", "co", "com", "edu", "gov",
		"ne", "net", "or", "org" };

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++)
		if (slice_equal(label, slice_of(shared[i])))
			return true;
	return false;
}

/* "isp.example" of "mx1.isp.example", "isp.co.uk" of "mx.isp.co.uk"; false for
 * a name that cannot belong to anybody, such as localhost. */
static bool
find_owner(const char *host, struct slice *owner)
{
	struct slice rest = slice_of(host), labels[LABELS_MAX];
	size_t n = 0, dot, wanted = 2;

	while (n < LABELS_MAX && rest.len > 0) {
		dot = slice_find_last(rest, '.');
		labels[n++] = slice_from(rest, dot < rest.len ? dot + 1 : 0);
		rest = slice_first(rest, dot < rest.len ? dot : 0);
	}
	if (n < 2 || byte_is_digit(labels[0].data[0]))
		return false;
	if (labels[0].len == 2 && is_shared_label(labels[1]))
		wanted = 3;
	if (n < wanted)
		return false;
	*owner = slice_from(slice_of(host),
	    (size_t)(labels[wanted - 1].data - slice_of(host).data));
	return true;
}

/* The name of the server that wrote the topmost field which tells one: what
 * stands above may be "localhost" or an address. */
static bool
find_top(struct slice header, char out[static DOMAIN_SIZE])
{
	struct header_field f;
	struct received r;
	struct slice owner;
	struct header h;

	header_init(&h, header);
	while (header_next(&h, &f)) {
		if (!header_is(&f, "Received"))
			continue;
		received_parse(f.body, &r);
		if (domain_normalise(r.by, out) && find_owner(out, &owner))
			return true;
	}
	return false;
}

static void
count_top(struct survey *s, const char *name)
{
	for (unsigned i = 0; i < s->n_tops; i++)
		if (strcmp(s->tops[i].name, name) == 0) {
			s->tops[i].messages++;
			return;
		}
	if (s->n_tops == SURVEY_HOSTS)
		return;
	snprintf(s->tops[s->n_tops].name, DOMAIN_SIZE, "%s", name);
	s->tops[s->n_tops++].messages = 1;
}

static void
add_trusted(struct survey *s, const char *dot, struct slice name)
{
	char text[DOMAIN_SIZE + 1];

	snprintf(text, sizeof(text), "%s%.*s", dot, SLICE_ARG(name));
	for (unsigned i = 0; i < s->n_trusted; i++)
		if (strcmp(s->trusted[i], text) == 0)
			return;
	if (s->n_trusted < SURVEY_HOSTS)
		memcpy(s->trusted[s->n_trusted++], text, sizeof(text));
}

/* A server that wrote once among many was somebody else's. */
static void
choose_trusted(struct survey *s)
{
	struct slice owner, other;

	for (unsigned i = 0; i < s->n_tops; i++) {
		unsigned together = 0;

		if (!find_owner(s->tops[i].name, &owner))
			continue;
		for (unsigned j = 0; j < s->n_tops; j++)
			if (find_owner(s->tops[j].name, &other) &&
			    slice_equal(owner, other))
				together += s->tops[j].messages;
		if (2 * together >= s->messages)
			add_trusted(s,
			    owner.len == strlen(s->tops[i].name) ? "" : ".",
			    owner);
	}
}

static void
find_servers(const struct reading *r, struct survey *s)
{
	char name[DOMAIN_SIZE];

	for (size_t i = 0; i < r->n; i++)
		if (find_top(r->headers[i], name))
			count_top(s, name);
	choose_trusted(s);
}

/* In how many messages these servers took it in. */
static unsigned
count_bounded(const struct reading *r, const char *const *hosts)
{
	struct recipient_settings settings = { .trusted_hosts = hosts };
	unsigned n = 0;
	struct zone zone;

	for (size_t i = 0; i < r->n; i++) {
		zone_find(&settings, r->headers[i], &zone);
		n += zone.kind == ZONE_BOUNDARY;
	}
	return n;
}

static bool
are_below(const char *const *hosts, const char *pattern)
{
	for (; *hosts != NULL; hosts++)
		if (!domain_matches(
			pattern, *hosts + ((*hosts)[0] == '.' ? 1 : 0)))
			return false;
	return true;
}

/* The known provider that explains as much as all servers of this domain do;
 * NULL: none is known. */
static const char *const *
find_known(const struct reading *r, const char *pattern)
{
	unsigned bounded =
	    count_bounded(r, (const char *const[]){ pattern, NULL });

	for (const struct schema_word *w = provider_words; w->word != NULL;
	     w++) {
		const char *const *hosts =
		    w->provider->recipients.trusted_hosts;

		if (hosts == NULL || !are_below(hosts, pattern))
			continue;
		if (bounded > 0 && count_bounded(r, hosts) >= bounded)
			return hosts;
	}
	return NULL;
}

/* Other servers of a provider may be those through which its customers send:
 * where it is known which ones take mail in, only these are trusted. */
static void
narrow_trusted(const struct reading *r, struct survey *s)
{
	struct survey wide = *s;

	s->n_trusted = 0;
	for (unsigned i = 0; i < wide.n_trusted; i++) {
		const char *const *known = find_known(r, wide.trusted[i]);

		if (known == NULL)
			add_trusted(s, "", slice_of(wide.trusted[i]));
		else
			for (; *known != NULL; known++)
				add_trusted(s, "", slice_of(*known));
	}
}

static void
find_zones(struct reading *r, struct survey *s)
{
	const char *hosts[SURVEY_HOSTS + 1] = { NULL };
	struct recipient_settings settings = { .trusted_hosts = hosts };
	struct address address;

	for (unsigned i = 0; i < s->n_trusted; i++)
		hosts[i] = s->trusted[i];
	for (size_t i = 0; i < r->n; i++) {
		struct zone *zone = &r->zones[i];

		zone_find(&settings, r->headers[i], zone);
		s->bounded += zone->kind == ZONE_BOUNDARY;
		if (address_parse(zone->boundary.recipient, &address) !=
		    ADDRESS_OK)
			continue;
		s->with_for++;
		add_person(&s->for_people, &address);
	}
}

/* --- the fields of the envelope ---------------------------------------- */

/* Whether the one field below is what the provider's own line says. */
static bool
agrees(const struct zone *zone, const char *name, struct slice value)
{
	struct survey_people people = { .n = 0 };
	struct address expected;

	add_people(&people, name, value);
	if (address_parse(zone->boundary.recipient, &expected) != ADDRESS_OK)
		return people.n > 0;
	return is_only(&people, &expected) && people.n == 1;
}

/* Side by side they are several recipients; what stands between them was put
 * on top when the message was forwarded. */
static void
count_repeated(struct survey_field *field, const struct header_field *above,
    const struct header_field *below)
{
	if (above->whole.data + above->whole.len == below->whole.data)
		field->beside++;
	else
		field->apart++;
}

static void
look_for_field(const struct reading *r, size_t i, struct survey_field *field)
{
	const struct zone *zone = &r->zones[i];
	unsigned above = 0, below = 0;
	struct header_field f, last;
	struct header h;

	header_init(&h, r->headers[i]);
	while (header_next(&h, &f)) {
		if (!header_is(&f, field->name))
			continue;
		if (f.whole.data < zone->trusted.data + zone->trusted.len) {
			if (above++ > 0)
				count_repeated(field, &last, &f);
			add_people(&field->above_people, field->name, f.body);
		} else {
			below++;
		}
		last = f;
	}
	field->above += above > 0;
	field->below += above == 0 && below > 0;
	if (above > 0 || below != 1 || !agrees(zone, field->name, last.body))
		return;
	field->bottom++;
	add_people(&field->bottom_people, field->name, last.body);
}

static void
find_fields(const struct reading *r, struct survey *s)
{
	const char *const *name = providers_envelope_headers();

	for (; *name != NULL && s->n_fields < SURVEY_FIELDS; name++) {
		struct survey_field field = { .name = *name };

		for (size_t i = 0; i < r->n; i++)
			look_for_field(r, i, &field);
		if (field.above + field.below > 0)
			s->fields[s->n_fields++] = field;
	}
}

/* --- the suggestion ---------------------------------------------------- */

/* What stands in most messages; of these, what tells most people apart. */
static bool
is_better(unsigned messages, const struct survey_people *people,
    unsigned than_messages, const struct survey_people *than)
{
	if (than == NULL || messages != than_messages)
		return than == NULL || messages > than_messages;
	return people->n > than->n;
}

static void
choose_above(struct survey *s, const struct address *own)
{
	for (unsigned i = 0; i < s->n_fields; i++) {
		const struct survey_field *f = &s->fields[i];

		if (f->above > 0 && !is_only(&f->above_people, own) &&
		    is_better(f->above, &f->above_people,
			s->best == NULL ? 0 : s->best->above, s->people)) {
			s->best = f;
			s->people = &f->above_people;
		}
	}
}

/* A few such fields may be forged ones, so it must be most messages. */
static void
choose_bottom(struct survey *s, const struct address *own)
{
	for (unsigned i = 0; i < s->n_fields && s->best == NULL; i++) {
		const struct survey_field *f = &s->fields[i];

		if (2 * f->bottom <= s->messages || f->above > 0 ||
		    is_only(&f->bottom_people, own))
			continue;
		s->best = f;
		s->people = &f->bottom_people;
		s->bottom = true;
	}
}

static size_t
common_length(const struct survey_people *people)
{
	size_t len = strlen(people->all[0].local);

	for (unsigned i = 1; i < people->n; i++)
		for (size_t j = 0; j < len; j++)
			if (people->all[i].local[j] != people->all[0].local[j])
				len = j;
	return len;
}

/* qmail puts the mailbox before the address: mbox-user-anna@example.org. */
static void
find_prefix(struct survey *s)
{
	const char *first = s->people->all[0].local;
	size_t len;

	if (s->people->n < 2)
		return;
	for (len = common_length(s->people); len > 0; len--)
		if (first[len - 1] == '-')
			break;
	if (slice_all(slice_first(slice_of(first), len), byte_is_graphic))
		snprintf(s->strip_prefix, sizeof(s->strip_prefix), "%.*s",
		    (int)len, first);
}

static void
conclude(struct survey *s, const struct address *own)
{
	choose_above(s, own);
	if (s->best == NULL)
		choose_bottom(s, own);
	if (s->best == NULL && !is_only(&s->for_people, own))
		s->people = &s->for_people;
	if (s->best != NULL)
		find_prefix(s);
	if (s->people != NULL && s->people->n == 1 && s->messages >= SURE)
		s->mailbox = MAILBOX_SINGLE;
}

void
survey_run(const struct slice *headers, size_t n, const struct address *own,
    struct survey *s)
{
	struct reading r = { .headers = headers, .n = n };

	*s = (struct survey){ .messages = (unsigned)n };
	find_servers(&r, s);
	narrow_trusted(&r, s);
	find_zones(&r, s);
	find_fields(&r, s);
	conclude(s, own);
}

static int
occurrence_of(const struct survey_field *field)
{
	if (field == NULL || (field->beside > 0) == (field->apart > 0))
		return 1;
	return field->beside > 0 ? OCCURRENCE_ALL : OCCURRENCE_LAST;
}

void
survey_settings(const struct survey *s, const char *fields[static 2],
    const char *hosts[static SURVEY_HOSTS + 1], struct recipient_settings *out)
{
	fields[0] = s->best == NULL ? NULL : s->best->name;
	fields[1] = NULL;
	for (unsigned i = 0; i < s->n_trusted; i++)
		hosts[i] = s->trusted[i];
	hosts[s->n_trusted] = NULL;
	*out = (struct recipient_settings){
		.tiers = { TIER_ENVELOPE, TIER_RECEIVED, TIER_HEADERS },
		.n_tiers = 3,
		.envelope_headers = s->best == NULL ? NULL : fields,
		.occurrence = s->bottom ? 1 : occurrence_of(s->best),
		.position_bottom = s->bottom,
		.strip_prefix = s->strip_prefix,
		.trusted_hosts = hosts,
	};
}

/* --- as YAML ----------------------------------------------------------- */

static void
write_recipients(const struct survey *s, int indent, struct buf *out)
{
	const char *fields[2], *hosts[SURVEY_HOSTS + 1];
	struct recipient_settings settings;

	survey_settings(s, fields, hosts, &settings);
	recipients_write_yaml(&settings, indent, out);
}

void
survey_write(const struct survey *s, unsigned indent, struct buf *out)
{
	buf_printf(out, "%*smailbox: catch_all%s\n", (int)indent, "",
	    s->mailbox == MAILBOX_SINGLE
		? "  # all of these are for one address: or single, with "
		  "deliver_to"
		: "");
	write_recipients(s, (int)indent, out);
}
