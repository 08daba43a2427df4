/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pass.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/plan.h"

/* A delivery under way: which message of which pass. */
struct flight {
	struct pass *pass;
	uint32_t number;
};

static void
queue_push(struct queue *q, uint32_t item)
{
	if (q->n == q->room) {
		q->room = q->room == 0 ? 64 : 2 * q->room;
		q->items = mem_resize(q->items, q->room, sizeof(*q->items));
	}
	q->items[q->n++] = item;
}

static bool
queue_is_empty(const struct queue *q)
{
	return q->taken == q->n;
}

void
pass_init(struct pass *p, const struct session_settings *settings,
    loop_handler *changed, void *arg)
{
	*p = (struct pass){
		.settings = settings, .changed = changed, .arg = arg
	};
	account_key(settings->account, p->account_key, sizeof(p->account_key));
	p->listing.found.account = p->account_key;
	p->listing.found.host = settings->account->host;
	p->listing.found.user = settings->account->user;
	p->result.end = PASS_DONE;
	if (settings->progress != NULL)
		*settings->progress = &p->result;
}

void
pass_clear(struct pass *p)
{
	if (p->awaiting_room)
		delivery_forget(p->settings->delivery, p);
	incoming_free(p->incoming);
	listing_clear(&p->listing);
	free(p->fetches.items);
	free(p->oversize.items);
	free(p->deletes.items);
}

bool
pass_idle(const struct pass *p)
{
	return p->in_flight == 0 && !p->comparing;
}

void
pass_stop(struct pass *p, enum pass_end end, const struct error *err)
{
	p->stopping = true;
	/* The first reason is the true one. */
	if (err != NULL && p->result.end != PASS_FAILED &&
	    p->result.end != PASS_HELD) {
		p->result.end = end;
		p->result.error = *err;
	}
}

void
pass_notice(struct pass *p, const struct error *what)
{
	if (p->result.notice.text[0] == '\0')
		p->result.notice = *what;
}

static void
on_delivered(
    void *arg, enum delivery_outcome outcome, const struct error *reason)
{
	struct flight *flight = arg;
	struct pass *p = flight->pass;

	p->in_flight--;
	switch (outcome) {
	case DELIVERY_INJECTED:
		p->result.injected++;
		if (p->settings->account->keep == KEEP_NONE)
			queue_push(&p->deletes, flight->number);
		break;
	case DELIVERY_RETRY:
		p->result.waiting++;
		break;
	case DELIVERY_SETTLED:
		break;
	case DELIVERY_HELD:
		pass_stop(p, PASS_HELD, reason);
		break;
	}
	free(flight);
	p->changed(p->arg);
}

/* What the listing and the state know of an entry that now goes to delivery. */
static struct delivery_message
take_off(struct pass *p, const struct listed *entry)
{
	struct flight *flight = mem_new(sizeof(*flight));

	*flight = (struct flight){ .pass = p, .number = entry->number };
	p->in_flight++;
	return (struct delivery_message){
		.account = p->settings->account,
		.uid = listing_uid(&p->listing, entry),
		.row = entry->row,
		.size = entry->size,
		.tier = TIER_FALLBACK,
		.done = on_delivered,
		.arg = flight,
	};
}

static void
settle(struct pass *p, const struct listed *entry, enum seen_status status,
    const char *reason)
{
	struct delivery_message message = take_off(p, entry);

	spool_make_id(message.id);
	delivery_settle(p->settings->delivery, &message, status, reason);
}

static void
on_room(void *arg)
{
	struct pass *p = arg;

	p->awaiting_room = false;
	p->changed(p->arg);
}

static bool
has_room(struct pass *p)
{
	if (delivery_has_room(p->settings->delivery))
		return true;
	if (!p->awaiting_room)
		delivery_await_room(p->settings->delivery, on_room, p);
	p->awaiting_room = true;
	return false;
}

static bool
at_limit(struct pass *p)
{
	if (p->result.fetched < p->settings->account->max_messages_per_pass)
		return false;
	p->stopping = true;
	if (p->result.end == PASS_DONE)
		p->result.end = PASS_MORE;
	return true;
}

static uint64_t
size_limit(const struct pass *p)
{
	return readiness_facts(p->settings->readiness)->message_size_limit;
}

