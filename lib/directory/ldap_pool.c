/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/ldap_pool.h"

#include "base/clock.h"
#include "base/mem.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
	IDLE_MAX = 8,        /* of each server */
	IDLE_MAX_MS = 60000, /* firewalls forget silent connections */
};

struct idle {
	struct ldap_connection *connection;
	int64_t since_ms;
};

struct server {
	const char *uri;
	struct idle idle[IDLE_MAX];
	size_t n_idle;
	int64_t retry_ms; /* 0: it works, else when to try it again */
};

struct ldap_pool {
	const struct ldap_source *settings;
	struct server *servers;
	size_t n;
	pthread_mutex_t lock; /* guards the servers and all below */
	int64_t login_ms;     /* until then the refused password stands */
	struct error login_error;
};

/* A server that is to be tried. */
struct turn {
	struct server *server;
	bool away; /* it failed when it was asked last */
};

struct ldap_pool *
ldap_pool_new(const struct ldap_source *settings)
{
	struct ldap_pool *p = mem_new(sizeof(*p));

	ldap_connection_prepare();
	p->settings = settings;
	while (settings->uris[p->n] != NULL)
		p->n++;
	p->servers = mem_new_array(p->n, sizeof(*p->servers));
	for (size_t i = 0; i < p->n; i++)
		p->servers[i].uri = settings->uris[i];
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static void
close_idle(struct ldap_pool *p, struct server *s)
{
	struct idle closing[IDLE_MAX];
	size_t n;

	pthread_mutex_lock(&p->lock);
	n = s->n_idle;
	memcpy(closing, s->idle, n * sizeof(*closing));
	s->n_idle = 0;
	pthread_mutex_unlock(&p->lock);
	while (n > 0)
		ldap_connection_close(closing[--n].connection);
}

void
ldap_pool_free(struct ldap_pool *p)
{
	for (size_t i = 0; i < p->n; i++)
		close_idle(p, &p->servers[i]);
	pthread_mutex_destroy(&p->lock);
	free(p->servers);
	free(p);
}

static struct ldap_connection *
take_idle(struct ldap_pool *p, struct server *s)
{
	int64_t now_ms = clock_monotonic_ms();
	struct idle taken = { 0 };

	for (;;) {
		bool found;

		pthread_mutex_lock(&p->lock);
		found = s->n_idle > 0;
		if (found)
			taken = s->idle[--s->n_idle];
		pthread_mutex_unlock(&p->lock);
		if (!found)
			return NULL;
		if (now_ms - taken.since_ms < IDLE_MAX_MS)
			return taken.connection;
		ldap_connection_close(taken.connection);
	}
}

static void
give_back(struct ldap_pool *p, struct server *s, struct ldap_connection *c)
{
	bool kept;

	pthread_mutex_lock(&p->lock);
	kept = s->n_idle < IDLE_MAX;
	if (kept)
		s->idle[s->n_idle++] = (struct idle){ c, clock_monotonic_ms() };
	s->retry_ms = 0;
	pthread_mutex_unlock(&p->lock);
	if (!kept)
		ldap_connection_close(c);
}

static bool
has_turn(const struct turn *turns, size_t n, const struct server *server)
{
	for (size_t i = 0; i < n; i++)
		if (turns[i].server == server)
			return true;
	return false;
}

/* The servers in the order of the list, but those that are away at its end.
 * Whoever comes when one of these is due takes the attempt for all. */
static void
take_turns(struct ldap_pool *p, struct turn *turns)
{
	int64_t now_ms = clock_monotonic_ms();
	size_t n = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->n; i++) {
		struct server *s = &p->servers[i];

		if (s->retry_ms > now_ms)
			continue;
		turns[n++] = (struct turn){ s, s->retry_ms != 0 };
		if (s->retry_ms != 0)
			s->retry_ms = now_ms + LDAP_AWAY_MS;
	}
	for (size_t i = 0; n < p->n; i++)
		if (!has_turn(turns, n, &p->servers[i]))
			turns[n++] = (struct turn){ &p->servers[i], true };
	pthread_mutex_unlock(&p->lock);
}

