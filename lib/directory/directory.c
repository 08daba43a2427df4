/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/directory.h"

#include "base/clock.h"
#include "base/mem.h"
#include "directory/link.h"

#include <stdlib.h>
#include <string.h>

/* For a single look-up; the sources' own time-outs are shorter. */
enum { LOOKUP_MS = 30000 };

struct directory {
	struct config *config;
	struct link **links;
	size_t n_links;
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

struct directory *
directory_new(struct config *config)
{
	struct directory *d = mem_new(sizeof(*d));

	d->config = config_ref(config);
	d->n_links = config->n_directory;
	d->links = mem_new_array(d->n_links + 1, sizeof(struct link *));
	for (size_t i = 0; i < d->n_links; i++)
		d->links[i] = link_new(config, &config->directory[i]);
	return d;
}

void
directory_free(struct directory *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n_links; i++)
		link_free(d->links[i]);
	free(d->links);
	config_unref(d->config);
	free(d);
}

/* The questions of a chain: who has been found needs no second opinion. */
struct chain {
	const struct directory_question *question;
	struct directory_answer *answers; /* so far; "" : nobody asked yet */
	/* Of those who are still open. */
	struct address *addresses;
	struct directory_answer *said;
	size_t *places;
	size_t n;
};

static void
chain_init(struct chain *c, const struct directory_question *question,
    struct directory_answer *answers)
{
	*c = (struct chain){ .question = question, .answers = answers };
	c->addresses = mem_new_array(question->n + 1, sizeof(*c->addresses));
	c->said = mem_new_array(question->n + 1, sizeof(*c->said));
	c->places = mem_new_array(question->n + 1, sizeof(*c->places));
	for (size_t i = 0; i < question->n; i++)
		answers[i] = (struct directory_answer){ .existence = ABSENT };
}

static void
chain_clear(struct chain *c)
{
	free(c->addresses);
	free(c->said);
	free(c->places);
}

/* The first who is unsure, else the reasons of all who said no. */
static void
combine(struct directory_answer *all, const struct directory_answer *said)
{
	struct directory_answer before = *all;

	if (said->existence == EXISTS || before.reason[0] == '\0')
		*all = *said;
	else if (before.existence == ABSENT && said->existence == ABSENT)
		source_answer(
		    all, ABSENT, "%s; %s", before.reason, said->reason);
	else if (before.existence == ABSENT)
		*all = *said;
}

/* Asks the source of this number. */
static void
ask_link(struct directory *d, struct chain *c, size_t source)
{
	const struct directory_source *settings = &d->config->directory[source];
	struct directory_question open = { c->addresses, 0,
		c->question->deadline_ms };

	for (size_t i = 0; i < c->question->n; i++) {
		if (c->answers[i].existence == EXISTS ||
		    !source_covers(settings, c->question->addresses[i].domain))
			continue;
		c->addresses[open.n] = c->question->addresses[i];
		c->places[open.n++] = i;
	}
	c->n = open.n;
	if (open.n == 0)
		return;
	link_ask(d->links[source], &open, c->said);
	for (size_t i = 0; i < open.n; i++)
		combine(&c->answers[c->places[i]], &c->said[i]);
}

/* Nobody knows the people of such a domain, so nobody is turned away. */
static void
answer_uncovered(const struct directory *d, struct chain *c)
{
	for (size_t i = 0; i < c->question->n; i++)
		if (c->answers[i].reason[0] != '\0')
			continue;
		else if (d->n_links == 0)
			source_answer(
			    &c->answers[i], EXISTS, "no directory configured");
		else
			source_answer(&c->answers[i], EXISTS,
			    "no source of the directory is for %s",
			    c->question->addresses[i].domain);
}

void
directory_lookup_many(struct directory *d, const struct directory_question *q,
    struct directory_answer *answers)
{
	struct chain chain;

	chain_init(&chain, q, answers);
	for (size_t i = 0; i < d->n_links; i++)
		ask_link(d, &chain, i);
	answer_uncovered(d, &chain);
	chain_clear(&chain);
}

void
directory_lookup_steps(struct directory *d, const struct address *address,
    struct directory_answer *answer, directory_step *step, void *context)
{
	const struct directory_question one = { address, 1,
		clock_monotonic_ms() + LOOKUP_MS };
	struct chain chain;

	chain_init(&chain, &one, answer);
	for (size_t i = 0; i < d->n_links; i++) {
		ask_link(d, &chain, i);
		if (chain.n > 0)
			step(context, link_kind(d->links[i]), chain.said);
	}
	if (answer->reason[0] == '\0') {
		answer_uncovered(d, &chain);
		step(context, "directory", answer);
	}
	chain_clear(&chain);
}

void
directory_lookup(struct directory *d, const struct address *address,
    struct directory_answer *answer)
{
	directory_lookup_many(d,
	    &(struct directory_question){
		address, 1, clock_monotonic_ms() + LOOKUP_MS },
	    answer);
}

bool
directory_ready(struct directory *d, char reason[DIRECTORY_REASON_SIZE])
{
	struct directory_answer answer;

	for (size_t i = 0; i < d->n_links; i++)
		if (!link_ready(d->links[i], &answer)) {
			memcpy(reason, answer.reason, sizeof(answer.reason));
			return false;
		}
	return true;
}

size_t
directory_sources(const struct directory *d)
{
	return d->n_links;
}

void
directory_statistics(
    struct directory *d, size_t source, struct directory_statistics *out)
{
	link_statistics(d->links[source], out);
}
