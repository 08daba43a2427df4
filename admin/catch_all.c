/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/catch_all.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mail/header.h"
#include "recipients/zone.h"

enum { PEOPLE_MAX = 200 };

/* --- which setting ----------------------------------------------------- */

struct reading {
	const struct config *config;
	const struct slice *headers;
	size_t n;
};

/* What a setting makes of all messages. */
struct score {
	size_t proven; /* messages for somebody of ours, said by the provider */
	struct address people[PEOPLE_MAX]; /* different ones */
	size_t n_people;
};

static bool
is_proof(enum tier tier)
{
	return tier == TIER_ENVELOPE || tier == TIER_RECEIVED;
}

static void
add_person(struct score *s, const struct address *address)
{
	for (size_t i = 0; i < s->n_people; i++)
		if (address_equal(&s->people[i], address))
			return;
	if (s->n_people < PEOPLE_MAX)
		s->people[s->n_people++] = *address;
}

static void
rate(const struct reading *r, const struct account *account, struct score *out)
{
	*out = (struct score){ .proven = 0 };
	for (size_t i = 0; i < r->n; i++) {
		struct candidates c;
		bool proven = false;

		candidates_find(r->config, account, r->headers[i], &c);
		for (size_t j = 0; is_proof(c.tier) && j < c.n; j++)
			if (c.all[j].kind == CANDIDATE_USABLE) {
				proven = true;
				add_person(out, &c.all[j].address);
			}
		out->proven += proven;
		candidates_clear(&c);
	}
}

/* More messages; of as many, those that tell more people apart: a field that
 * holds the mailbox itself is in every message, too. */
static bool
is_better(const struct score *a, const struct score *b)
{
	if (a->proven != b->proven)
		return a->proven > b->proven;
	return a->n_people > b->n_people;
}

static size_t
count_boundaries(const struct reading *r, const struct provider *p)
{
	struct zone zone;
	size_t found = 0;

	for (size_t i = 0; i < r->n; i++) {
		zone_find(&p->recipients, r->headers[i], &zone);
		found += zone.kind == ZONE_BOUNDARY;
	}
	return found;
}

static bool
is_host_of(const struct provider *p, const struct account *account)
{
	const char *host = provider_host(p, account->protocol);

	return host != NULL && strcmp(host, account->host) == 0;
}

/* By the servers that most messages name, else by where we log in. */
static const struct provider *
recognise(const struct reading *r, const struct account *account)
{
	const struct provider *best = NULL;
	size_t most = 0;

	for (const struct schema_word *w = provider_words; w->word != NULL;
	     w++) {
		size_t found = count_boundaries(r, w->provider);

		if (2 * found > r->n && found > most) {
			best = w->provider;
			most = found;
		}
	}
	for (const struct schema_word *w = provider_words;
	     best == NULL && w->word != NULL; w++)
		if (is_host_of(w->provider, account))
			best = w->provider;
	return best;
}

/* To what the survey suggests, or to the row of a known provider if that is
 * not worse; else the account stays as it is. */
static void
choose(const struct reading *r, struct catch_all *t)
{
	struct score present, surveyed, known;
	struct account preset;
	struct recipient_settings settings;

	survey_settings(&t->survey, t->fields, t->hosts, &settings);
	settings.headers = t->account->recipients.headers;
	t->suggested = *t->account;
	t->suggested.mailbox = MAILBOX_CATCH_ALL;
	if (t->has_own) {
		t->suggested.addresses = &t->own;
		t->suggested.n_addresses = 1;
	}
	preset = t->suggested;
	t->suggested.recipients = settings;
	rate(r, &t->suggested, &surveyed);
	t->provider = recognise(r, t->account);
	if (t->provider != NULL) {
		provider_apply(t->provider, &preset);
		rate(r, &preset, &known);
		/* At the bottom anybody may write; a row knows better. */
		if (is_better(&surveyed, &known) && !t->survey.bottom)
			t->provider = NULL;
		else
			t->suggested = preset;
	}
	rate(r, t->account, &present);
	if (!is_better(&present, t->provider != NULL ? &known : &surveyed))
		return;
	t->suggested = *t->account;
	t->has_own = false;
	t->provider = t->account->provider;
}

static bool
same_recipients(const struct explanation *a, const struct explanation *b)
{
	if (a->n_recipients != b->n_recipients)
		return false;
	for (size_t i = 0; i < a->n_recipients; i++)
		if (strcmp(a->recipients[i], b->recipients[i]) != 0)
			return false;
	return is_proof(a->candidates.tier) == is_proof(b->candidates.tier);
}

/* --- each message ------------------------------------------------------ */

static struct slice
field_of(struct slice header, const char *name)
{
	struct header_field f;

	return header_find(header, name, &f) ? slice_trim(f.body) : SLICE("");
}

static bool
names(const struct candidates *c, const struct address *address)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].kind != CANDIDATE_INVALID &&
		    address_equal(&c->all[i].address, address))
			return true;
	return false;
}

static bool
is_proven(const struct candidates *c)
{
	for (size_t i = 0; is_proof(c->tier) && i < c->n; i++)
		if (c->all[i].kind == CANDIDATE_USABLE)
			return true;
	return false;
}

/* What To and Cc alone would say. */
static void
look_at_visible(const struct reading *r, const struct account *account,
    struct catch_all_message *m)
{
	const struct candidates *found = &m->suggested.candidates;
	struct account guessing = *account;
	struct candidates visible;

