/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/inject.h"

#include "base/mem.h"
#include "fetcher/inject_run.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_METHODS = METHOD_SMTP + 1 };
static const struct inject_method *const methods[N_METHODS] = {
	[METHOD_SENDMAIL] = &inject_sendmail,
	[METHOD_SMTP] = &inject_smtp,
};

struct inject {
	struct loop *loop;
	void *states[N_METHODS];
	enum injection method;
	uint32_t parallel, running;
	size_t pending;
	struct inject_run *first, **end; /* waiting */
};

struct inject *
inject_new(struct loop *loop, const struct inject_settings *settings)
{
	struct inject *inject = mem_new(sizeof(*inject));

	inject->loop = loop;
	inject->end = &inject->first;
	for (int i = 0; i < N_METHODS; i++)
		inject->states[i] = methods[i]->open(loop);
	inject_configure(inject, settings);
	return inject;
}

void
inject_free(struct inject *inject)
{
	if (inject == NULL)
		return;
	assert(inject->pending == 0);
	for (int i = 0; i < N_METHODS; i++)
		methods[i]->close(inject->states[i]);
	free(inject);
}

void
inject_configure(struct inject *inject, const struct inject_settings *settings)
{
	inject->method = settings->method;
	inject->parallel = settings->parallel;
	for (int i = 0; i < N_METHODS; i++)
		methods[i]->configure(inject->states[i], settings);
}

/* A cut file would be taken for a complete message. */
static bool
open_spool(struct inject_run *run, struct error *err)
{
	const char *path = run->job.spool_path;
	unsigned long long size = run->job.size;
	struct stat st;

	run->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (run->fd < 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
	if (fstat(run->fd, &st) == 0 && (uint64_t)st.st_size == size)
		return true;
	return error_set(err, ERROR_LOCAL,
	    "%s: the file does not have its %llu bytes any more", path, size);
}

static void
on_not_tried(void *arg)
{
	inject_run_end(arg);
}

static void
start_waiting(struct inject *inject)
{
	while (inject->first != NULL && inject->running < inject->parallel) {
		struct inject_run *run = inject->first;

		inject->first = run->next;
		if (inject->first == NULL)
			inject->end = &inject->first;
		inject->running++;
		run->result.outcome = INJECT_LOCAL;
		if (open_spool(run, &run->result.error))
			methods[inject->method]->start(
			    inject->states[inject->method], run);
		else
			loop_call(inject->loop, on_not_tried, run);
	}
}

void
inject_run_end(struct inject_run *run)
{
	struct inject *inject = run->inject;

	if (run->fd >= 0)
		close(run->fd);
	inject->running--;
	inject->pending--;
	start_waiting(inject);
	run->job.done(run->job.arg, &run->result);
	free(run);
}

void
inject_submit(struct inject *inject, const struct inject_job *job)
{
	struct inject_run *run = mem_new(sizeof(*run));

	run->inject = inject;
	run->job = *job;
	run->fd = -1;
	*inject->end = run;
	inject->end = &run->next;
	inject->pending++;
	start_waiting(inject);
}
