/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/storage.h"

#include "base/log.h"
#include "base/mem.h"
#include "fetcher/storage_job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

static void
queue_init(struct queue *q)
{
	*q = (struct queue){ .end = &q->first };
}

static void
queue_add(struct queue *q, struct job *job)
{
	job->next = NULL;
	*q->end = job;
	q->end = &job->next;
}

static struct job *
queue_take_all(struct queue *q)
{
	struct job *first = q->first;

	queue_init(q);
	return first;
}

static void
job_free(struct job *job)
{
	free(job->mailbox);
	free(job->group);
	free(job->id);
	free(job->reason);
	free(job->spool_path);
	free(job->uid);
	free(job);
}

static void
free_all(struct job *job)
{
	while (job != NULL) {
		struct job *next = job->next;

		job_free(job);
		job = next;
	}
}

/* One transaction for all; a job that fails by itself changes nothing there,
 * and leaves the others alone. */
static void
store_group(struct storage *s, struct job *group)
{
	struct error err;
	bool begun = false, ok = true;

	for (struct job *job = group; job != NULL; job = job->next) {
		job->ok = true;
		if (job->kind->store == NULL)
			continue;
		if (!begun)
			ok = seen_begin(s->seen, &err);
		begun = true;
		if (ok)
			job->ok = job->kind->store(s, job);
	}
	if (!begun || (ok && seen_commit(s->seen, &err)))
		return;
	seen_rollback(s->seen);
	for (struct job *job = group; job != NULL; job = job->next) {
		if (job->kind->store != NULL && job->ok) {
			job->ok = false;
			job->error = err;
		}
	}
}

static void
hand_over(struct storage *s, struct queue *answered)
{
	uint64_t one = 1;
	ssize_t written;

	if (answered->first == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	*s->answered.end = answered->first;
	s->answered.end = answered->end;
	pthread_mutex_unlock(&s->lock);
	/* Fails only when the counter is full: then the loop wakes anyway. */
	written = write(s->answers_fd, &one, sizeof(one));
	(void)written;
}

static void
finish(struct storage *s, struct job *job)
{
	if (job->ok && job->kind->finish != NULL)
		job->kind->finish(s, job);
}

static void
run_group(struct storage *s, struct job *group)
{
	struct queue answered, silent;
	struct job *next;

	queue_init(&answered);
	queue_init(&silent);
	store_group(s, group);
	for (struct job *job = group; job != NULL; job = next) {
		next = job->next;
		if (job->handler == NULL) {
			queue_add(&silent, job);
			continue;
		}
		finish(s, job);
		queue_add(&answered, job);
	}
	hand_over(s, &answered);
	/* Nobody waits for these; some take long. */
	for (struct job *job = silent.first; job != NULL; job = job->next)
		finish(s, job);
	free_all(silent.first);
}

static void *
run_thread(void *arg)
{
	struct storage *s = arg;
	struct job *group;

	for (;;) {
		pthread_mutex_lock(&s->lock);
		while (s->waiting.first == NULL && !s->stopping)
			pthread_cond_wait(&s->wake, &s->lock);
		group = queue_take_all(&s->waiting);
		pthread_mutex_unlock(&s->lock);
		if (group == NULL)
			return NULL;
		run_group(s, group);
	}
}

/* On the loop. */
static void
give_answers(void *arg)
{
	struct storage *s = arg;
	struct job *job, *next;
	uint64_t count;

	if (read(s->answers_fd, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&s->lock);
	job = queue_take_all(&s->answered);
	pthread_mutex_unlock(&s->lock);
	for (; job != NULL; job = next) {
		next = job->next;
		job->handler(job->arg, job->ok, &job->error);
		job_free(job);
	}
}

static bool
open_folder(const char *state_dir, const char *name, int *fd, struct error *err)
{
	char *path;
	bool ok;

	if (asprintf(&path, "%s/%s", state_dir, name) < 0)
		abort();
	ok = mkdir(path, 0700) == 0 || errno == EEXIST;
	*fd = ok ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (*fd < 0)
		ok = error_errno(err, ERROR_CONFIG, errno, "%s", path);
	free(path);
	return ok;
}

/* What lies there was not yet injected, or its commit was not reached: its
 * original is still at the provider. */
static void
remove_remnants(int fd)
{
	DIR *folder = fdopendir(fd);
	struct dirent *entry;
	unsigned n = 0;

	if (folder == NULL)
		abort();
	while ((entry = readdir(folder)) != NULL)
		n += unlinkat(fd, entry->d_name, 0) == 0;
	closedir(folder);
	if (n > 0)
		log_info("removed %u unfinished messages from the spool; "
			 "they are still at the providers",
		    n);
}

static bool
prepare_folders(const char *state_dir, struct error *err)
{
	int fd;

	if (!open_folder(state_dir, "archive", &fd, err))
		return false;
	close(fd);
	if (!open_folder(state_dir, "spool", &fd, err))
		return false;
	remove_remnants(fd);
	return true;
}

/* Signals are the loop's. */
static void
start_thread(struct storage *s)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(&s->thread, NULL, run_thread, s) != 0)
		abort();
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct storage *
storage_start(struct loop *loop, const char *state_dir, struct error *err)
{
	struct seen *seen = seen_open(state_dir, err);
	struct storage *s;

	if (seen == NULL || !prepare_folders(state_dir, err)) {
		seen_close(seen);
		return NULL;
	}
	s = mem_new(sizeof(*s));
	s->seen = seen;
	s->state_dir = mem_string(state_dir);
	queue_init(&s->waiting);
	queue_init(&s->answered);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wake, NULL);
	s->answers_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->answers_fd < 0)
		abort();
	s->answers_watch = watch_new(loop, s->answers_fd, give_answers, s);
	start_thread(s);
	return s;
}

void
storage_stop(struct storage *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	watch_free(s->answers_watch);
	close(s->answers_fd);
	free_all(s->answered.first);
	seen_close(s->seen);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s->state_dir);
	free(s);
}

static struct job *
job_new(const struct job_kind *kind, storage_handler *handler, void *arg)
{
	struct job *job = mem_new(sizeof(*job));

	job->kind = kind;
	job->handler = handler;
	job->arg = arg;
	return job;
}

static void
submit(struct storage *s, struct job *job)
{
	pthread_mutex_lock(&s->lock);
	queue_add(&s->waiting, job);
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void
storage_compare(struct storage *s, struct storage_listing *listing,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_compare_kind, handler, arg);

	job->listing = listing;
	submit(s, job);
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
	submit(s, job);
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
	submit(s, job);
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
	submit(s, job);
}

void
storage_revise(struct storage *s, const struct seen_revision *revision,
    uint64_t *changed, storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_revise_kind, handler, arg);

	job->revision = revision;
	job->changed = changed;
	submit(s, job);
}

void
storage_import(struct storage *s, struct seen_import *import,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&storage_import_kind, handler, arg);

	job->import = import;
	submit(s, job);
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
	submit(s, job);
}

void
storage_discard(struct storage *s, const char *spool_path)
{
	struct job *job = job_new(&storage_discard_kind, NULL, NULL);

	job->spool_path = mem_string(spool_path);
	submit(s, job);
}

void
storage_expire(struct storage *s, int64_t keep_ms, uint64_t max_bytes)
{
	struct job *job = job_new(&storage_expire_kind, NULL, NULL);

	job->keep_ms = keep_ms;
	job->max_bytes = max_bytes;
	submit(s, job);
}
