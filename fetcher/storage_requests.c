/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/storage_job.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static struct job *
job_new(const struct job_kind *kind, storage_handler *handler, void *arg)
{
	struct job *job = mem_new(sizeof(*job));

	job->kind = kind;
	job->handler = handler;
	job->arg = arg;
	return job;
}

void
storage_job_free(struct job *job)
{
	free(job->mailbox);
	free(job->group);
	free(job->id);
	free(job->reason);
	free(job->spool_path);
	free(job->uid);
	free(job);
}

void
storage_compare(struct storage *s, struct storage_listing *listing,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_compare_kind, handler, arg);

	job->listing = listing;
	storage_submit(s, job);
}

static char *
copy(const char *s)
{
	return s == NULL ? NULL : mem_string(s);
}

static void
copy_uid(struct job *job, struct slice uid)
{
	job->uid = mem_new(uid.len);
	if (uid.len > 0)
		memcpy(job->uid, uid.data, uid.len);
	job->uid_len = uid.len;
}

static void
copy_content(struct job *job, const uint8_t *content)
{
	job->has_content = content != NULL;
	if (job->has_content)
		memcpy(job->content, content, sizeof(job->content));
}

static void
copy_original(struct job *job, const struct storage_original *original)
{
	if (original->fingerprint == NULL)
		return;
	job->group = mem_string(original->group);
	memcpy(
	    job->fingerprint, original->fingerprint, sizeof(job->fingerprint));
	job->window_ms = original->window_ms;
}

void
storage_find_original(struct storage *s,
    const struct storage_original *original, char *id, storage_handler *handler,
    void *arg)
{
	struct job *job = job_new(&storage_find_original_kind, handler, arg);

	copy_original(job, original);
	job->original_id = id;
	storage_submit(s, job);
}

void
storage_record(struct storage *s, const struct storage_fate *fate,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_record_kind, handler, arg);

	job->mailbox = mem_string(fate->mailbox);
	copy_uid(job, fate->uid);
	job->row = fate->row;
	job->id = mem_string(fate->id);
	job->reason = mem_string(fate->reason);
	job->spool_path = copy(fate->spool_path);
	job->archive = fate->archive;
	copy_content(job, fate->content);
	copy_original(job, &fate->original);
	storage_submit(s, job);
}

void
storage_recognise(struct storage *s, const struct storage_arrival *arrival,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_recognise_kind, handler, arg);

	job->mailbox = mem_string(arrival->mailbox);
	copy_uid(job, arrival->uid);
	copy_content(job, arrival->content);
	job->row.size = arrival->size;
	job->found = arrival->row;
	storage_submit(s, job);
}

void
storage_revise(struct storage *s, const struct seen_revision *revision,
    uint64_t *changed, storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_revise_kind, handler, arg);

	job->revision = revision;
	job->changed = changed;
	storage_submit(s, job);
}

void
storage_import(struct storage *s, struct seen_import *import,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_import_kind, handler, arg);

	job->import = import;
	storage_submit(s, job);
}

void
storage_disposed(struct storage *s, const char *mailbox, bool stay,
    const struct slice *uids, size_t n)
{
	struct job *job;
	size_t len = 0;

	job = job_new(&storage_dispose_kind, NULL, NULL);
	job->stay = stay;
	job->mailbox = mem_string(mailbox);
	for (size_t i = 0; i < n; i++)
		len += 1 + uids[i].len;
	job->uid = mem_new(len);
	for (size_t i = 0; i < n; i++) {
		job->uid[job->uid_len++] = (uint8_t)uids[i].len;
		memcpy(job->uid + job->uid_len, uids[i].data, uids[i].len);
		job->uid_len += uids[i].len;
	}
	storage_submit(s, job);
}

void
storage_discard(struct storage *s, const char *spool_path)
{
	struct job *job = job_new(&storage_discard_kind, NULL, NULL);

	job->spool_path = mem_string(spool_path);
	storage_submit(s, job);
}

void
storage_expire(struct storage *s, int64_t keep_ms, uint64_t max_bytes)
{
	struct job *job = job_new(&storage_expire_kind, NULL, NULL);

	job->keep_ms = keep_ms;
	job->max_bytes = max_bytes;
	storage_submit(s, job);
}
