/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/link.h"

#include "base/clock.h"
#include "base/mem.h"
#include "directory/breaker.h"
#include "directory/cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	FRESH_MS = 1000, /* so long an answer proves that one could answer */
	CANARY_MS = 60000,
	READY_MS = 30000, /* for being asked by READY; its own time-out is
			     shorter as a rule */
};

struct link {
	const struct source_kind *kind;
	void *state;
	const struct address *canary; /* NULL: none */
	struct cache *cache;          /* NULL unless remote */
	pthread_mutex_t lock;         /* guards the cache and all below */
	struct breaker breaker;
	int64_t answered_ms; /* 0: never, or the last attempt failed */
	int64_t canary_ms;   /* when it was found; 0: it must be looked for */
	struct directory_statistics statistics;
};

static const struct source_kind *const kinds[] = {
	[DIRECTORY_FILE] = &source_file,
	[DIRECTORY_LDAP] = &source_ldap,
	[DIRECTORY_SMTP] = &source_smtp,
	[DIRECTORY_POSTFIX] = &source_postfix,
};

static void
set_names(struct link *l, const struct directory_source *source)
{
	switch (source->kind) {
	case DIRECTORY_FILE:
		l->statistics.name = source->file;
		break;
	case DIRECTORY_LDAP:
		l->statistics.name = source->ldap.uris[0];
		l->canary = source->ldap.canary;
		break;
	case DIRECTORY_SMTP:
		l->statistics.name = source->smtp.host;
		l->canary = source->smtp.canary;
		break;
	case DIRECTORY_POSTFIX:
		l->statistics.name = source->postfix.table;
		l->canary = source->postfix.canary;
		break;
	}
}

struct link *
link_new(const struct config *config, const struct directory_source *source)
{
	struct link *l = mem_new(sizeof(*l));

	l->kind = kinds[source->kind];
	l->statistics.kind = l->kind->name;
	set_names(l, source);
	if (l->kind->remote)
		l->cache = cache_new((struct cache_ages){
		    .found_ms = config->cache.found_ms,
		    .absent_ms = config->cache.absent_ms,
		    .stale_ms = config->cache.stale_ms,
		});
	pthread_mutex_init(&l->lock, NULL);
	l->state = l->kind->open(config, source);
	return l;
}

void
link_free(struct link *l)
{
	l->kind->close(l->state);
	cache_free(l->cache);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

const char *
link_kind(const struct link *l)
{
	return l->kind->name;
}

void
link_statistics(struct link *l, struct directory_statistics *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->statistics;
	pthread_mutex_unlock(&l->lock);
}

/* One question to the source: the addresses that nothing is known of, and
 * the canary behind them when its turn has come. */
struct asking {
	struct address *addresses;
	struct directory_answer *answers;
	size_t *places; /* in the caller's question */
	size_t n;
	bool with_canary;
	int64_t begun_us;
};

static void
asking_init(struct asking *a, size_t n)
{
	*a = (struct asking){ 0 };
	a->addresses = mem_new_array(n + 1, sizeof(*a->addresses));
	a->answers = mem_new_array(n + 1, sizeof(*a->answers));
	a->places = mem_new_array(n + 1, sizeof(*a->places));
}

static void
asking_clear(struct asking *a)
{
	free(a->addresses);
	free(a->answers);
	free(a->places);
}

/* Called with the lock held. */
static void
note_outcome(struct link *l, const char *fault, int64_t begun_us)
{
	struct directory_statistics *s = &l->statistics;
	int64_t now_us = clock_monotonic_us();
	bool was_away = s->away;

	breaker_report(&l->breaker, fault == NULL, now_us / 1000);
	s->away = breaker_is_open(&l->breaker);
	l->answered_ms = fault == NULL ? now_us / 1000 : 0;
	s->questions++;
	s->last_us = now_us - begun_us;
	s->total_us += s->last_us;
	if (fault == NULL)
		return;
	l->canary_ms = 0;
	s->faults++;
	s->openings += s->away && !was_away;
	snprintf(s->last_fault, sizeof(s->last_fault), "%s", fault);
}

/* Called with the lock held. */
static bool
canary_is_due(const struct link *l)
{
	return l->canary != NULL &&
	       (l->canary_ms == 0 ||
		   clock_monotonic_ms() - l->canary_ms >= CANARY_MS);
}

/* Without its canary no "no" of a source counts. */
static void
doubt(const struct link *l, struct asking *a)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i <= a->n; i++)
		if (a->answers[i].existence == ABSENT)
			source_answer(&a->answers[i], UNKNOWN,
			    "%s: the canary %s is not found: wrong base, "
			    "filter or rights?",
			    l->statistics.name, address_write(l->canary, text));
}

