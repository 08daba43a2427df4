/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap - LDAP servers with the same content as directory source.
 *
 * Exactly one reply means that somebody does not exist: success with no entry.
 * That holds for a search for many, too: those whose entries came back are
 * found, and the rest is searched for again until nothing comes.
 */
#include "directory/source.h"

#include "base/mem.h"
#include "directory/canonical.h"
#include "directory/ldap_batch.h"
#include "directory/ldap_filter.h"
#include "directory/ldap_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses in one search. */
enum { BATCH_MAX = 50 };

struct ldap_directory {
	const struct ldap_source *settings; /* borrowed */
	struct ldap_pool *pool;
	bool usable; /* the filter is */
	struct error fault;
	struct ldap_batch batch;
	/* Of the batch, and that to rewrite to. */
	const char *attributes[LDAP_ASSERTIONS_MAX + 2];
};

static bool
is_rewrite_to(const struct ldap_directory *d, const char *attribute)
{
	return d->settings->rewrite_to != NULL &&
	       slice_equal_nocase(
		   slice_of(attribute), slice_of(d->settings->rewrite_to));
}

static void
list_attributes(struct ldap_directory *d)
{
	size_t n = 0;
	bool listed = false;

	for (size_t i = 0; i < d->batch.n; i++) {
		d->attributes[n++] = d->batch.assertions[i].attribute;
		listed = listed || is_rewrite_to(d, d->attributes[i]);
	}
	if (!listed)
		d->attributes[n] = d->settings->rewrite_to;
}

static void *
open_ldap(const struct config *config, const struct directory_source *source)
{
	struct ldap_directory *d = mem_new(sizeof(*d));

	(void)config;
	d->settings = &source->ldap;
	d->pool = ldap_pool_new(d->settings);
	d->usable = ldap_filter_check(d->settings->filter, &d->fault);
	if (d->usable)
		ldap_batch_read(d->settings->filter, &d->batch);
	list_attributes(d);
	return d;
}

static void
close_ldap(void *state)
{
	struct ldap_directory *d = state;

	ldap_pool_free(d->pool);
	free(d);
}

static const char *
count_text(int entries)
{
	return entries == 1 ? "1 entry" : "several entries";
}

/* Who answered, and what. */
struct finding {
	const char *uri, *text;
	const struct canonical *canonical;
};

static void
answer_found(const struct ldap_directory *d, const struct finding *f,
    struct directory_answer *answer)
{
	const char *attribute = d->settings->rewrite_to;
	char text[ADDRESS_TEXT_SIZE];

	if (attribute == NULL) {
		source_answer(answer, EXISTS, "%s: %s", f->uri, f->text);
	} else if (f->canonical->n == 1) {
		source_answer(answer, EXISTS, "%s: %s, %s: %s", f->uri, f->text,
		    attribute, address_write(&f->canonical->address, text));
		answer->canonical = f->canonical->address;
	} else {
		source_answer(answer, EXISTS, "%s: %s, %s to rewrite to in %s",
		    f->uri, f->text,
		    f->canonical->n == 0 ? "no address" : "several addresses",
		    attribute);
	}
}

static void
on_only_value(void *canonical, const char *attribute, struct slice value)
{
	(void)attribute;
	canonical_add(canonical, value);
}

static void
look_up_one(struct ldap_directory *d, const struct directory_question *q,
    size_t i, struct directory_answer *answer)
{
	const char *const attributes[] = { d->settings->rewrite_to, NULL };
	struct canonical canonical = { 0 };
	struct ldap_search search = { .deadline_ms = q->deadline_ms,
		.attributes = attributes[0] == NULL ? NULL : attributes,
		.on_value = on_only_value,
		.context = &canonical };
	struct error err;
	struct buf filter;
	const char *uri;

	buf_init(&filter, LDAP_FILTER_MAX);
	ldap_filter_write(d->settings->filter, &q->addresses[i], &filter);
	search.filter = buf_string(&filter);
	if (!ldap_pool_search(d->pool, &search, &uri, &err)) {
		source_answer(answer, UNKNOWN, "%s", err.text);
	} else if (search.entries == 0) {
		source_answer(answer, ABSENT, "%s: no entry", uri);
	} else {
		/* The others may name another address. */
		if (search.cut)
			canonical.n = 2;
		answer_found(d,
		    &(struct finding){
			uri, count_text(search.entries), &canonical },
		    answer);
	}
	buf_clear(&filter);
}

/* After the first trouble the others need not wait for the same. */
static void
look_up_each(struct ldap_directory *d, const struct directory_question *q,
    struct directory_answer *answers)
{
	for (size_t i = 0; i < q->n; i++)
		if (i == 0 || answers[i - 1].existence != UNKNOWN)
			look_up_one(d, q, i, &answers[i]);
		else
			answers[i] = answers[i - 1];
}

