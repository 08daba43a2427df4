/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp - an SMTP server as directory source: would it take mail for this
 * address?  For servers that know their people but offer no LDAP to us.
 *
 * A server that takes mail for everybody tells nothing.  So before a "yes" is
 * believed in a domain, the server must have turned down an address there that
 * nobody can have; it is asked again after PROOF_MS.
 */
#include "directory/source.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "directory/smtp_session.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	IDLE_MAX = 4,
	IDLE_MAX_MS = 30000, /* servers wait longer */
	PROOF_MS = 600000,
};

struct idle {
	struct smtp_session *session;
	int64_t since_ms;
};

/* What is known of one of the accepted domains. */
struct proof {
	bool takes_everybody;
	int64_t until_ms; /* 0: nothing */
};

struct smtp_directory {
	const struct directory_source *source; /* borrowed */
	const struct smtp_source *settings;    /* its own */
	const struct config *config;           /* borrowed */
	pthread_mutex_t lock;                  /* guards all that follows */
	struct idle idle[IDLE_MAX];
	size_t n_idle;
	struct proof *proofs; /* for each accepted domain */
};

/* One question under way. */
struct dialogue {
	struct smtp_directory *directory;
	struct smtp_session *session; /* NULL: none yet */
	bool kept;                    /* it was used before */
	int64_t deadline_ms;
};

static void *
open_smtp(const struct config *config, const struct directory_source *source)
{
	struct smtp_directory *d = mem_new(sizeof(*d));

	d->source = source;
	d->settings = &source->smtp;
	d->config = config;
	d->proofs = mem_new_array(config->n_domains + 1, sizeof(*d->proofs));
	pthread_mutex_init(&d->lock, NULL);
	return d;
}

static void
close_smtp(void *state)
{
	struct smtp_directory *d = state;

	while (d->n_idle > 0)
		smtp_session_close(d->idle[--d->n_idle].session);
	pthread_mutex_destroy(&d->lock);
	free(d->proofs);
	free(d);
}

static struct smtp_session *
take_idle(struct smtp_directory *d)
{
	struct idle taken = { 0 };
	bool found;

	for (;;) {
		pthread_mutex_lock(&d->lock);
		found = d->n_idle > 0;
		if (found)
			taken = d->idle[--d->n_idle];
		pthread_mutex_unlock(&d->lock);
		if (!found)
			return NULL;
		if (clock_monotonic_ms() - taken.since_ms < IDLE_MAX_MS)
			return taken.session;
		smtp_session_close(taken.session);
	}
}

/* Within the source's time-out and the question's. */
static int64_t
step_deadline(const struct dialogue *t)
{
	int64_t own_ms =
	    clock_monotonic_ms() + t->directory->settings->timeout_ms;

	return own_ms < t->deadline_ms ? own_ms : t->deadline_ms;
}

static void
hang_up(struct dialogue *t)
{
	if (t->session != NULL)
		smtp_session_close(t->session);
	t->session = NULL;
}

static void
finish(struct dialogue *t)
{
	struct smtp_directory *d = t->directory;
	struct error err;

	if (t->session == NULL)
		return;
	if (smtp_session_is_worn(t->session) ||
	    !smtp_session_reset(t->session, step_deadline(t), &err)) {
		hang_up(t);
		return;
	}
	pthread_mutex_lock(&d->lock);
	if (d->n_idle < IDLE_MAX) {
		d->idle[d->n_idle++] =
		    (struct idle){ t->session, clock_monotonic_ms() };
		t->session = NULL;
	}
	pthread_mutex_unlock(&d->lock);
	hang_up(t);
}

static bool
have_session(struct dialogue *t, int64_t deadline_ms, struct error *err)
{
	if (t->session != NULL && smtp_session_is_worn(t->session))
		hang_up(t);
	if (t->session != NULL)
		return true;
	t->session = take_idle(t->directory);
	t->kept = t->session != NULL;
	if (!t->kept)
		t->session =
		    smtp_session_open(t->directory->settings, deadline_ms, err);
	return t->session != NULL;
}

/* False: in trouble, UNKNOWN with the reason.  A session that the server has
 * given up meanwhile is replaced. */
static bool
ask(struct dialogue *t, const struct address *address,
    struct directory_answer *answer)
{
	int64_t deadline_ms = step_deadline(t);
	struct error err;

