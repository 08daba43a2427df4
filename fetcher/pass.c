/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pass.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/mem.h"
#include "fetcher/folder_key.h"
#include "fetcher/pass_flight.h"
#include "fetcher/plan.h"

/* Disposals of IMAP are told to the state in groups of this size. */
enum { CONFIRM_AT = 100 };

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
    const char *folder, loop_handler *changed, void *arg)
{
	*p = (struct pass){
		.settings = settings, .changed = changed, .arg = arg
	};
	p->mailbox = folder_key(settings->account, folder);
	p->immediate = folder != NULL;
	p->listing.found.mailbox = p->mailbox;
	p->listing.found.host = settings->account->host;
	p->listing.found.user = settings->account->user;
	p->listing.found.keeps = settings->account->keep != KEEP_NONE;
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
		room_forget(delivery_room(p->settings->delivery), p);
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

void
pass_plan_disposal(struct pass *p, uint32_t number)
{
	queue_push(&p->deletes, number);
}

void
pass_drop_disposals(struct pass *p)
{
	p->deletes.taken = p->deletes.n;
}

bool
pass_unconfirmed(const struct pass *p)
{
	return !queue_is_empty(&p->disposed);
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

/* With IMAP, says which one. */
static struct error
about_folder(const struct pass *p, const struct error *what)
{
	char words[FOLDER_WORDS_SIZE];
	struct error named = *what;

	if (p->immediate)
		error_prefix(&named, "%s",
		    folder_words(p->settings->account, p->mailbox, words));
	return named;
}

void
pass_notice(struct pass *p, const struct error *what)
{
	if (p->result.notice.text[0] == '\0')
		p->result.notice = about_folder(p, what);
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
	struct room *room = delivery_room(p->settings->delivery);

	if (room_is_there(room))
		return true;
	if (!p->awaiting_room)
		room_await(room, on_room, p);
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
uint64_t
pass_size_limit(const struct pass *p)
{
	uint64_t postfix =
	    readiness_facts(p->settings->readiness)->message_size_limit;
	uint64_t own = p->settings->account->max_message_size;

	if (own == 0 || (postfix > 0 && postfix < own))
		return postfix;
	return own;
}

const char *
pass_oversize_reason(const struct pass *p)
{
	uint64_t own = p->settings->account->max_message_size;

	return own > 0 && pass_size_limit(p) == own
		   ? "larger than max_message_size; left at the provider"
		   : "larger than Postfix's message_size_limit; left at the "
		     "provider";
}

static void
plan_entry(struct pass *p, uint32_t offset)
{
	const struct listed *entry = p->listing.found.entries + offset;

	switch (plan_message(p->settings->account, &entry->row, entry->size,
	    pass_size_limit(p), clock_wall_ms())) {
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
		if (!entry->by_content)
			queue_push(&p->oversize, offset);
		break;
	case PLAN_KEEP:
		break;
	}
}

__attribute__((format(printf, 3, 4))) static void
notice_some(struct pass *p, size_t n, const char *fmt, ...)
{
	struct error what = { .kind = ERROR_PROTOCOL };
	va_list args;

	if (n == 0)
		return;
	va_start(args, fmt);
	vsnprintf(what.text, sizeof(what.text), fmt, args);
	va_end(args);
	pass_notice(p, &what);
}

/* Without a UID of its own a message can only be known when it is here. */
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
	struct storage_listing *l = &p->listing.found;
	uint64_t limit = pass_size_limit(p);
	size_t twins = 0, large = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		struct listed *entry = l->entries + i;

		entry->by_content =
		    entry->uid_len == 0 || (entry->duplicate && !l->keeps);
		p->unidentified += entry->by_content;
		if (entry->duplicate && l->keeps) {
			twins++;
			continue;
		}
		large += entry->by_content && limit > 0 && entry->size > limit;
		plan_entry(p, i);
	}
	sort_fetches(p);
	p->by_content = p->unidentified > 0;
	notice_some(p, twins,
	    "the server lists %zu messages under a UID that is not theirs "
	    "alone; they are left there",
	    twins);
	notice_some(p, large,
	    "%zu messages without a UID are larger than Postfix's "
	    "message_size_limit; they are left there",
	    large);
}

static void
on_compared(void *arg, bool ok, const struct error *err)
{
	struct pass *p = arg;
	struct error why;

	p->comparing = false;
	if (ok && !p->compared)
		plan_all(p);
	p->compared = true;
	if (!ok) {
		why = about_folder(p, err);
		pass_stop(p, PASS_FAILED, &why);
	}
	p->changed(p->arg);
}

static void
compare(struct pass *p)
{
	p->comparing = true;
	storage_compare(
	    p->settings->storage, &p->listing.found, on_compared, p);
}

void
pass_compare(struct pass *p)
{
	if (p->result.begun_ms == 0)
		p->result.begun_ms = clock_monotonic_ms();
	p->result.listed += (unsigned)p->listing.found.n;
	compare(p);
}

/* Now that each message is known by its content: which are gone? */
static bool
compare_again(struct pass *p)
{
	if (!p->by_content || p->unidentified > 0 || p->stopping)
		return false;
	p->by_content = false;
	compare(p);
	return true;
}

/* Is there a message to retrieve, and may it be done now? */
static bool
may_retrieve(struct pass *p)
{
	return !p->stopping &&
	       p->n_requested + p->recognising < PASS_REQUESTED_MAX &&
	       !queue_is_empty(&p->fetches) && !at_limit(p) && has_room(p);
}

static uint32_t
request(struct pass *p)
{
	uint32_t offset = p->fetches.items[p->fetches.taken++];
	const struct listed *entry = p->listing.found.entries + offset;

	p->requested[p->n_requested++] = offset;
	p->asked++;
	p->asked_bytes += entry->size;
	pass_tell_expected(p);
	return entry->number;
}

/* A server may list a million of them: no more at a time than deliveries. */
static void
report_oversize(struct pass *p)
{
	while (!p->stopping && !queue_is_empty(&p->oversize) && has_room(p))
		pass_settle(p,
		    p->listing.found.entries +
			p->oversize.items[p->oversize.taken++],
		    SEEN_OVERSIZE, pass_oversize_reason(p));
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
	    (p->awaiting_room && !p->stopping) || compare_again(p))
		return STEP_WAIT;
	return STEP_QUIT;
}

void
pass_disposed(struct pass *p, uint32_t number, bool stays)
{
	if (stays != p->stays)
		pass_confirmed(p);
	p->stays = stays;
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
	p->result.deleted += (unsigned)n;
	uids = mem_new_array(n, sizeof(*uids));
	for (size_t i = 0; i < n; i++)
		uids[i] = listing_uid(
		    &p->listing, listing_find(&p->listing,
				     p->disposed.items[p->disposed.taken++]));
	CRASH_POINT("before-bury");
	storage_disposed(p->settings->storage, p->mailbox, p->stays, uids, n);
	free(uids);
}
