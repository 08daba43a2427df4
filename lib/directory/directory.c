/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/directory.h"

#include "base/clock.h"
#include "base/mem.h"
#include "directory/breaker.h"
#include "directory/cache.h"
#include "directory/source.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long an answer stands for "could answer now" too. */
enum { FRESH_MS = 1000 };

/* One source of the chain with what is remembered about it. */
struct link {
	const struct source_kind *kind;
	void *state;
	const char *label;    /* borrowed: path or first URI */
	struct cache *cache;  /* NULL unless remote */
	pthread_mutex_t lock; /* guards the cache and all below; never held
				 while the source is asked */
	struct breaker breaker;
	int64_t answered_ms; /* 0: never, or the last attempt failed */
	char fault[DIRECTORY_REASON_SIZE]; /* of the last failure */
};

struct directory {
	struct config *config;
	struct link *links;
	size_t n_links;
};

static const struct source_kind *const kinds[] = {
	[DIRECTORY_FILE] = &source_file,
	[DIRECTORY_LDAP] = &source_ldap,
};

static const char *const names[] = {
	[EXISTS] = "found",
	[ABSENT] = "absent",
	[UNKNOWN] = "unknown",
};

const char *
existence_name(enum existence existence)
{
	return names[existence];
}

static void
open_link(struct link *l, const struct config *config,
    const struct directory_source *source)
{
	l->kind = kinds[source->kind];
	l->label = source->kind == DIRECTORY_FILE ? source->file
						  : source->ldap.uris[0];
	if (l->kind->remote)
		l->cache = cache_new((struct cache_ages){
		    .found_ms = config->cache.found_ms,
		    .absent_ms = config->cache.absent_ms,
		    .stale_ms = config->cache.stale_ms,
		});
	pthread_mutex_init(&l->lock, NULL);
	l->state = l->kind->open(source);
}

struct directory *
directory_new(struct config *config)
{
	struct directory *d = mem_new(sizeof(*d));

	d->config = config_ref(config);
	d->n_links = config->n_directory;
	d->links = mem_new_array(d->n_links + 1, sizeof(*d->links));
	for (size_t i = 0; i < d->n_links; i++)
		open_link(&d->links[i], config, &config->directory[i]);
	return d;
}

void
directory_free(struct directory *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n_links; i++) {
		struct link *l = &d->links[i];

		l->kind->close(l->state);
		cache_free(l->cache);
		pthread_mutex_destroy(&l->lock);
	}
	free(d->links);
	config_unref(d->config);
	free(d);
}

/* What is known without asking.  True when that is the answer; otherwise
 * *cached tells what there is for the case of need. */
static bool
answer_unasked(struct link *l, const struct address *address,
    enum cached *cached, struct directory_answer *answer)
{
	int64_t now_ms = clock_monotonic_ms();

	*cached = cache_ask(l->cache, address, now_ms);
	if (*cached == CACHE_FOUND || *cached == CACHE_ABSENT) {
		bool found = *cached == CACHE_FOUND;

		source_answer(answer, found ? EXISTS : ABSENT,
		    "%s: %s (cached)", l->label,
		    found ? "found" : "no such address");
		return true;
	}
	if (breaker_allows(&l->breaker, now_ms))
		return false;
	source_answer(answer, UNKNOWN, "%s (not asked again yet)", l->fault);
	return true;
}

/* Called with the lock held. */
static void
note_outcome(struct link *l, bool answered, const char *fault)
{
	int64_t now_ms = clock_monotonic_ms();

	breaker_report(&l->breaker, answered, now_ms);
	l->answered_ms = answered ? now_ms : 0;
	if (!answered)
		snprintf(l->fault, sizeof(l->fault), "%s", fault);
}

static void
ask_source(struct link *l, const struct address *address,
    struct directory_answer *answer)
{
	bool known;

