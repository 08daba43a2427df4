/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pass.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/plan.h"

/* Disposals of IMAP are told to the state in groups of this size. */
enum { CONFIRM_AT = 100 };

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

static char *
mailbox_key(const struct account *account, const char *folder)
{
	char key[ACCOUNT_KEY_SIZE], *mailbox;

	account_key(account, key, sizeof(key));
	if (folder == NULL)
		return mem_string(key);
	if (asprintf(&mailbox, "%s/%s", key, folder) < 0)
		abort();
	return mailbox;
}

void
pass_init(struct pass *p, const struct session_settings *settings,
    const char *folder, loop_handler *changed, void *arg)
{
	*p = (struct pass){
		.settings = settings, .changed = changed, .arg = arg
	};
	p->mailbox = mailbox_key(settings->account, folder);
	p->immediate = folder != NULL;
	p->listing.found.account = p->mailbox;
	p->listing.found.host = settings->account->host;
	p->listing.found.user = settings->account->user;
	p->result.end = PASS_DONE;
	if (settings->progress != NULL)
		*settings->progress = &p->result;
}

void
pass_clear(struct pass *p)
{
	if (p->immediate)
		pass_confirmed(p);
	if (p->awaiting_room)
		delivery_forget(p->settings->delivery, p);
	incoming_free(p->incoming);
	listing_clear(&p->listing);
	free(p->fetches.items);
	free(p->oversize.items);
	free(p->deletes.items);
	free(p->disposed.items);
	free(p->mailbox);
}

void
pass_restart(struct pass *p)
{
	p->stopping = false;
	p->asked = 0;
	p->asked_bytes = 0;
	p->received = 0;
	p->result = (struct pass_result){ .end = PASS_DONE };
}

void
pass_move(struct pass *p, const char *folder)
{
	struct pass before = *p;

	pass_clear(p);
	pass_init(p, before.settings, folder, before.changed, before.arg);
	p->result = before.result;
	p->asked = before.asked;
	p->asked_bytes = before.asked_bytes;
	p->received = before.received;
	p->stopping = before.stopping;
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
		.mailbox = p->mailbox,
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
	const struct account *account = p->settings->account;

	if (p->asked < account->max_messages_per_pass &&
	    (account->max_bytes_per_pass == 0 ||
		p->asked_bytes < account->max_bytes_per_pass))
		return false;
	p->stopping = true;
	if (p->result.end == PASS_DONE)
		p->result.end = PASS_MORE;
	return true;
}

/* Which of the two limits counts: Postfix's, or the account's own; 0: none. */
static uint64_t
size_limit(const struct pass *p)
{
	uint64_t postfix =
	    readiness_facts(p->settings->readiness)->message_size_limit;
	uint64_t own = p->settings->account->max_message_size;

	if (own == 0 || (postfix > 0 && postfix < own))
		return postfix;
	return own;
}

/* What is written adds to a message: one that is as large as its account allows
 * is not to fail for that. */
static uint64_t
spool_limit(const struct pass *p)
{
	uint64_t postfix =
	    readiness_facts(p->settings->readiness)->message_size_limit;
	uint64_t limit = size_limit(p);

	if (limit == postfix)
		return limit;
	limit += 2 * TICKET_MAX;
	return postfix > 0 && postfix < limit ? postfix : limit;
}

