/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/delivery_log.h"
#include "fetcher/inject.h"
#include "fetcher/originals.h"
#include "fetcher/plan.h"
#include "recipients/fingerprint.h"

enum {
	/* This many messages in a row, each refused for the first time, are
	 * not the messages' fault: a full disk, a broken main.cf. */
	FAILURES_ARE_LOCAL = 3,
	RECORD_AGAIN_MS = 5 * 1000,
	/* So many messages may wait for the hand-over of others, so that a
	 * provider that is far away is asked for more in time. */
	AHEAD = 16,
};

struct delivery {
	struct loop *loop;
	struct config *config;
	struct storage *storage;
	struct readiness *readiness;
	struct inject *inject;
	struct originals *originals;
	struct room *room;
	/* From the question to the milter until the commit: what a crash may
	 * double, so at most inject.parallel.  The others wait in turn. */
	size_t active;
	struct job *queued, **queued_end;
	unsigned failures; /* in a row */
	uint64_t archived; /* bytes, since the last expiry */
	bool stopping;
	struct timer *held; /* when it stops */
};

/* One message under way; owns copies of all it needs. */
struct job {
	struct delivery *delivery;
	struct delivery_message message;
	char *mailbox;
	uint8_t uid[SEEN_UID_MAX];
	uint8_t content[SEEN_CONTENT_SIZE];
	uint8_t fingerprint[SEEN_FINGERPRINT_SIZE];
	char group[FINGERPRINT_GROUP_SIZE];
	struct claim claim; /* with a fingerprint */
	char *spool_path;
	struct seen_row row;                 /* as it is to be */
	struct error reason;                 /* why it was not injected */
	char queue_id[INJECT_QUEUE_ID_SIZE]; /* Postfix's; "": it told none */
	struct timer *again;
	bool active;
	struct job *next; /* of the queued */
};

static void begin_queued(struct delivery *);
static loop_handler hold_queued;

static void
limit_room(struct delivery *d)
{
	room_limit(d->room, d->config->inject.parallel + AHEAD,
	    d->config->fetcher.max_spool);
}

struct delivery *
delivery_new(struct loop *loop, struct config *config, struct storage *storage,
    struct readiness *readiness)
{
	struct delivery *d = mem_new(sizeof(*d));

	d->loop = loop;
	d->config = config_ref(config);
	d->storage = storage;
	d->readiness = readiness;
	d->queued_end = &d->queued;
	d->inject = inject_new(loop, &config->inject);
	d->originals = originals_new(storage);
	d->room = room_new(loop);
	d->held = timer_new(loop, hold_queued, d);
	limit_room(d);
	return d;
}

void
delivery_free(struct delivery *d)
{
	inject_free(d->inject);
	originals_free(d->originals);
	room_free(d->room);
	timer_free(d->held);
	config_unref(d->config);
	free(d);
}

void
delivery_configure(struct delivery *d, struct config *config)
{
	struct config *old = d->config;

	d->config = config_ref(config);
	inject_configure(d->inject, &config->inject);
	limit_room(d);
	config_unref(old);
}

struct room *
delivery_room(struct delivery *d)
{
	return d->room;
}

static uint64_t
spooled(const struct job *job)
{
	return job->spool_path == NULL ? 0 : job->message.spool_size;
}

static struct job *
job_new(struct delivery *d, const struct delivery_message *message)
{
	struct job *job = mem_new(sizeof(*job));

	job->delivery = d;
	job->message = *message;
	job->mailbox = mem_string(message->mailbox);
	job->message.mailbox = job->mailbox;
	for (size_t i = 0; i < message->uid.len; i++)
		job->uid[i] = message->uid.data[i];
	job->message.uid.data = job->uid;
	if (message->content != NULL) {
		memcpy(job->content, message->content, sizeof(job->content));
		job->message.content = job->content;
	}
	if (message->fingerprint != NULL) {
		memcpy(job->fingerprint, message->fingerprint,
		    sizeof(job->fingerprint));
		job->message.fingerprint = job->fingerprint;
	}
	if (message->spool_path != NULL)
		job->spool_path = mem_string(message->spool_path);
	job->message.spool_path = job->spool_path;
	room_enter(d->room, spooled(job));
	return job;
}

static void
finish(struct job *job, enum delivery_outcome outcome)
{
	struct delivery *d = job->delivery;

	originals_release(&job->claim);
	room_leave(d->room, spooled(job));
	d->active -= job->active;
	job->message.done(job->message.arg, outcome, &job->reason);
	timer_free(job->again);
	free(job->mailbox);
	free(job->spool_path);
	free(job);
	begin_queued(d);
}

