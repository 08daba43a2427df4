/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ldap - LDAP servers with the same content as directory source.
 *
 * Exactly one reply means that somebody does not exist: success with no entry.
 *
 * Connections are kept for the next look-up, each used by one thread at a
 * time.  One that was closed meanwhile, as servers do with idle ones, is
 * replaced once without anybody noticing.
 */
#include "directory/source.h"

#include "base/clock.h"
#include "base/mem.h"
#include "directory/ldap_connection.h"
#include "directory/ldap_filter.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	IDLE_MAX = 8,
	IDLE_MAX_MS = 60000, /* firewalls forget silent connections */
};

struct handle {
	struct ldap_connection *connection;
	size_t uri; /* index */
	int64_t idle_since_ms;
};

struct ldap_directory {
	const struct ldap_source *settings; /* borrowed */
	size_t n_uris;
	pthread_mutex_t lock; /* guards all that follows */
	struct handle idle[IDLE_MAX];
	size_t n_idle;
	size_t preferred; /* the URI to begin with: it answered last */
};

/* One look-up under way. */
struct request {
	struct buf filter;
	int64_t deadline_ms;
	int entries;
	bool lost; /* it failed because the server had hung up */
};

static void *
open_ldap(const struct directory_source *source)
{
	struct ldap_directory *d = mem_new(sizeof(*d));

	d->settings = &source->ldap;
	while (d->settings->uris[d->n_uris] != NULL)
		d->n_uris++;
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

static void
close_idle(struct ldap_directory *d)
{
	struct handle closing[IDLE_MAX];
	size_t n;

	pthread_mutex_lock(&d->lock);
	n = d->n_idle;
	memcpy(closing, d->idle, n * sizeof(*closing));
	d->n_idle = 0;
	pthread_mutex_unlock(&d->lock);
	while (n > 0)
		ldap_connection_close(closing[--n].connection);
}

static void
close_ldap(void *state)
{
	struct ldap_directory *d = state;

	close_idle(d);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

static bool
take_idle(struct ldap_directory *d, struct handle *h)
{
	int64_t now_ms = clock_monotonic_ms();
	bool found;

	for (;;) {
		pthread_mutex_lock(&d->lock);
		found = d->n_idle > 0;
		if (found)
			*h = d->idle[--d->n_idle];
		pthread_mutex_unlock(&d->lock);
		if (!found || now_ms - h->idle_since_ms < IDLE_MAX_MS)
			return found;
		ldap_connection_close(h->connection);
	}
}

static void
give_back(struct ldap_directory *d, struct handle *h)
{
	bool kept;

	h->idle_since_ms = clock_monotonic_ms();
	pthread_mutex_lock(&d->lock);
	kept = d->n_idle < IDLE_MAX;
	if (kept)
		d->idle[d->n_idle++] = *h;
	d->preferred = h->uri;
	pthread_mutex_unlock(&d->lock);
	if (!kept)
		ldap_connection_close(h->connection);
}

/* The servers in turn; one that is silent gets only its share of the time.
 * A refused password is not tried elsewhere: it would count towards locking
 * the login. */
static bool
connect_any(struct ldap_directory *d, int64_t deadline_ms, struct handle *h,
    struct error *err)
{
	struct error all = { .text = "" };
	size_t first;

	pthread_mutex_lock(&d->lock);
	first = d->preferred;
	pthread_mutex_unlock(&d->lock);
	for (size_t i = 0; i < d->n_uris; i++) {
		int64_t now_ms = clock_monotonic_ms();
		int64_t share_ms =
		    (deadline_ms - now_ms) / (int64_t)(d->n_uris - i);
		struct error before = all;

		h->uri = (first + i) % d->n_uris;
		h->connection = ldap_connection_open(d->settings,
		    d->settings->uris[h->uri], now_ms + share_ms, err);
		if (h->connection != NULL)
			return true;
		error_set(&all, err->kind, "%s%s%s", before.text,
		    i > 0 ? "; " : "", err->text);
		if (err->kind != ERROR_RETRY)
			break;
	}
	*err = all;
	return false;
}

/* A connection on which it fails is closed, and the next attempt begins with
 * another server. */
static bool
search(struct ldap_directory *d, struct handle *h, struct request *r,
    struct error *err)
{
	if (ldap_connection_search(h->connection, buf_string(&r->filter),
		r->deadline_ms, &r->entries, err))
		return true;
	r->lost = ldap_connection_is_lost(h->connection);
	ldap_connection_close(h->connection);
	pthread_mutex_lock(&d->lock);
	d->preferred = (h->uri + 1) % d->n_uris;
	pthread_mutex_unlock(&d->lock);
	return false;
}

static bool
search_anywhere(struct ldap_directory *d, struct handle *h, struct request *r,
    struct error *err)
{
	r->deadline_ms = clock_monotonic_ms() + d->settings->timeout_ms;
	if (take_idle(d, h)) {
		if (search(d, h, r, err))
			return true;
		/* The others have most likely ended, too. */
		close_idle(d);
		if (!r->lost)
			return false;
	}
	return connect_any(d, r->deadline_ms, h, err) && search(d, h, r, err);
}

static const char *
count_text(int entries)
{
	return entries == 0   ? "no entry"
	       : entries == 1 ? "1 entry"
			      : "several entries";
}

static void
lookup(
    void *state, const struct address *address, struct directory_answer *answer)
{
	struct ldap_directory *d = state;
	const struct ldap_source *settings = d->settings;
	struct request r = { 0 };
	struct handle h;
	struct error err;

	if (!ldap_filter_check(settings->filter, &err)) {
		source_answer(
		    answer, UNKNOWN, "%s: %s", settings->uris[0], err.text);
		return;
	}
	buf_init(&r.filter, LDAP_FILTER_MAX);
	ldap_filter_write(settings->filter, address, &r.filter);
	if (search_anywhere(d, &h, &r, &err)) {
		source_answer(answer, r.entries > 0 ? EXISTS : ABSENT, "%s: %s",
		    settings->uris[h.uri], count_text(r.entries));
		give_back(d, &h);
	} else
		source_answer(answer, UNKNOWN, "%s", err.text);
	buf_clear(&r.filter);
}

const struct source_kind source_ldap = {
	.name = "ldap",
	.remote = true,
	.open = open_ldap,
	.lookup = lookup,
	.close = close_ldap,
};
