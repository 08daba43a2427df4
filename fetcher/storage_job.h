/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage_job - what the storage thread is given to do.  For storage.c, which
 * queues and groups the jobs, storage_requests.c, which makes them of what the
 * loop asks for, and storage_jobs.c, which does them.
 */
#ifndef FETCHER_STORAGE_JOB_H
#define FETCHER_STORAGE_JOB_H

#include "fetcher/storage.h"

#include <pthread.h>

struct job {
	const struct job_kind *kind;
	storage_handler *handler; /* NULL: nobody waits */
	void *arg;
	bool ok;
	struct error error;

	struct storage_listing *listing; /* the caller's */

	char *mailbox, *id, *reason, *spool_path; /* copies */
	uint8_t *uid;
	size_t uid_len;
	struct seen_row row;
	bool has_content;
	uint8_t content[SEEN_CONTENT_SIZE];
	bool archive, stay;
	char *group;                                /* a copy */
	uint8_t fingerprint[SEEN_FINGERPRINT_SIZE]; /* with a group */
	int64_t window_ms;
	char *original_id;                    /* the caller's */
	struct seen_row *found;               /* the caller's */
	const struct seen_revision *revision; /* these are the caller's */
	uint64_t *changed;
	struct seen_import *import;

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

extern const struct job_kind storage_compare_kind, storage_import_kind,
    storage_recognise_kind, storage_find_original_kind, storage_record_kind,
    storage_revise_kind, storage_dispose_kind, storage_discard_kind,
    storage_expire_kind;

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

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t wake;
	struct queue waiting, answered;
	bool stopping;
};

/* In storage.c.  Takes the job. */
void storage_submit(struct storage *, struct job *);

/* In storage_requests.c. */
void storage_job_free(struct job *);

#endif