/* Some of the addresses of a question that are searched for together. */
struct round {
	struct ldap_directory *directory;
	const struct address *addresses[BATCH_MAX];
	struct directory_answer *answers[BATCH_MAX];
	size_t n;
	int64_t deadline_ms;
	/* Of the last search: who was found, and as whom. */
	bool found[BATCH_MAX];
	struct canonical canonical[BATCH_MAX];
	int entries;
	bool cut;
	/* Of the entry under way: whose it is, and whom it names. */
	bool owned[BATCH_MAX];
	struct canonical named;
	const char *uri;
};

static void
on_value(void *context, const char *attribute, struct slice value)
{
	struct round *r = context;

	if (is_rewrite_to(r->directory, attribute))
		canonical_add(&r->named, value);
	for (size_t i = 0; i < r->n; i++)
		if (!r->owned[i] && ldap_batch_owns(&r->directory->batch,
					attribute, value, r->addresses[i]))
			r->owned[i] = true;
}

static void
on_entry(void *context)
{
	struct round *r = context;

	for (size_t i = 0; i < r->n; i++)
		if (r->owned[i]) {
			r->found[i] = true;
			r->owned[i] = false;
			canonical_merge(&r->canonical[i], &r->named);
		}
	r->named = (struct canonical){ 0 };
}

static bool
search_round(struct round *r, struct error *err)
{
	struct ldap_directory *d = r->directory;
	struct ldap_search search = {
		.deadline_ms = r->deadline_ms,
		.attributes = d->attributes,
		/* One person can have several entries. */
		.entries_max = 2 * (int)r->n,
		.on_value = on_value,
		.on_entry = on_entry,
		.context = r,
	};
	struct buf filter;
	bool done;

	memset(r->found, 0, sizeof(r->found));
	memset(r->canonical, 0, sizeof(r->canonical));
	buf_init(&filter, (BATCH_MAX + 1) * LDAP_FILTER_MAX);
	buf_add_string(&filter, "(|");
	for (size_t i = 0; i < r->n; i++)
		ldap_filter_write(
		    d->settings->filter, r->addresses[i], &filter);
	buf_add_string(&filter, ")");
	search.filter = buf_string(&filter);
	done = ldap_pool_search(d->pool, &search, &r->uri, err);
	r->entries = search.entries;
	r->cut = search.cut;
	buf_clear(&filter);
	return done;
}

static void
answer_round(struct round *r, enum existence existence, const char *text)
{
	for (size_t i = 0; i < r->n; i++)
		source_answer(r->answers[i], existence, "%s", text);
}

/* Whoever was found leaves the round; how many did? */
static size_t
drop_found(struct round *r)
{
	size_t left = 0, before = r->n;

	for (size_t i = 0; i < before; i++) {
		if (r->found[i]) {
			answer_found(r->directory,
			    &(struct finding){
				r->uri, "found", &r->canonical[i] },
			    r->answers[i]);
			continue;
		}
		r->addresses[left] = r->addresses[i];
		r->answers[left++] = r->answers[i];
	}
	r->n = left;
	return before - left;
}

/* Entries came, and none shows whose it is: rights to search but not to read,
 * say; or not all came, and those that are missing could name others. */
static void
ask_singly(struct round *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct directory_question one = { r->addresses[i], 1,
			r->deadline_ms };

		look_up_each(r->directory, &one, r->answers[i]);
	}
}

/* False: in trouble, all that is left is UNKNOWN. */
static bool
look_up_round(struct round *r)
{
	struct error err;
	char none[DIRECTORY_REASON_SIZE];

	while (r->n > 0) {
		if (!search_round(r, &err)) {
			answer_round(r, UNKNOWN, err.text);
			return false;
		}
		if (r->entries == 0) {
			snprintf(none, sizeof(none), "%s: no entry", r->uri);
			answer_round(r, ABSENT, none);
			return true;
		}
		if ((r->cut && r->directory->settings->rewrite_to != NULL) ||
		    drop_found(r) == 0) {
			ask_singly(r);
			return true;
		}
	}
	return true;
}

static void
look_up_together(struct ldap_directory *d, const struct directory_question *q,
    struct directory_answer *answers)
{
	bool works = true;
	size_t i = 0;

	while (i < q->n) {
		struct round r = { .directory = d,
			.deadline_ms = q->deadline_ms };
		size_t last = i + BATCH_MAX < q->n ? i + BATCH_MAX : q->n;

		for (; i < last; i++, r.n++) {
			r.addresses[r.n] = &q->addresses[i];
			r.answers[r.n] = &answers[i];
		}
		if (works)
			works = look_up_round(&r);
		else
			answer_round(&r, UNKNOWN, answers[i - r.n - 1].reason);
	}
}

static void
lookup(void *state, const struct directory_question *q,
    struct directory_answer *answers)
{
	struct ldap_directory *d = state;

	if (!d->usable)
		for (size_t i = 0; i < q->n; i++)
			source_answer(&answers[i], UNKNOWN, "%s: %s",
			    d->settings->uris[0], d->fault.text);
	else if (q->n > 1 && d->batch.n > 0)
		look_up_together(d, q, answers);
	else
		look_up_each(d, q, answers);
}

const struct source_kind source_ldap = {
	.name = "ldap",
	.remote = true,
	.open = open_ldap,
	.lookup = lookup,
	.close = close_ldap,
};
