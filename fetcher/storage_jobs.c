/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/storage_job.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "fetcher/comparison.h"
#include "state/archive.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool
compare(struct storage *s, struct job *job)
{
	return comparison_run(s->seen, job->listing, &job->error);
}

static bool
recognise(struct storage *s, struct job *job)
{
	struct seen_arrival arrival = {
		.mailbox = job->mailbox,
		.uid = { job->uid, job->uid_len },
		.size = job->row.size,
	};

	memcpy(arrival.content, job->content, sizeof(arrival.content));
	return seen_recognise(s->seen, &arrival, job->found, &job->error);
}

static bool
find_original(struct storage *s, struct job *job)
{
	return seen_original_find(s->seen,
	    &(struct seen_original){
		.group = job->group, .fingerprint = job->fingerprint },
	    clock_wall_ms() - job->window_ms, job->original_id, &job->error);
}

/* In the transaction that says so of the message. */
static bool
put_original(struct storage *s, struct job *job)
{
	if (job->group == NULL || job->row.status != SEEN_INJECTED)
		return true;
	return seen_original_put(s->seen,
	    &(struct seen_original){ .group = job->group,
		.fingerprint = job->fingerprint,
		.mailbox = job->mailbox,
		.id = job->id,
		.injected_ms = job->row.injected_ms,
		.until_ms = job->row.injected_ms + job->window_ms },
	    &job->error);
}

static bool
record(struct storage *s, struct job *job)
{
	struct seen_entry entry = {
		.mailbox = job->mailbox,
		.uid = { job->uid, job->uid_len },
		.row = job->row,
		.id = job->id,
		.reason = job->reason,
		.content = job->has_content ? job->content : NULL,
	};
	bool ok =
	    seen_put(s->seen, &entry, &job->error) && put_original(s, job);

	CRASH_POINT("before-commit");
	return ok;
}

static bool
revise(struct storage *s, struct job *job)
{
	return seen_revise(s->seen, job->revision, job->changed, &job->error);
}

static bool
import(struct storage *s, struct job *job)
{
	return seen_import_some(s->seen, job->import, &job->error);
}

/* Of which nobody hears: the next listing makes up for it. */
static bool
dispose(struct storage *s, struct job *job)
{
	struct slice packed = { job->uid, job->uid_len };

	while (packed.len > 0) {
		struct slice uid =
		    slice_first(slice_from(packed, 1), packed.data[0]);

		if (job->stay
			? !seen_leave(s->seen, job->mailbox, uid, &job->error)
			: !seen_bury(s->seen, job->mailbox, uid, &job->error)) {
			log_warning("%s: what was deleted cannot be recorded: "
				    "%s",
			    job->mailbox, job->error.text);
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
const struct job_kind storage_recognise_kind = { recognise, NULL };
const struct job_kind storage_find_original_kind = { find_original, NULL };
const struct job_kind storage_record_kind = { record, file_away };
const struct job_kind storage_revise_kind = { revise, NULL };
const struct job_kind storage_import_kind = { import, NULL };
const struct job_kind storage_dispose_kind = { dispose, NULL };
const struct job_kind storage_discard_kind = { NULL, remove_spool_file };
const struct job_kind storage_expire_kind = { NULL, expire };