	guessing.recipients.tiers[0] = TIER_HEADERS;
	guessing.recipients.n_tiers = 1;
	candidates_find(r->config, &guessing, m->header, &visible);
	for (size_t i = 0; i < visible.n; i++)
		m->visible += visible.all[i].kind == CANDIDATE_USABLE;
	for (size_t i = 0; m->proven && i < found->n; i++)
		m->hidden |= found->all[i].kind == CANDIDATE_USABLE &&
			     !names(&visible, &found->all[i].address);
	candidates_clear(&visible);
}

static void
look_at_messages(
    const struct reading *r, struct directory *directory, struct catch_all *t)
{
	t->messages = mem_new_array(r->n + 1, sizeof(*t->messages));
	t->fits = t->account->mailbox == MAILBOX_CATCH_ALL;
	for (t->n = 0; t->n < r->n; t->n++) {
		struct catch_all_message *m = &t->messages[t->n];
		struct explained_message explained;

		m->header = r->headers[t->n];
		m->id = field_of(m->header, "Message-ID");
		m->date = field_of(m->header, "Date");
		explained = (struct explained_message){
			.header = m->header, .size = m->header.len, .id = ""
		};
		explanation_make(
		    r->config, t->account, &explained, directory, &m->present);
		explanation_make(r->config, &t->suggested, &explained,
		    directory, &m->suggested);
		m->proven = is_proven(&m->suggested.candidates);
		look_at_visible(r, &t->suggested, m);
		t->fits =
		    t->fits && same_recipients(&m->present, &m->suggested);
		t->n_proven += m->proven;
		t->n_hidden += m->hidden;
		if (m->hidden && t->hidden == NULL)
			t->hidden = m;
	}
}

/* --- copies, Bcc ------------------------------------------------------- */

static size_t
count_named(const struct catch_all_message *m)
{
	const struct candidates *c = &m->suggested.candidates;
	size_t n = 0;

	for (size_t i = 0; m->proven && i < c->n; i++)
		n += c->all[i].kind == CANDIDATE_USABLE ||
		     c->all[i].kind == CANDIDATE_FOREIGN;
	return n;
}

/* Both are of one message. */
static bool
for_different_people(
    const struct catch_all_message *a, const struct catch_all_message *b)
{
	const struct candidates *c = &a->suggested.candidates;

	for (size_t i = 0; a->proven && b->proven && i < c->n; i++)
		if (c->all[i].kind == CANDIDATE_USABLE &&
		    !names(&b->suggested.candidates, &c->all[i].address))
			return true;
	return false;
}

/* What is more certain stands behind what is less. */
static const enum catch_all_copies by_certainty[] = {
	COPIES_UNSEEN,
	COPIES_LACKING,
	COPIES_ALIKE,
	COPIES_TOGETHER,
	COPIES_EACH,
};

static size_t
certainty(enum catch_all_copies copies)
{
	size_t i = 0;

	while (by_certainty[i] != copies)
		i++;
	return i;
}

static void
conclude(struct catch_all *t, enum catch_all_copies copies,
    const struct catch_all_message *a, const struct catch_all_message *b)
{
	if (certainty(copies) <= certainty(t->copies))
		return;
	t->copies = copies;
	t->examples[0] = a;
	t->examples[1] = b;
}

static void
look_for_copies(struct catch_all *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct catch_all_message *m = &t->messages[i], *other;
		bool alone = true;

		for (size_t j = 0; m->id.len > 0 && j < t->n; j++) {
			other = &t->messages[j];
			if (i == j || !slice_equal(m->id, other->id))
				continue;
			alone = false;
			if (i < j)
				conclude(t,
				    for_different_people(m, other)
					? COPIES_EACH
					: COPIES_ALIKE,
				    m, other);
		}
		if (count_named(m) > 1)
			conclude(t, COPIES_TOGETHER, m, NULL);
		else if (alone && m->proven && m->visible > 1)
			conclude(t, COPIES_LACKING, m, NULL);
	}
}

static void
judge_bcc(struct catch_all *t)
{
	if (t->n == 0)
		t->bcc = BCC_UNSEEN;
	else if (t->n_proven == 0)
		t->bcc = BCC_LOST;
	else if (t->n_proven < t->n || t->copies == COPIES_LACKING)
		t->bcc = BCC_PARTLY;
	else
		t->bcc = BCC_WORKS;
}

/* The account may say nothing of its own address, and the user be no address. */
static void
look_for_own(const struct reading *r, struct catch_all *t)
{
	const struct survey_people *people = t->survey.people;

	if (t->account->n_addresses > 0 ||
	    t->survey.mailbox != MAILBOX_SINGLE ||
	    config_domain(r->config, people->all[0].domain) != NULL)
		return;
	t->has_own = true;
	t->own = people->all[0];
	survey_run(r->headers, r->n, &t->own, &t->survey);
}

struct catch_all *
catch_all_new(const struct config *config, const struct account *account,
    const struct slice *headers, size_t n, struct directory *directory)
{
	struct reading r = { .config = config, .headers = headers, .n = n };
	struct catch_all *t = mem_new(sizeof(*t));
	struct address user;
	const struct address *own = NULL;

	if (account->n_addresses > 0)
		own = &account->addresses[0];
	else if (address_parse(slice_of(account->user), &user) == ADDRESS_OK)
		own = &user;
	t->account = account;
	survey_run(headers, n, own, &t->survey);
	look_for_own(&r, t);
	choose(&r, t);
	look_at_messages(&r, directory, t);
	look_for_copies(t);
	judge_bcc(t);
	return t;
}

void
catch_all_free(struct catch_all *t)
{
	for (size_t i = 0; i < t->n; i++) {
		explanation_clear(&t->messages[i].present);
		explanation_clear(&t->messages[i].suggested);
	}
	free(t->messages);
	free(t);
}