static void
plan_entry(struct pass *p, uint32_t offset)
{
	const struct listed *entry = p->listing.found.entries + offset;

	switch (plan_message(p->settings->account, &entry->row, entry->size,
	    size_limit(p), clock_wall_ms())) {
	case PLAN_FETCH:
		queue_push(&p->fetches, offset);
		break;
	case PLAN_DELETE:
		queue_push(&p->deletes, entry->number);
		break;
	case PLAN_WAIT:
		p->result.waiting++;
		break;
	case PLAN_OVERSIZE:
		queue_push(&p->oversize, offset);
		break;
	case PLAN_KEEP:
		break;
	}
}

static void
plan_all(struct pass *p)
{
	struct error err;
	size_t twice = 0;

	for (uint32_t i = 0; i < p->listing.found.n; i++)
		if (p->listing.found.entries[i].duplicate)
			twice++;
		else
			plan_entry(p, i);
	if (twice == 0)
		return;
	error_set(&err, ERROR_PROTOCOL,
	    "the server lists %zu messages under a UID that is not theirs "
	    "alone; they are left there",
	    twice);
	pass_notice(p, &err);
}

static void
on_compared(void *arg, bool ok, const struct error *err)
{
	struct pass *p = arg;

	p->comparing = false;
	if (ok)
		plan_all(p);
	else
		pass_stop(p, PASS_FAILED, err);
	p->changed(p->arg);
}

void
pass_compare(struct pass *p)
{
	p->comparing = true;
	p->result.listed = (unsigned)p->listing.found.n;
	storage_compare(
	    p->settings->storage, &p->listing.found, on_compared, p);
}

/* Is there a message to retrieve, and may it be done now? */
static bool
may_retrieve(struct pass *p)
{
	return !p->stopping && !queue_is_empty(&p->fetches) && !at_limit(p) &&
	       has_room(p);
}

static void
begin_message(struct pass *p)
{
	p->current =
	    p->listing.found.entries + p->fetches.items[p->fetches.taken++];
	p->incoming_settings = (struct incoming_settings){
		.config = p->settings->config,
		.account = p->settings->account,
		.key = p->settings->key,
		.hopcount_limit =
		    readiness_facts(p->settings->readiness)->hopcount_limit,
		.size_limit = size_limit(p),
	};
	p->incoming = incoming_new(&p->incoming_settings);
}

/* A server may list a million of them: no more at a time than deliveries. */
static void
report_oversize(struct pass *p)
{
	while (!p->stopping && !queue_is_empty(&p->oversize) && has_room(p))
		settle(p,
		    p->listing.found.entries +
			p->oversize.items[p->oversize.taken++],
		    SEEN_OVERSIZE,
		    "larger than Postfix's message_size_limit; left at the "
		    "provider");
}

enum pass_step
pass_next(struct pass *p, uint32_t *number)
{
	if (p->comparing)
		return STEP_WAIT;
	/* Deletes first: a session that breaks then has them behind it. */
	if (!queue_is_empty(&p->deletes)) {
		*number = p->deletes.items[p->deletes.taken++];
		return STEP_DELETE;
	}
	if (may_retrieve(p)) {
		begin_message(p);
		*number = p->current->number;
		return STEP_RETRIEVE;
	}
	report_oversize(p);
	if (p->in_flight > 0 || (p->awaiting_room && !p->stopping))
		return STEP_WAIT;
	return STEP_QUIT;
}

bool
pass_body(struct pass *p, struct slice bytes, struct error *err)
{
	return incoming_feed(p->incoming, bytes, err);
}

void
pass_abandon(struct pass *p)
{
	incoming_free(p->incoming);
	p->incoming = NULL;
	p->current = NULL;
}

bool
pass_body_end(struct pass *p, struct error *err)
{
	struct delivery_message message;
	const char *park;

	if (!incoming_finish(p->incoming, err))
		return false;
	CRASH_POINT("spooled");
	p->result.fetched++;
	message = take_off(p, p->current);
	incoming_describe(p->incoming, &message);
	incoming_keep(p->incoming);
	park = incoming_park_reason(p->incoming);
	if (park != NULL)
		delivery_settle(
		    p->settings->delivery, &message, SEEN_PARKED, park);
	else if (incoming_is_too_large(p->incoming))
		delivery_settle(p->settings->delivery, &message, SEEN_OVERSIZE,
		    "larger than Postfix's message_size_limit, though not by "
		    "the server's LIST; left at the provider");
	else
		delivery_submit(p->settings->delivery, &message);
	pass_abandon(p);
	return true;
}

void
pass_broken(struct pass *p, const struct error *err)
{
	settle(p, p->current, SEEN_RETRY, err->text);
	pass_abandon(p);
}

void
pass_deleted(struct pass *p)
{
	p->result.deleted++;
}