/* Nothing happened: the message is still at the provider, and only there. */
static void
hold(struct job *job, const struct error *reason)
{
	job->reason = *reason;
	if (job->spool_path != NULL)
		storage_discard(job->delivery->storage, job->spool_path);
	finish(job, DELIVERY_HELD);
}

static const enum delivery_outcome outcomes[] = {
	[SEEN_NEW] = DELIVERY_HELD,
	[SEEN_INJECTED] = DELIVERY_INJECTED,
	[SEEN_RETRY] = DELIVERY_RETRY,
	[SEEN_PARKED] = DELIVERY_SETTLED,
	[SEEN_OVERSIZE] = DELIVERY_SETTLED,
	[SEEN_DUPLICATE] = DELIVERY_DUPLICATE,
};

/* The archive is kept in its limits by time (daemon); with much mail, also by
 * size, so that it never exceeds max_size by more than a sixteenth. */
static void
count_archived(struct delivery *d, uint64_t size)
{
	uint64_t limit = d->config->archive.max_bytes;

	d->archived += size;
	if (d->archived < limit / 16)
		return;
	d->archived = 0;
	storage_expire(d->storage, d->config->archive.keep_ms, limit);
}

static void record(void *arg);

static void
on_recorded(void *arg, bool ok, const struct error *err)
{
	struct job *job = arg;
	struct delivery *d = job->delivery;

	if (ok) {
		if (job->again != NULL) {
			room_open(d->room);
			readiness_works(d->readiness);
		}
		delivery_log(&job->message,
		    &(struct delivery_fate){ .status = job->row.status,
			.queue_id = job->queue_id,
			.original_id = job->claim.original_id,
			.reason = job->reason.text });
		if (job->row.status == SEEN_INJECTED &&
		    d->config->archive.keep_ms > 0)
			count_archived(d, job->message.spool_size);
		finish(job, outcomes[job->row.status]);
		return;
	}
	readiness_fault(d->readiness, err);
	if (job->row.status != SEEN_INJECTED) {
		hold(job, err);
		return;
	}
	/* Postfix has it: only the record is missing.  Until it is written
	 * nothing else is fetched, else each round would double the mail. */
	if (job->again == NULL) {
		job->again = timer_new(d->loop, record, job);
		room_close(d->room);
	}
	timer_start(job->again, RECORD_AGAIN_MS);
}

static const char *
reason_of(const struct job *job)
{
	switch (job->row.status) {
	case SEEN_INJECTED:
		return job->queue_id;
	case SEEN_DUPLICATE:
		return job->claim.original_id;
	default:
		return job->reason.text;
	}
}

static void
record(void *arg)
{
	struct job *job = arg;
	struct delivery *d = job->delivery;

	storage_record(d->storage,
	    &(struct storage_fate){
		.mailbox = job->mailbox,
		.uid = job->message.uid,
		.row = job->row,
		.id = job->message.id,
		.reason = reason_of(job),
		.content = job->message.content,
		.spool_path = job->spool_path,
		.archive = job->row.status == SEEN_INJECTED &&
			   d->config->archive.keep_ms > 0,
		.original = job->claim.original,
	    },
	    on_recorded, job);
}

static void
accepted(struct job *job, const char *queue_id)
{
	struct delivery *d = job->delivery;

	d->failures = 0;
	readiness_works(d->readiness);
	snprintf(job->queue_id, sizeof(job->queue_id), "%s", queue_id);
	job->row = (struct seen_row){ .status = SEEN_INJECTED,
		.injected_ms = clock_wall_ms(),
		.size = job->message.size,
		.tries = job->message.row.tries + 1 };
	record(job);
}

static void
refused_for_now(struct job *job, const struct error *err)
{
	job->reason = *err;
	job->row = plan_refused(
	    &job->delivery->config->inject, &job->message.row, clock_wall_ms());
	record(job);
}

static void
refused_for_good(struct job *job, bool oversize, const struct error *err)
{
	uint64_t limit =
	    readiness_facts(job->delivery->readiness)->message_size_limit;

	job->reason = *err;
	job->row = (struct seen_row){ .status = SEEN_PARKED,
		.size = job->message.size,
		.tries = job->message.row.tries + 1 };
	/* Postfix counts what it and we have added: the message stays until
	 * the limit is raised, also when the provider's count is below it. */
	if (oversize && limit > 0) {
		job->row.status = SEEN_OVERSIZE;
		job->row.size =
		    job->message.size > limit ? job->message.size : limit + 1;
	}
	record(job);
}

