/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/storage.h"

#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "state/archive.h"

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

struct job {
	const struct job_kind *kind;
	storage_handler *handler; /* NULL: nobody waits */
	void *arg;
	bool ok;
	struct error error;

	struct storage_listing *listing; /* the caller's */

	char *account, *id, *reason, *spool_path; /* copies */
	uint8_t *uid;
	size_t uid_len;
	struct seen_row row;
	bool archive;
	uint64_t *changed; /* the caller's */

	int64_t keep_ms;
	uint64_t max_bytes;
	struct job *next;
};

/* What a job does inside the group's transaction, and once that is committed;
 * either may be missing. */
struct job_kind {
	bool (*store)(struct storage *, struct job *);
	void (*finish)(struct storage *, struct job *);
};

struct queue {
	struct job *first, **end;
};

struct storage {
	char *state_dir;
	pthread_t thread;
	int answers_fd; /* wakes the loop */
	struct watch *answers_watch;

	/* The thread's own. */
	struct seen *seen;
	uint64_t epoch;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t wake;
	struct queue waiting, answered;
	bool stopping;
};

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
	free(job->account);
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

static struct slice
uid_of(const struct storage_listing *l, const struct listed *entry)
{
	return (struct slice){ l->uids + entry->uid_offset, entry->uid_len };
}

static int
compare_uids(const void *a, const void *b, void *arg)
{
	const struct listed *const *x = a, *const *y = b;

	return slice_compare(uid_of(arg, *x), uid_of(arg, *y));
}

static void
find_duplicates(struct storage_listing *l)
{
	struct listed **sorted = mem_new_array(l->n, sizeof(struct listed *));

	for (size_t i = 0; i < l->n; i++) {
		sorted[i] = &l->entries[i];
		sorted[i]->duplicate = false;
	}
	qsort_r(sorted, l->n, sizeof(struct listed *), compare_uids, l);
	for (size_t i = 1; i < l->n; i++) {
		if (slice_equal(uid_of(l, sorted[i - 1]), uid_of(l, sorted[i])))
			sorted[i - 1]->duplicate = sorted[i]->duplicate = true;
	}
	free(sorted);
}

static bool
look_up(struct storage *s, const struct storage_listing *l,
    struct listed *entry, struct error *err)
{
	struct slice uid = uid_of(l, entry);

	entry->row = (struct seen_row){ .status = SEEN_NEW };
	if (entry->duplicate)
		return true;
	return seen_get(s->seen, l->account, uid, &entry->row, err) &&
	       (entry->row.status == SEEN_NEW ||
		   seen_mark(s->seen, l->account, uid, s->epoch, err));
}

static bool
compare(struct storage *s, struct job *job)
{
	struct storage_listing *l = job->listing;
	uint64_t forgotten;

	if (!seen_account(s->seen, l->account, l->host, l->user, &job->error))
		return false;
	find_duplicates(l);
	s->epoch++;
	for (size_t i = 0; i < l->n; i++) {
		if (!look_up(s, l, &l->entries[i], &job->error))
			return false;
	}
	if (!seen_forget_others(
		s->seen, l->account, s->epoch, &forgotten, &job->error))
		return false;
	if (forgotten > 0)
		log_debug("account=%s: forgot %llu messages that are gone",
		    l->account, (unsigned long long)forgotten);
	return true;
}

static bool
record(struct storage *s, struct job *job)
{
	struct seen_entry entry = {
		.account = job->account,
		.uid = { job->uid, job->uid_len },
		.row = job->row,
		.id = job->id,
		.reason = job->reason,
	};
	bool ok = seen_put(s->seen, &entry, &job->error);

	CRASH_POINT("before-commit");
	return ok;
}

static bool
revise(struct storage *s, struct job *job)
{
	struct seen_revision revision = {
		.account = job->account,
		.message = { job->uid, job->uid_len },
		.status = job->row.status,
	};

	return seen_revise(s->seen, &revision, job->changed, &job->error);
}

static void
remove_spool_file(struct storage *s, struct job *job)
{
	struct error err;

	(void)s;
	if (unlink(job->spool_path) == 0 || errno == ENOENT)
		return;
	error_errno(&err, ERROR_LOCAL, errno, "%s", job->spool_path);
	log_warning("spool file cannot be removed: %s", err.text);
}

/* The message is Postfix's by now, and the commit stands whatever happens here:
 * the archive is a net and not a promise. */
static void
file_away(struct storage *s, struct job *job)
{
	struct error err;

	CRASH_POINT("after-commit");
	if (job->spool_path == NULL)
		return;
	if (job->archive &&
	    archive_take(s->state_dir, job->id, job->spool_path, &err)) {
		CRASH_POINT("after-archive");
		return;
	}
	if (job->archive)
		log_warning("%s: injected, but cannot be archived: %s", job->id,
		    err.text);
	remove_spool_file(s, job);
}

static void
expire(struct storage *s, struct job *job)
{
	struct error err;
	uint64_t removed;

	if (!archive_expire(
		s->state_dir, job->keep_ms, job->max_bytes, &removed, &err))
		log_warning("the archive cannot be cleaned up: %s", err.text);
	else if (removed > 0)
		log_debug("removed %llu messages from the archive",
		    (unsigned long long)removed);
}

static const struct job_kind compare_kind = { compare, NULL };
static const struct job_kind record_kind = { record, file_away };
static const struct job_kind revise_kind = { revise, NULL };
static const struct job_kind discard_kind = { NULL, remove_spool_file };
static const struct job_kind expire_kind = { NULL, expire };

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
	struct job *job = job_new(&compare_kind, handler, arg);

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

void
storage_record(struct storage *s, const struct storage_fate *fate,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&record_kind, handler, arg);

	job->account = mem_string(fate->account);
	copy_uid(job, fate->uid);
	job->row = fate->row;
	job->id = mem_string(fate->id);
	job->reason = mem_string(fate->reason);
	job->spool_path = copy(fate->spool_path);
	job->archive = fate->archive;
	submit(s, job);
}

void
storage_revise(struct storage *s, const struct storage_revision *revision,
    storage_handler *handler, void *arg)
{
	struct job *job = job_new(&revise_kind, handler, arg);

	job->account = mem_string(revision->account);
	copy_uid(job, revision->message);
	job->row.status = revision->status;
	job->changed = revision->changed;
	submit(s, job);
}

void
storage_discard(struct storage *s, const char *spool_path)
{
	struct job *job = job_new(&discard_kind, NULL, NULL);

	job->spool_path = mem_string(spool_path);
	submit(s, job);
}

void
storage_expire(struct storage *s, int64_t keep_ms, uint64_t max_bytes)
{
	struct job *job = job_new(&expire_kind, NULL, NULL);

	job->keep_ms = keep_ms;
	job->max_bytes = max_bytes;
	submit(s, job);
}