	l->kind->lookup(l->state, address, answer);
	known = answer->existence != UNKNOWN;
	pthread_mutex_lock(&l->lock);
	note_outcome(l, known, answer->reason);
	if (known)
		cache_remember(l->cache, address, answer->existence == EXISTS,
		    l->answered_ms);
	pthread_mutex_unlock(&l->lock);
}

static void
lookup_remote(struct link *l, const struct address *address,
    struct directory_answer *answer)
{
	enum cached cached;
	bool answered;

	pthread_mutex_lock(&l->lock);
	answered = answer_unasked(l, address, &cached, answer);
	pthread_mutex_unlock(&l->lock);
	if (!answered)
		ask_source(l, address, answer);
	if (answer->existence == UNKNOWN && cached == CACHE_STALE)
		source_answer(answer, EXISTS,
		    "%s: found (stale, directory away)", l->label);
}

/* The reasons of all who said no. */
static void
add_absent(struct directory_answer *all, const char *reason)
{
	struct directory_answer before = *all;

	if (before.reason[0] == '\0')
		source_answer(all, ABSENT, "%s", reason);
	else
		source_answer(all, ABSENT, "%s; %s", before.reason, reason);
}

void
directory_lookup_steps(struct directory *d, const struct address *address,
    struct directory_answer *answer, directory_step *step, void *context)
{
	struct directory_answer absent = { .existence = ABSENT };
	struct directory_answer unknown = { .existence = ABSENT };

	for (size_t i = 0; i < d->n_links; i++) {
		struct link *l = &d->links[i];

		if (l->kind->remote)
			lookup_remote(l, address, answer);
		else
			l->kind->lookup(l->state, address, answer);
		if (step != NULL)
			step(context, l->kind->name, answer);
		if (answer->existence == EXISTS)
			return;
		if (answer->existence == ABSENT)
			add_absent(&absent, answer->reason);
		else if (unknown.existence != UNKNOWN)
			unknown = *answer;
	}
	*answer = unknown.existence == UNKNOWN ? unknown : absent;
	if (d->n_links == 0)
		source_answer(answer, EXISTS, "no directory configured");
}

void
directory_lookup(struct directory *d, const struct address *address,
    struct directory_answer *answer)
{
	directory_lookup_steps(d, address, answer, NULL, NULL);
}

/* The whole question with an address that nobody can have (RFC 2606): a server
 * that is up but cannot search (base renamed, rights withdrawn) is no more
 * use than one that is away. */
static void
ask_nobody(struct link *l, struct directory_answer *answer)
{
	static const struct address nobody = { "mailhaul-ready", "invalid" };

	l->kind->lookup(l->state, &nobody, answer);
}

/* An answer within the last second is proof enough; the breaker decides
 * whether a source that is away may be asked. */
static bool
is_ready_unasked(struct link *l, bool *ask, struct directory_answer *answer)
{
	int64_t now_ms = clock_monotonic_ms();
	bool ready;

	pthread_mutex_lock(&l->lock);
	ready = l->answered_ms != 0 && now_ms - l->answered_ms < FRESH_MS;
	*ask = !ready && breaker_allows(&l->breaker, now_ms);
	if (!ready && !*ask)
		source_answer(answer, UNKNOWN, "%s", l->fault);
	pthread_mutex_unlock(&l->lock);
	return ready;
}

static bool
is_link_ready(struct link *l, struct directory_answer *answer)
{
	bool ask = true;

	if (l->kind->remote && is_ready_unasked(l, &ask, answer))
		return true;
	if (!ask)
		return false;
	ask_nobody(l, answer);
	pthread_mutex_lock(&l->lock);
	note_outcome(l, answer->existence != UNKNOWN, answer->reason);
	pthread_mutex_unlock(&l->lock);
	return answer->existence != UNKNOWN;
}

bool
directory_ready(struct directory *d, char reason[DIRECTORY_REASON_SIZE])
{
	struct directory_answer answer;

	for (size_t i = 0; i < d->n_links; i++)
		if (!is_link_ready(&d->links[i], &answer)) {
			memcpy(reason, answer.reason, sizeof(answer.reason));
			return false;
		}
	return true;
}
