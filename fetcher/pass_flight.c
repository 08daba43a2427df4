/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pass_flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/crash.h"
#include "base/mem.h"
#include "state/ticket_key.h"

struct listed *
pass_flight_entry(const struct flight *f)
{
	return f->pass->listing.found.entries + f->offset;
}

static void on_delivered(
    void *arg, enum delivery_outcome outcome, const struct error *reason);

static struct flight *
take_off(struct pass *p, const struct listed *entry)
{
	struct flight *f = mem_new(sizeof(*f));

	f->pass = p;
	f->offset = (uint32_t)(entry - p->listing.found.entries);
	f->message = (struct delivery_message){
		.account = p->settings->account,
		.mailbox = p->mailbox,
		.uid = listing_uid(&p->listing, entry),
		.row = entry->row,
		.size = entry->size,
		.tier = TIER_FALLBACK,
		.done = on_delivered,
		.arg = f,
	};
	f->next = p->flights;
	p->flights = f;
	p->in_flight++;
	return f;
}

/* What was asked for, and what is here and is being recognised; the rest is
 * delivery's. */
void
pass_tell_expected(struct pass *p)
{
	uint64_t size = p->current == NULL ? 0 : p->current->size;

	for (size_t i = 0; i < p->n_requested; i++)
		size += p->listing.found.entries[p->requested[i]].size;
	for (const struct flight *f = p->flights; f != NULL; f = f->next)
		if (f->incoming != NULL)
			size += f->message.size;
	room_expect(delivery_room(p->settings->delivery), p->expected, size);
	p->expected = size;
}

void
pass_release(struct flight *f)
{
	struct pass *p = f->pass;
	struct flight **at = &p->flights;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	p->in_flight--;
	incoming_free(f->incoming);
	free(f);
	pass_tell_expected(p);
}

void
pass_land(struct flight *f)
{
	struct pass *p = f->pass;

	pass_release(f);
	p->changed(p->arg);
}

static void
on_delivered(
    void *arg, enum delivery_outcome outcome, const struct error *reason)
{
	struct flight *f = arg;
	struct pass *p = f->pass;

	switch (outcome) {
	case DELIVERY_INJECTED:
		p->result.injected++;
		if (p->settings->account->keep == KEEP_NONE)
			pass_plan_disposal(p, pass_flight_entry(f)->number);
		break;
	case DELIVERY_DUPLICATE:
		p->result.duplicates++;
		if (p->settings->account->keep == KEEP_NONE)
			pass_plan_disposal(p, pass_flight_entry(f)->number);
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
	pass_land(f);
}

void
pass_settle(struct pass *p, const struct listed *entry, enum seen_status status,
    const char *reason)
{
	struct flight *f = take_off(p, entry);

	spool_make_id(f->message.id);
	delivery_settle(p->settings->delivery, &f->message, status, reason);
}

/* NULL: nothing of that number was asked for. */
static struct listed *
take_request(struct pass *p, uint32_t number)
{
	for (size_t i = 0; i < p->n_requested; i++) {
		struct listed *entry =
		    p->listing.found.entries + p->requested[i];

		if (entry->number != number)
			continue;
		p->n_requested--;
		memmove(p->requested + i, p->requested + i + 1,
		    (p->n_requested - i) * sizeof(*p->requested));
		return entry;
	}
	return NULL;
}

/* What is written adds to a message: one that is as large as its account allows
 * is not to fail for that. */
static uint64_t
spool_limit(const struct pass *p)
{
	uint64_t postfix =
	    readiness_facts(p->settings->readiness)->message_size_limit;
	uint64_t limit = pass_size_limit(p);

	if (limit == postfix)
		return limit;
	limit += 2 * TICKET_MAX;
	return postfix > 0 && postfix < limit ? postfix : limit;
}

bool
pass_body_begin(struct pass *p, uint32_t number, struct error *err)
{
	p->current = take_request(p, number);
	if (p->current == NULL)
		return error_set(err, ERROR_PROTOCOL,
		    "the server sent message %u, which it was not asked for",
		    number);
	p->incoming_settings = (struct incoming_settings){
		.config = p->settings->config,
		.account = p->settings->account,
		.key = &p->settings->keys->key[0],
		.hopcount_limit =
		    readiness_facts(p->settings->readiness)->hopcount_limit,
		.size_limit = spool_limit(p),
	};
	p->incoming = incoming_new(&p->incoming_settings);
	return true;
}

bool
pass_body(struct pass *p, struct slice bytes, struct error *err)
{
	p->result.bytes += bytes.len;
	return incoming_feed(p->incoming, bytes, err);
}

static void
drop_current(struct pass *p)
{
	p->result.bytes = p->received;
	incoming_free(p->incoming);
	p->incoming = NULL;
	p->current = NULL;
	pass_tell_expected(p);
}

void
pass_deliver(struct flight *f)
{
	struct pass *p = f->pass;
	struct delivery *delivery = p->settings->delivery;
	struct incoming *incoming = f->incoming;
	char why[INTAKE_REASON_SIZE];

	f->incoming = NULL;
	if (incoming_must_park(incoming, f->message.row.released, why)) {
		f->message.spool_path = NULL;
		f->message.spool_size = 0;
		delivery_settle(delivery, &f->message, SEEN_PARKED, why);
	} else if (incoming_is_too_large(incoming)) {
		delivery_settle(delivery, &f->message, SEEN_OVERSIZE,
		    pass_oversize_reason(p));
	} else {
		incoming_keep(incoming);
		delivery_submit(delivery, &f->message);
	}
	incoming_free(incoming);
	pass_tell_expected(p);
}

bool
pass_body_end(struct pass *p, struct error *err)
{
	struct flight *f;

	if (!incoming_finish(p->incoming, err))
		return false;
	CRASH_POINT("spooled");
	p->result.fetched++;
	/* Progress is counted as the listing counts. */
	p->received = p->current->size > 0 ? p->received + p->current->size
					   : p->result.bytes;
	f = take_off(p, p->current);
	f->incoming = p->incoming;
	incoming_describe(f->incoming, &f->message);
	memcpy(f->content, f->message.content, sizeof(f->content));
	f->message.content = f->content;
	if (f->message.fingerprint != NULL) {
		memcpy(f->fingerprint, f->message.fingerprint,
		    sizeof(f->fingerprint));
		f->message.fingerprint = f->fingerprint;
	}
	p->incoming = NULL;
	drop_current(p);
	pass_recognise(f);
	return true;
}

static void
try_later(struct pass *p, const struct listed *entry, const struct error *err)
{
	if (entry->uid_len > 0 && !entry->duplicate) {
		pass_settle(p, entry, SEEN_RETRY, err->text);
		return;
	}
	/* There is no name to remember it by. */
	p->result.waiting++;
	pass_notice(p, err);
}

void
pass_refused(struct pass *p, uint32_t number, const struct error *err)
{
	struct listed *entry = p->current;

	if (entry != NULL && entry->number == number)
		drop_current(p);
	else
		entry = take_request(p, number);
	if (entry == NULL) {
		pass_notice(p, err);
		return;
	}
	pass_tell_expected(p);
	try_later(p, entry, err);
}

void
pass_lost(struct pass *p, const struct error *why)
{
	struct listed *next = p->current;

	if (next == NULL && p->n_requested > 0)
		next = p->listing.found.entries + p->requested[0];
	p->n_requested = 0;
	drop_current(p);
	if (next != NULL && why != NULL && why->kind != ERROR_LOCAL)
		try_later(p, next, why);
}
