/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/dialogue_phase.h"

unsigned
dialogue_room(const struct dialogue *d)
{
	return d->ended || !d->logged_in ? 0 : d->protocol->room(d->machine);
}

bool
dialogue_busy(const struct dialogue *d)
{
	return !d->ended && d->logged_in && d->protocol->busy(d->machine);
}

/* A message may be under way: its clock is the longer one. */
static bool
is_fetching(const struct dialogue *d)
{
	return d->phase == PHASE_MESSAGE && d->protocol->busy(d->machine);
}

/* Whether anything can be asked for still. */
static bool
begin(struct dialogue *d, enum phase phase)
{
	if (d->ended)
		return false;
	d->advanced |= d->phase != phase;
	d->phase = phase;
	return true;
}

typedef struct protocol_action command_alone(void *, struct error *);
typedef struct protocol_action
command_with_name(void *, const char *, struct error *);
typedef struct protocol_action command_about(void *, uint32_t, struct error *);

static void
give(struct dialogue *d, enum phase phase, command_alone *command)
{
	struct error err;

	if (begin(d, phase))
		dialogue_perform(d, command(d->machine, &err), &err);
}

static void
give_name(struct dialogue *d, command_with_name *command, const char *name)
{
	struct error err;

	if (begin(d, PHASE_LISTING))
		dialogue_perform(d, command(d->machine, name, &err), &err);
}

static void
give_number(struct dialogue *d, enum phase phase, command_about *command,
    uint32_t number)
{
	struct error err;

	if (begin(d, phase))
		dialogue_perform(d, command(d->machine, number, &err), &err);
}

void
dialogue_folders(struct dialogue *d, const char *pattern)
{
	give_name(d, d->protocol->folders, pattern);
}

void
dialogue_enter(struct dialogue *d, const char *folder)
{
	give_name(d, d->protocol->open, folder);
}

void
dialogue_refresh(struct dialogue *d)
{
	give(d, PHASE_LISTING, d->protocol->refresh);
}

void
dialogue_retrieve(struct dialogue *d, uint32_t number)
{
	give_number(d, PHASE_MESSAGE, d->protocol->retrieve, number);
}

void
dialogue_dispose(struct dialogue *d, uint32_t number)
{
	give_number(d, is_fetching(d) ? PHASE_MESSAGE : PHASE_COMMAND,
	    d->protocol->dispose, number);
}

void
dialogue_noop(struct dialogue *d)
{
	give(d, PHASE_COMMAND, d->protocol->noop);
}

void
dialogue_idle(struct dialogue *d)
{
	give(d, PHASE_IDLE, d->protocol->idle);
}

void
dialogue_rouse(struct dialogue *d)
{
	give(d, PHASE_COMMAND, d->protocol->rouse);
}

void
dialogue_quit(struct dialogue *d)
{
	d->quitting = true;
	give(d, PHASE_QUIT, d->protocol->quit);
}