/* What makes this question a fault; NULL: nothing. */
static const char *
fault_of(const struct asking *a)
{
	for (size_t i = 0; i < a->n + a->with_canary; i++)
		if (a->answers[i].existence == UNKNOWN)
			return a->answers[i].reason;
	return NULL;
}

static void
remember(struct link *l, const struct asking *a)
{
	for (size_t i = 0; i < a->n && l->cache != NULL; i++)
		if (a->answers[i].existence != UNKNOWN)
			cache_remember(l->cache, &a->addresses[i],
			    a->answers[i].existence == EXISTS,
			    &a->answers[i].canonical, clock_monotonic_ms());
}

static void
ask_source(struct link *l, struct asking *a, int64_t deadline_ms)
{
	const struct directory_question question = { a->addresses,
		a->n + a->with_canary, deadline_ms };

	a->begun_us = clock_monotonic_us();
	if (a->with_canary)
		a->addresses[a->n] = *l->canary;
	l->kind->lookup(l->state, &question, a->answers);
	if (a->with_canary && a->answers[a->n].existence == ABSENT)
		doubt(l, a);
	pthread_mutex_lock(&l->lock);
	note_outcome(l, fault_of(a), a->begun_us);
	if (a->with_canary && a->answers[a->n].existence == EXISTS)
		l->canary_ms = clock_monotonic_ms();
	remember(l, a);
	pthread_mutex_unlock(&l->lock);
}

static void
answer_cached(struct link *l, enum cached cached,
    const struct address *canonical, struct directory_answer *answer)
{
	bool found = cached == CACHE_FOUND;

	source_answer(answer, found ? EXISTS : ABSENT, "%s: %s (cached)",
	    l->statistics.name, found ? "found" : "no such address");
	answer->canonical = *canonical;
	l->statistics.cached++;
}

/* What is known without asking gets its answer, the rest goes to `a`, at the
 * end of which (behind a->n) nothing is left. */
static void
ask_cache(struct link *l, const struct directory_question *q, struct asking *a,
    struct directory_answer *answers)
{
	int64_t now_ms = clock_monotonic_ms();
	struct address canonical;

	for (size_t i = 0; i < q->n; i++) {
		enum cached cached = CACHE_NOTHING;

		if (l->cache != NULL)
			cached = cache_ask(
			    l->cache, &q->addresses[i], now_ms, &canonical);
		if (cached == CACHE_FOUND || cached == CACHE_ABSENT) {
			answer_cached(l, cached, &canonical, &answers[i]);
			continue;
		}
		a->addresses[a->n] = q->addresses[i];
		a->places[a->n++] = i;
	}
}

/* Called with the lock held: the breaker's turn is taken. */
static bool
may_ask(struct link *l, struct asking *a)
{
	if (a->n == 0)
		return false;
	if (!l->kind->remote ||
	    breaker_allows(&l->breaker, clock_monotonic_ms()))
		return true;
	for (size_t i = 0; i < a->n; i++)
		source_answer(&a->answers[i], UNKNOWN,
		    "%s (not asked again yet)", l->statistics.last_fault);
	return false;
}