/* On a kept connection: 1, it succeeded; 0, there is none that works; -1, the
 * server failed. */
static int
search_kept(struct ldap_pool *p, struct server *s, struct ldap_search *search,
    struct error *err)
{
	struct ldap_connection *c = take_idle(p, s);
	bool lost;

	if (c == NULL)
		return 0;
	if (ldap_connection_search(c, search, err)) {
		give_back(p, s, c);
		return 1;
	}
	lost = ldap_connection_is_lost(c);
	ldap_connection_close(c);
	/* The others have most likely ended, too. */
	close_idle(p, s);
	return lost ? 0 : -1;
}

static bool
search_server(struct ldap_pool *p, struct server *s, struct ldap_search *search,
    struct error *err)
{
	int kept = search_kept(p, s, search, err);
	struct ldap_connection *c;

	if (kept != 0)
		return kept > 0;
	c = ldap_connection_open(p->settings, s->uri, search->deadline_ms, err);
	if (c == NULL)
		return false;
	if (ldap_connection_search(c, search, err)) {
		give_back(p, s, c);
		return true;
	}
	ldap_connection_close(c);
	return false;
}

static void
note_failure(struct ldap_pool *p, struct server *s, const struct error *err)
{
	int64_t now_ms = clock_monotonic_ms();

	pthread_mutex_lock(&p->lock);
	if (err->kind == ERROR_RETRY)
		s->retry_ms = now_ms + LDAP_AWAY_MS;
	if (err->kind == ERROR_LOGIN) {
		p->login_ms = now_ms + LDAP_LOGIN_MS;
		p->login_error = *err;
	}
	pthread_mutex_unlock(&p->lock);
}

static bool
login_was_refused(struct ldap_pool *p, struct error *err)
{
	bool refused;

	pthread_mutex_lock(&p->lock);
	refused = clock_monotonic_ms() < p->login_ms;
	if (refused)
		error_set(err, ERROR_LOGIN,
		    "%s; so as not to lock the login, tried again after %d min "
		    "or a reload",
		    p->login_error.text, LDAP_LOGIN_MS / 60000);
	pthread_mutex_unlock(&p->lock);
	return refused;
}

/* How long the server of this turn may take, with `left` turns left. */
static int64_t
share_ms(const struct turn *turn, size_t left, int64_t remaining_ms)
{
	int64_t share = remaining_ms / (int64_t)left;

	return turn->away && left > 1 && share > LDAP_RETRY_MS ? LDAP_RETRY_MS
							       : share;
}

static bool
search_in_turn(struct ldap_pool *p, struct turn *turns,
    struct ldap_search *search, const char **uri, struct error *err)
{
	int64_t end_ms = search->deadline_ms;
	struct error all = { .text = "" };

	for (size_t i = 0; i < p->n; i++) {
		int64_t now_ms = clock_monotonic_ms();
		struct error before = all;

		*uri = turns[i].server->uri;
		search->deadline_ms =
		    now_ms + share_ms(&turns[i], p->n - i, end_ms - now_ms);
		if (search_server(p, turns[i].server, search, err))
			return true;
		note_failure(p, turns[i].server, err);
		error_set(&all, err->kind, "%s%s%s", before.text,
		    i > 0 ? "; " : "", err->text);
		if (err->kind != ERROR_RETRY)
			break;
	}
	*err = all;
	return false;
}

bool
ldap_pool_search(struct ldap_pool *p, struct ldap_search *search,
    const char **uri, struct error *err)
{
	int64_t limit_ms = clock_monotonic_ms() + p->settings->timeout_ms;
	struct turn *turns;
	bool done;

	*uri = p->servers[0].uri;
	if (login_was_refused(p, err))
		return false;
	if (search->deadline_ms > limit_ms)
		search->deadline_ms = limit_ms;
	turns = mem_new_array(p->n, sizeof(*turns));
	take_turns(p, turns);
	done = search_in_turn(p, turns, search, uri, err);
	free(turns);
	return done;
}