static const char *
oversize_reason(const struct pass *p)
{
	uint64_t own = p->settings->account->max_message_size;

	return own > 0 && size_limit(p) == own
		   ? "larger than max_message_size; left at the provider"
		   : "larger than Postfix's message_size_limit; left at the "
		     "provider";
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
sort_fetches(struct pass *p)
{
	const struct listed *entries = p->listing.found.entries;

	plan_sort(p->settings->account->order, entries, p->fetches.items,
	    p->fetches.n);
	p->result.due += (unsigned)p->fetches.n;
	for (size_t i = 0; i < p->fetches.n; i++)
		p->result.due_bytes += entries[p->fetches.items[i]].size;
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
	sort_fetches(p);
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
	if (p->result.begun_ms == 0)
		p->result.begun_ms = clock_monotonic_ms();
	p->result.listed += (unsigned)p->listing.found.n;
	storage_compare(
	    p->settings->storage, &p->listing.found, on_compared, p);
}

/* Is there a message to retrieve, and may it be done now? */
static bool
may_retrieve(struct pass *p)
{
	return !p->stopping && p->n_requested < PASS_REQUESTED_MAX &&
	       !queue_is_empty(&p->fetches) && !at_limit(p) && has_room(p);
}

/* What is asked for will fill the spool. */
static void
tell_expected(struct pass *p)
{
	uint64_t size = p->current == NULL ? 0 : p->current->size;

	for (size_t i = 0; i < p->n_requested; i++)
		size += p->listing.found.entries[p->requested[i]].size;
	delivery_expect(p->settings->delivery, p->expected, size);
	p->expected = size;
}

static uint32_t
request(struct pass *p)
{
	uint32_t offset = p->fetches.items[p->fetches.taken++];
	const struct listed *entry = p->listing.found.entries + offset;

	p->requested[p->n_requested++] = offset;
	p->asked++;
	p->asked_bytes += entry->size;
	tell_expected(p);
	return entry->number;
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

/* A server may list a million of them: no more at a time than deliveries. */
static void
report_oversize(struct pass *p)
{
	while (!p->stopping && !queue_is_empty(&p->oversize) && has_room(p))
		settle(p,
		    p->listing.found.entries +
			p->oversize.items[p->oversize.taken++],
		    SEEN_OVERSIZE, oversize_reason(p));
}

bool
pass_is_receiving(const struct pass *p)
{
	return p->n_requested > 0 || p->current != NULL;
}

enum pass_step
pass_next(struct pass *p, uint32_t *number)
{
	if (p->comparing)
		return STEP_WAIT;
	/* Deletes first: a session that breaks then has them behind it. */
	if (!queue_is_empty(&p->deletes)) {
		*number = p->deletes.items[p->deletes.taken++];
		return STEP_DISPOSE;
	}
	if (may_retrieve(p)) {
		*number = request(p);
		return STEP_RETRIEVE;
	}
	report_oversize(p);
	if (pass_is_receiving(p) || p->in_flight > 0 ||
	    (p->awaiting_room && !p->stopping))
		return STEP_WAIT;
	return STEP_QUIT;
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
		.key = p->settings->key,
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
	tell_expected(p);
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
	/* Progress is counted as the listing counts. */
	p->received = p->current->size > 0 ? p->received + p->current->size
					   : p->result.bytes;
	message = take_off(p, p->current);
	incoming_describe(p->incoming, &message);
	incoming_keep(p->incoming);
	park = incoming_park_reason(p->incoming);
	if (park != NULL)
		delivery_settle(
		    p->settings->delivery, &message, SEEN_PARKED, park);
	else if (incoming_is_too_large(p->incoming))
		delivery_settle(p->settings->delivery, &message, SEEN_OVERSIZE,
		    oversize_reason(p));
	else
		delivery_submit(p->settings->delivery, &message);
	drop_current(p);
	return true;
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
	tell_expected(p);
	settle(p, entry, SEEN_RETRY, err->text);
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
		settle(p, next, SEEN_RETRY, why->text);
}

void
pass_disposed(struct pass *p, uint32_t number)
{
	p->result.deleted++;
	queue_push(&p->disposed, number);
	if (p->immediate && p->disposed.n - p->disposed.taken >= CONFIRM_AT)
		pass_confirmed(p);
}

void
pass_confirmed(struct pass *p)
{
	size_t n = p->disposed.n - p->disposed.taken;
	struct slice *uids;

	if (n == 0)
		return;
	uids = mem_new_array(n, sizeof(*uids));
	for (size_t i = 0; i < n; i++)
		uids[i] = listing_uid(
		    &p->listing, listing_find(&p->listing,
				     p->disposed.items[p->disposed.taken++]));
	storage_disposed(p->settings->storage, p->mailbox,
	    p->settings->account->dispose.kind == DISPOSE_FLAG, uids, n);
	free(uids);
}