static void
on_injected(void *arg, const struct inject_result *result)
{
	const struct error *err = &result->error;
	struct job *job = arg;
	struct delivery *d = job->delivery;

	switch (result->outcome) {
	case INJECT_ACCEPTED:
		accepted(job, result->queue_id);
		break;
	case INJECT_FAILED:
		if (job->message.row.tries == 0 &&
		    ++d->failures >= FAILURES_ARE_LOCAL)
			readiness_fault(d->readiness, err);
		refused_for_now(job, err);
		break;
	case INJECT_DEFERRED:
		refused_for_now(job, err);
		break;
	case INJECT_REFUSED:
		refused_for_good(job, false, err);
		break;
	case INJECT_OVERSIZE:
		refused_for_good(job, true, err);
		break;
	case INJECT_LOCAL:
		readiness_fault(d->readiness, err);
		hold(job, err);
		break;
	}
}

static void
on_ready(void *arg, bool ready, const struct error *reason)
{
	struct job *job = arg;
	struct error err;

	if (!ready) {
		hold(job, reason);
		return;
	}
	if (room_is_closed(job->delivery->room)) {
		error_set(&err, ERROR_LOCAL,
		    "a message that Postfix has could not be recorded yet");
		hold(job, &err);
		return;
	}
	inject_submit(job->delivery->inject,
	    &(struct inject_job){
		.spool_path = job->spool_path,
		.sender = job->message.sender,
		.recipient = job->message.account->fallback,
		.origin = job->message.origin,
		.size = job->message.spool_size,
		.done = on_injected,
		.arg = job,
	    });
}

static struct job *
take_queued(struct delivery *d)
{
	struct job *job = d->queued;

	d->queued = job->next;
	if (d->queued == NULL)
		d->queued_end = &d->queued;
	return job;
}

static void
hold_queued(void *arg)
{
	struct delivery *d = arg;
	struct error reason;

	error_set(&reason, ERROR_LOCAL, "the fetcher stops");
	while (d->queued != NULL)
		hold(take_queued(d), &reason);
}

static void
begin_queued(struct delivery *d)
{
	while (!d->stopping && d->queued != NULL &&
	       d->active < d->config->inject.parallel) {
		struct job *job = take_queued(d);

		d->active++;
		job->active = true;
		readiness_ask(d->readiness, on_ready, job);
	}
}

static void
queue_up(struct job *job)
{
	struct delivery *d = job->delivery;

	*d->queued_end = job;
	d->queued_end = &job->next;
	if (d->stopping)
		timer_start(d->held, 0);
	else
		begin_queued(d);
}

void
delivery_stop(struct delivery *d)
{
	d->stopping = true;
	timer_start(d->held, 0);
}

static void
on_claimed(void *arg, const char *original_id, const struct error *err)
{
	struct job *job = arg;

	if (err != NULL) {
		readiness_fault(job->delivery->readiness, err);
		hold(job, err);
	} else if (original_id[0] == '\0') {
		queue_up(job);
	} else {
		CRASH_POINT("duplicate");
		job->row = (struct seen_row){ .status = SEEN_DUPLICATE,
			.injected_ms = clock_wall_ms(),
			.size = job->message.size,
			.tries = job->message.row.tries };
		record(job);
	}
}

void
delivery_submit(struct delivery *d, const struct delivery_message *message)
{
	struct job *job = job_new(d, message);

	if (message->fingerprint == NULL) {
		queue_up(job);
		return;
	}
	fingerprint_group(message->account, job->group);
	job->claim = (struct claim){
		.original = { .group = job->group,
		    .fingerprint = job->fingerprint,
		    .window_ms = message->account->dedupe.window_ms },
		.done = on_claimed,
		.arg = job,
	};
	originals_claim(d->originals, &job->claim);
}

void
delivery_settle(struct delivery *d, const struct delivery_message *message,
    enum seen_status status, const char *reason)
{
	struct job *job = job_new(d, message);

	if (status == SEEN_RETRY)
		job->row = plan_refused(
		    &d->config->inject, &message->row, clock_wall_ms());
	/* Only what Postfix refuses is ever given up. */
	job->row.status = status;
	/* What the server says of a size need not be true. */
	job->row.size = message->spool_size > message->size
			    ? message->spool_size
			    : message->size;
	error_set(&job->reason, ERROR_REFUSED, "%s", reason);
	record(job);
}
