/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/storage_job.h"

#include "base/crash.h"
#include "base/log.h"
#include "base/mem.h"
#include "state/archive.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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

/* Of which nobody hears: the next listing makes up for it. */
static bool
dispose(struct storage *s, struct job *job)
{
	struct slice packed = { job->uid, job->uid_len };

	while (packed.len > 0) {
		struct slice uid =
		    slice_first(slice_from(packed, 1), packed.data[0]);

		if (!seen_forget(s->seen, job->account, uid, &job->error)) {
			log_warning("account=%s: what was deleted cannot be "
				    "recorded: %s",
			    job->account, job->error.text);
			return false;
		}
		packed = slice_from(packed, 1 + uid.len);
	}
	return true;
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

const struct job_kind storage_compare_kind = { compare, NULL };
const struct job_kind storage_record_kind = { record, file_away };
const struct job_kind storage_revise_kind = { revise, NULL };
const struct job_kind storage_dispose_kind = { dispose, NULL };
const struct job_kind storage_discard_kind = { NULL, remove_spool_file };
const struct job_kind storage_expire_kind = { NULL, expire };