	while (have_session(t, deadline_ms, &err)) {
		if (smtp_session_ask(
			t->session, address, deadline_ms, answer, &err)) {
			t->kept = true;
			return true;
		}
		hang_up(t);
		if (!t->kept)
			break;
	}
	source_answer(answer, UNKNOWN, "%s", err.text);
	return false;
}

static void
make_nobody(const char *domain, struct address *nobody)
{
	uint64_t number;

	digest_random(&number, sizeof(number));
	snprintf(nobody->local, sizeof(nobody->local),
	    "mailhaul-nobody-%016" PRIx64, number);
	snprintf(nobody->domain, sizeof(nobody->domain), "%s", domain);
}

/* Does the server tell people apart in this domain?  Otherwise, or when that
 * cannot be found out, UNKNOWN with the reason. */
static bool
prove(struct dialogue *t, size_t i, const char *domain,
    struct directory_answer *answer)
{
	struct smtp_directory *d = t->directory;
	const struct smtp_source *settings = d->settings;
	struct directory_answer said;
	struct address nobody;
	bool everybody;

	make_nobody(domain, &nobody);
	if (!ask(t, &nobody, &said)) {
		*answer = said;
		return false;
	}
	everybody = said.existence == EXISTS;
	pthread_mutex_lock(&d->lock);
	d->proofs[i] =
	    (struct proof){ everybody, clock_monotonic_ms() + PROOF_MS };
	pthread_mutex_unlock(&d->lock);
	if (everybody)
		source_answer(answer, UNKNOWN,
		    "%s:%u: takes mail for anybody@%s, so it cannot tell who "
		    "exists: switch its recipient check on, or use another "
		    "source",
		    settings->host, settings->port, domain);
	return !everybody;
}

/* The proof that counts now. */
static bool
is_proved(struct smtp_directory *d, size_t i)
{
	bool proved;

	pthread_mutex_lock(&d->lock);
	proved = d->proofs[i].until_ms > clock_monotonic_ms() &&
		 !d->proofs[i].takes_everybody;
	pthread_mutex_unlock(&d->lock);
	return proved;
}

static bool
look_up(struct dialogue *t, const struct address *address,
    struct directory_answer *answer)
{
	const struct config *config = t->directory->config;
	const struct accepted_domain *domain =
	    config_domain(config, address->domain);
	size_t i;

	if (domain == NULL) {
		source_answer(answer, UNKNOWN, "%s is no accepted domain",
		    address->domain);
		return true;
	}
	i = (size_t)(domain - config->domains);
	if (!ask(t, address, answer))
		return false;
	return answer->existence != EXISTS || is_proved(t->directory, i) ||
	       prove(t, i, address->domain, answer);
}

static void
lookup(void *state, const struct directory_question *q,
    struct directory_answer *answers)
{
	struct dialogue t = { .directory = state,
		.deadline_ms = q->deadline_ms };
	bool works = true;

	for (size_t i = 0; i < q->n; i++)
		if (works)
			works = look_up(&t, &q->addresses[i], &answers[i]);
		else
			/* The others need not wait for the same. */
			answers[i] = answers[i - 1];
	finish(&t);
}

/* A session whose server still answers. */
static bool
have_live_session(struct dialogue *t, struct error *err)
{
	int64_t deadline_ms = step_deadline(t);

	while (have_session(t, deadline_ms, err)) {
		if (!t->kept ||
		    smtp_session_reset(t->session, deadline_ms, err))
			return true;
		hang_up(t);
	}
	return false;
}

/* Looks at every domain of which no good is known. */
static void
ready(void *state, int64_t deadline_ms, struct directory_answer *answer)
{
	struct smtp_directory *d = state;
	const struct config *config = d->config;
	struct dialogue t = { .directory = d, .deadline_ms = deadline_ms };
	struct error err;
	bool works = have_live_session(&t, &err);

	source_answer(answer, works ? ABSENT : UNKNOWN, "%s",
	    works ? "answers" : err.text);
	for (size_t i = 0; works && i < config->n_domains; i++) {
		const struct accepted_domain *domain = &config->domains[i];

		if (domain->name[0] != '.' && domain->map_to == NULL &&
		    source_covers(d->source, domain->name) && !is_proved(d, i))
			works = prove(&t, i, domain->name, answer);
	}
	finish(&t);
}

const struct source_kind source_smtp = {
	.name = "smtp",
	.remote = true,
	.open = open_smtp,
	.lookup = lookup,
	.ready = ready,
	.close = close_smtp,
};