/* An old "yes" is better than none while the directory is away. */
static void
use_stale(struct link *l, struct asking *a)
{
	struct address canonical;

	for (size_t i = 0; i < a->n && l->cache != NULL; i++) {
		if (a->answers[i].existence != UNKNOWN ||
		    cache_ask(l->cache, &a->addresses[i], clock_monotonic_ms(),
			&canonical) != CACHE_STALE)
			continue;
		source_answer(&a->answers[i], EXISTS,
		    "%s: found (stale, directory away)", l->statistics.name);
		a->answers[i].canonical = canonical;
		l->statistics.stale++;
	}
}

static void
count(struct link *l, const struct directory_answer *answers, size_t n)
{
	struct directory_statistics *s = &l->statistics;

	s->lookups += n;
	for (size_t i = 0; i < n; i++) {
		s->found += answers[i].existence == EXISTS;
		s->absent += answers[i].existence == ABSENT;
		s->unknown += answers[i].existence == UNKNOWN;
	}
}

void
link_ask(struct link *l, const struct directory_question *q,
    struct directory_answer *answers)
{
	struct asking a;
	bool ask;

	asking_init(&a, q->n);
	pthread_mutex_lock(&l->lock);
	ask_cache(l, q, &a, answers);
	ask = may_ask(l, &a);
	a.with_canary = ask && canary_is_due(l);
	pthread_mutex_unlock(&l->lock);
	if (ask)
		ask_source(l, &a, q->deadline_ms);
	pthread_mutex_lock(&l->lock);
	use_stale(l, &a);
	for (size_t i = 0; i < a.n; i++)
		answers[a.places[i]] = a.answers[i];
	count(l, answers, q->n);
	pthread_mutex_unlock(&l->lock);
	asking_clear(&a);
}

/* The whole question with an address that nobody can have (RFC 2606): a server
 * that is up but cannot search (base renamed, rights withdrawn) is no more
 * use than one that is away.  With a canary that is asked for instead. */
static void
ask_nobody(struct link *l, bool with_canary, struct directory_answer *answer)
{
	static const struct address nobody = { "mailhaul-ready", "invalid" };
	int64_t deadline_ms = clock_monotonic_ms() + READY_MS;
	struct asking a;

	asking_init(&a, 1);
	a.with_canary = with_canary;
	a.n = !with_canary && l->kind->ready == NULL;
	a.addresses[0] = nobody;
	if (a.n > 0 || with_canary) {
		ask_source(l, &a, deadline_ms);
	} else {
		int64_t begun_us = clock_monotonic_us();

		l->kind->ready(l->state, deadline_ms, &a.answers[0]);
		pthread_mutex_lock(&l->lock);
		note_outcome(l,
		    a.answers[0].existence == UNKNOWN ? a.answers[0].reason
						      : NULL,
		    begun_us);
		pthread_mutex_unlock(&l->lock);
	}
	*answer = a.answers[0];
	asking_clear(&a);
}

/* An answer within the last second is proof enough; the breaker decides
 * whether a source that is away may be asked. */
bool
link_ready(struct link *l, struct directory_answer *answer)
{
	int64_t now_ms = clock_monotonic_ms();
	bool ready, ask, with_canary;

	pthread_mutex_lock(&l->lock);
	ready = l->kind->remote && l->answered_ms != 0 &&
		now_ms - l->answered_ms < FRESH_MS;
	ask =
	    !ready && (!l->kind->remote || breaker_allows(&l->breaker, now_ms));
	with_canary = canary_is_due(l);
	if (!ready && !ask)
		source_answer(answer, UNKNOWN, "%s", l->statistics.last_fault);
	pthread_mutex_unlock(&l->lock);
	if (!ask)
		return ready;
	ask_nobody(l, with_canary, answer);
	return answer->existence != UNKNOWN;
}
