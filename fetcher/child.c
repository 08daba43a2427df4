/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/child.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	OUT_KEPT = 64 * 1024,
	ERR_KEPT = 4 * 1024,
	DESCRIBED_MAX = 400,
	/* A grandchild may keep a pipe open for as long as it likes. */
	PIPE_GRACE_MS = 1000,
};

struct child {
	struct loop *loop;
	pid_t pid;
	struct timer *timer; /* its deadline; once it ended, the pipes' */
	bool exited;
	struct child_pipe {
		struct child *child;
		int fd; /* -1: ended, or never there */
		struct watch *watch;
		struct buf kept;
	} out, err;
	struct child_result result;
	child_handler *handler;
	void *arg;
};

static void
close_pipe(struct child_pipe *p)
{
	watch_free(p->watch);
	p->watch = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static void
report(void *arg)
{
	struct child *c = arg;

	timer_free(c->timer);
	close_pipe(&c->out);
	close_pipe(&c->err);
	c->result.out = buf_slice(&c->out.kept);
	c->result.err = buf_slice(&c->err.kept);
	c->handler(c->arg, &c->result);
	buf_wipe(&c->out.kept); /* may be a password */
	buf_clear(&c->err.kept);
	free(c);
}

static void
report_when_complete(struct child *c)
{
	if (c->exited && c->out.fd < 0 && c->err.fd < 0)
		report(c);
}

static void
on_readable(void *arg)
{
	struct child_pipe *p = arg;
	uint8_t piece[4096];
	ssize_t n = read(p->fd, piece, sizeof(piece));
	struct slice got = { piece, n > 0 ? (size_t)n : 0 };

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	buf_add(&p->kept, slice_first(got, p->kept.max - p->kept.len));
	explicit_bzero(piece, sizeof(piece)); /* may be a password */
	if (n > 0)
		return;
	close_pipe(p);
	report_when_complete(p->child);
}

static void
on_exit_status(void *arg, int wait_status)
{
	struct child *c = arg;

	c->exited = true;
	c->result.wait_status = wait_status;
	timer_start(c->timer, PIPE_GRACE_MS);
	report_when_complete(c);
}

static void
on_deadline(void *arg)
{
	struct child *c = arg;

	if (c->exited) {
		report(c);
		return;
	}
	c->result.timed_out = true;
	proc_kill(c->pid);
}

/* Returns the child's end, or -1. */
static int
open_pipe(struct child_pipe *p, struct error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0) {
		error_errno(err, ERROR_LOCAL, errno, "pipe");
		return -1;
	}
	p->fd = ends[0];
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	return ends[1];
}

/* A pipe that holds the text; it has room for 64 KiB.  Returns the child's end,
 * or -1. */
static int
hold(struct slice text, struct error *err)
{
	int ends[2];
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
		error_errno(err, ERROR_LOCAL, errno, "pipe");
		return -1;
	}
	n = write(ends[1], text.data, text.len);
	close(ends[1]);
	if (n == (ssize_t)text.len && fcntl(ends[0], F_SETFL, 0) == 0)
		return ends[0];
	error_set(err, ERROR_LOCAL, "pipe: cannot be written to");
	close(ends[0]);
	return -1;
}

static bool
start(struct child *c, const struct child_job *job)
{
	struct proc_files files = { .in = job->in, .out = -1, .err = -1 };
	struct error *err = &c->result.error;
	bool tells = job->told.len > 0, ok;

	ok = !tells || (files.in = hold(job->told, err)) >= 0;
	ok = ok &&
	     (!job->want_out || (files.out = open_pipe(&c->out, err)) >= 0);
	ok = ok && (files.err = open_pipe(&c->err, err)) >= 0 &&
	     proc_start(job->argv, files, &c->pid, err);
	if (tells && files.in >= 0)
		close(files.in);
	if (files.out >= 0)
		close(files.out);
	if (files.err >= 0)
		close(files.err);
	return ok;
}

static struct child *
child_new(struct loop *loop, child_handler *handler, void *arg)
{
	struct child *c = mem_new(sizeof(*c));

	c->loop = loop;
	c->handler = handler;
	c->arg = arg;
	c->timer = timer_new(loop, on_deadline, c);
	c->out = (struct child_pipe){ .child = c, .fd = -1 };
	c->err = (struct child_pipe){ .child = c, .fd = -1 };
	buf_init(&c->out.kept, OUT_KEPT);
	buf_init(&c->err.kept, ERR_KEPT);
	return c;
}

void
child_run(struct loop *loop, const struct child_job *job,
    child_handler *handler, void *arg)
{
	struct child *c = child_new(loop, handler, arg);

	c->result.started = start(c, job);
	if (!c->result.started) {
		loop_call(loop, report, c);
		return;
	}
	if (job->want_out)
		c->out.watch = watch_new(loop, c->out.fd, on_readable, &c->out);
	c->err.watch = watch_new(loop, c->err.fd, on_readable, &c->err);
	timer_start(c->timer, job->timeout_ms);
	loop_on_child(loop, c->pid, on_exit_status, c);
}

/* Its lines, joined, as far as they fit. */
static void
join_lines(struct slice text, struct buf *out)
{
	struct slice line;

	while (slice_cut_line(&text, &line)) {
		line = slice_trim(line);
		if (line.len == 0)
			continue;
		buf_add_string(out, out->len > 0 ? "; " : ": ");
		buf_add(out, slice_first(line, out->max - out->len));
	}
}

void
child_describe(const struct child_result *result, struct error *err)
{
	struct buf said;
	char words[32];

	if (!result->started) {
		*err = result->error;
		return;
	}
	if (result->timed_out) {
		error_set(err, ERROR_LOCAL, "timed out and was killed");
		return;
	}
	buf_init(&said, DESCRIBED_MAX);
	join_lines(result->err, &said);
	error_set(err, ERROR_LOCAL, "%s%s",
	    proc_status_text(result->wait_status, words), buf_string(&said));
	buf_clear(&said);
}
