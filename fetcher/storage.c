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
free_all(struct job *job)
{
	while (job != NULL) {
		struct job *next = job->next;

		storage_job_free(job);
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
		storage_job_free(job);
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

void
storage_submit(struct storage *s, struct job *job)
{
	pthread_mutex_lock(&s->lock);
	queue_add(&s->waiting, job);
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->lock);
}
