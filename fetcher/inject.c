/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/inject.h"

#include "base/crash.h"
#include "base/mem.h"
#include "fetcher/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a shell, or env(1), says when the program it should become is missing or
 * not executable: a wrapper's fault, never the message's. */
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

struct run {
	struct inject *inject;
	struct inject_job job;
	int fd;             /* the spool file, shared with the child */
	struct error error; /* why it was not even tried */
	struct run *next;
};

struct inject {
	struct loop *loop;
	char *sendmail;
	uint32_t parallel;
	int64_t timeout_ms;
	uint32_t running;
	size_t pending;
	struct run *first, **end; /* waiting */
};

struct inject *
inject_new(struct loop *loop, const struct inject_settings *settings)
{
	struct inject *inject = mem_new(sizeof(*inject));

	inject->loop = loop;
	inject->end = &inject->first;
	inject_configure(inject, settings);
	return inject;
}

void
inject_free(struct inject *inject)
{
	if (inject == NULL)
		return;
	assert(inject->pending == 0);
	free(inject->sendmail);
	free(inject);
}

void
inject_configure(struct inject *inject, const struct inject_settings *settings)
{
	free(inject->sendmail);
	inject->sendmail = mem_string(settings->sendmail);
	inject->parallel = settings->parallel;
	inject->timeout_ms = settings->timeout_ms;
}

/* sendmail(1) takes a cut file for a complete message, so its size is compared
 * before; and a wrapper may exit 0 without having read it all, so the file
 * offset, which we share with the child, is compared after. */
static bool
open_spool(struct run *run)
{
	const char *path = run->job.spool_path;
	unsigned long long size = run->job.size;
	struct stat st;

	run->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (run->fd < 0)
		return error_errno(&run->error, ERROR_LOCAL, errno, "%s", path);
	if (fstat(run->fd, &st) == 0 && (uint64_t)st.st_size == size)
		return true;
	return error_set(&run->error, ERROR_LOCAL,
	    "%s: the file does not have its %llu bytes any more", path, size);
}

static enum inject_outcome
judge_reading(const struct run *run, struct error *err)
{
	off_t offset = lseek(run->fd, 0, SEEK_CUR);

	if (offset >= 0 && (uint64_t)offset == run->job.size) {
		CRASH_POINT("injected");
		return INJECT_ACCEPTED;
	}
	error_set(err, ERROR_LOCAL,
	    "sendmail exited 0 but read only %lld of %llu bytes",
	    (long long)offset, (unsigned long long)run->job.size);
	return INJECT_FAILED;
}

static enum inject_outcome
judge(
    const struct run *run, const struct child_result *result, struct error *err)
{
	int status = result->wait_status;

	if (result->started && !result->timed_out && status == 0)
		return judge_reading(run, err);
	child_describe(result, err);
	if (result->started)
		error_prefix(err, "%s", run->inject->sendmail);
	if (!result->started || result->timed_out ||
	    (WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_NOT_EXECUTABLE ||
				      WEXITSTATUS(status) == EXIT_NOT_FOUND)))
		return INJECT_LOCAL;
	err->kind = ERROR_REFUSED;
	return INJECT_FAILED;
}

static void start_waiting(struct inject *);

static void
finish(struct run *run, enum inject_outcome outcome, const struct error *err)
{
	struct inject *inject = run->inject;
	struct inject_job job = run->job;

	if (run->fd >= 0)
		close(run->fd);
	inject->running--;
	inject->pending--;
	start_waiting(inject);
	job.done(job.arg, outcome, err);
	free(run);
}

static void
on_child(void *arg, const struct child_result *result)
{
	struct run *run = arg;
	struct error err;

	finish(run, judge(run, result, &err), &err);
}

static void
on_not_tried(void *arg)
{
	struct run *run = arg;

	finish(run, INJECT_LOCAL, &run->error);
}

static void
start(struct inject *inject, struct run *run)
{
	char sender[ADDRESS_TEXT_SIZE], recipient[ADDRESS_TEXT_SIZE];
	/* -G: add no header; -i: a lone dot is text; -N never: no bounce to a
	 * forgeable sender. */
	const char *argv[] = { inject->sendmail, "-G", "-i", "-N", "never",
		"-f", address_write(&run->job.sender, sender), "--",
		address_write(&run->job.recipient, recipient), NULL };
	struct child_job child = { .argv = argv,
		.timeout_ms = inject->timeout_ms };

	inject->running++;
	if (!open_spool(run)) {
		loop_call(inject->loop, on_not_tried, run);
		return;
	}
	child.in = run->fd;
	CRASH_POINT("before-inject");
	child_run(inject->loop, &child, on_child, run);
	CRASH_POINT("injecting");
}

static void
start_waiting(struct inject *inject)
{
	while (inject->first != NULL && inject->running < inject->parallel) {
		struct run *run = inject->first;

		inject->first = run->next;
		if (inject->first == NULL)
			inject->end = &inject->first;
		start(inject, run);
	}
}

void
inject_submit(struct inject *inject, const struct inject_job *job)
{
	struct run *run = mem_new(sizeof(*run));

	run->inject = inject;
	run->job = *job;
	run->fd = -1;
	*inject->end = run;
	inject->end = &run->next;
	inject->pending++;
	start_waiting(inject);
}

size_t
inject_pending(const struct inject *inject)
{
	return inject->pending;
}

bool
inject_has_room(const struct inject *inject)
{
	return inject->pending < inject->parallel;
}
