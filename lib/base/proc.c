/* SPDX-License-Identifier: Apache-2.0 */
#include "base/proc.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	STDERR_KEPT = 4096,
	PIPE_GRACE_MS = 1000, /* for a grandchild that keeps the pipe open */
	EXIT_LOOK_MS = 5,
	OUTPUT_LOOK_MS = 50,
};

bool
proc_become(uid_t uid, gid_t gid, struct error *err)
{
	/* The groups first: afterwards nobody may. */
	if (setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0)
		return true;
	return error_errno(
	    err, ERROR_LOCAL, errno, "cannot become user %u", uid);
}

static int
add_file(posix_spawn_file_actions_t *actions, int fd, int target)
{
	if (fd < 0)
		return posix_spawn_file_actions_addopen(
		    actions, target, "/dev/null", O_RDWR, 0);
	/* dup2 onto itself takes the close-on-exec flag off. */
	return posix_spawn_file_actions_adddup2(actions, fd, target);
}

static int
set_files(posix_spawn_file_actions_t *actions, struct proc_files files)
{
	int rc = add_file(actions, files.in, STDIN_FILENO);

	if (rc == 0)
		rc = add_file(actions, files.out, STDOUT_FILENO);
	if (rc == 0)
		rc = add_file(actions, files.err, STDERR_FILENO);
	/* A library may have opened something without close-on-exec. */
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(
		    actions, STDERR_FILENO + 1);
	return rc;
}

/* A daemon blocks and ignores signals; its children must not inherit that. */
static int
set_signals(posix_spawnattr_t *attr)
{
	sigset_t all, none;
	int rc;

	sigfillset(&all);
	sigemptyset(&none);
	rc = posix_spawnattr_setsigdefault(attr, &all);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &none);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	if (rc == 0)
		rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP |
							POSIX_SPAWN_SETSIGDEF |
							POSIX_SPAWN_SETSIGMASK);
	return rc;
}

bool
proc_start(const char *const *argv, struct proc_files files, pid_t *pid,
    struct error *err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	char *const *args;
	int rc;

	/* posix_spawn() promises not to change the strings, but not in its
	 * type. */
	memcpy(&args, &argv, sizeof(args));
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	rc = set_files(&actions, files);
	if (rc == 0)
		rc = set_signals(&attr);
	if (rc == 0)
		rc = posix_spawn(pid, argv[0], &actions, &attr, args, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return rc == 0 ||
	       error_errno(err, ERROR_LOCAL, rc, "cannot run %s", argv[0]);
}

void
proc_kill(pid_t pid)
{
	kill(-pid, SIGKILL);
}

const char *
proc_status_text(int status, char out[static 32])
{
	if (WIFSIGNALED(status))
		snprintf(out, 32, "signal %d", WTERMSIG(status));
	else
		snprintf(out, 32, "exit status %d", WEXITSTATUS(status));
	return out;
}

struct run {
	const char *name;
	pid_t pid;
	bool exited;
	int status;
	int64_t deadline_ms;
	struct run_pipe {
		int fd; /* -1 after its end */
		struct buf *to;
	} out, err;
};

static bool
start(struct run *r, const char *const *argv, int in, struct error *err)
{
	int out[2], error[2];
	bool ok;

	if (pipe2(out, O_CLOEXEC) != 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", argv[0]);
	if (pipe2(error, O_CLOEXEC) != 0) {
		error_errno(err, ERROR_LOCAL, errno, "%s", argv[0]);
		close(out[0]);
		close(out[1]);
		return false;
	}
	ok = proc_start(
	    argv, (struct proc_files){ in, out[1], error[1] }, &r->pid, err);
	close(out[1]);
	close(error[1]);
	r->out.fd = out[0];
	r->err.fd = error[0];
	return ok;
}

/* One read, after poll() said that it will not block. */
static void
read_pipe(struct run_pipe *p)
{
	uint8_t piece[4096];
	ssize_t n = read(p->fd, piece, sizeof(piece));

	if (n > 0) {
		buf_add(p->to, (struct slice){ piece, (size_t)n });
	} else if (n == 0 || errno != EINTR) {
		close(p->fd);
		p->fd = -1;
	}
	explicit_bzero(piece, sizeof(piece)); /* may be a password */
}

static void
wait_a_little(struct run *r, int64_t left_ms)
{
	struct pollfd fds[] = {
		{ .fd = r->out.fd, .events = POLLIN },
		{ .fd = r->err.fd, .events = POLLIN },
	};
	bool ended = r->out.fd < 0 && r->err.fd < 0;
	int64_t look = ended ? EXIT_LOOK_MS : OUTPUT_LOOK_MS;

	if (poll(fds, 2, (int)(left_ms < look ? left_ms : look)) <= 0)
		return;
	if (fds[0].revents != 0)
		read_pipe(&r->out);
	if (fds[1].revents != 0)
		read_pipe(&r->err);
}

/* Until it has ended and its pipes too; false at the deadline. */
static bool
wait_for_end(struct run *r)
{
	int64_t until_ms = r->deadline_ms;

	for (;;) {
		int64_t left = until_ms - clock_monotonic_ms();

		if (!r->exited && waitpid(r->pid, &r->status, WNOHANG) != 0) {
			r->exited = true;
			until_ms = clock_monotonic_ms() + PIPE_GRACE_MS;
			continue;
		}
		if (r->exited && r->out.fd < 0 && r->err.fd < 0)
			return true;
		if (left <= 0)
			return r->exited;
		if (buf_overflowed(r->out.to))
			return true;
		wait_a_little(r, left);
	}
}

/* Did it end, and say no more than it may? */
static bool
is_whole(const struct run *r, bool in_time, struct error *err)
{
	if (!in_time)
		return error_set(
		    err, ERROR_LOCAL, "%s: timed out and was killed", r->name);
	if (buf_overflowed(r->out.to))
		return error_set(err, ERROR_LOCAL,
		    "%s: printed more than %zu bytes", r->name, r->out.to->max);
	return true;
}

static bool
succeeded(const struct run *r, struct error *err)
{
	struct slice said = buf_slice(r->err.to), line = said;
	char words[32];

	if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0)
		return true;
	slice_cut_line(&said, &line);
	return error_set(err, ERROR_LOCAL, "%s: %s%s%.*s", r->name,
	    proc_status_text(r->status, words), line.len > 0 ? ": " : "",
	    SLICE_ARG(line));
}

/* From start to end. */
static bool
run(struct run *r, const struct proc_talk *talk, int in, struct error *err)
{
	bool ok;

	*r = (struct run){
		.name = talk->argv[0],
		.status = -1, /* a failure, should waitpid() not tell */
		.deadline_ms = clock_monotonic_ms() + talk->timeout_ms,
		.out = { .fd = -1, .to = talk->out },
		.err = { .fd = -1, .to = talk->said },
	};
	ok = start(r, talk->argv, in, err);
	if (ok) {
		ok = wait_for_end(r);
		if (!r->exited) {
			proc_kill(r->pid);
			while (waitpid(r->pid, &r->status, 0) < 0 &&
			       errno == EINTR)
				;
		}
		ok = is_whole(r, ok, err);
	}
	if (r->out.fd >= 0)
		close(r->out.fd);
	if (r->err.fd >= 0)
		close(r->err.fd);
	return ok;
}

bool
proc_run_heard(const char *const *argv, int64_t timeout_ms, struct buf *out,
    struct buf *said, struct error *err)
{
	const struct proc_talk talk = {
		.argv = argv, .timeout_ms = timeout_ms, .out = out, .said = said
	};
	struct run r;

	return run(&r, &talk, -1, err) && succeeded(&r, err);
}

/* A file in memory: unlike a pipe it takes all before somebody reads. */
static int
hold(struct slice text)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	while (fd >= 0 && text.len > 0) {
		ssize_t n = write(fd, text.data, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			close(fd);
			return -1;
		}
		text = slice_from(text, (size_t)n);
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

bool
proc_talk(struct proc_talk *talk, struct error *err)
{
	int in = hold(talk->in);
	struct run r;
	bool ok;

	if (in < 0)
		return error_errno(
		    err, ERROR_LOCAL, errno, "%s", talk->argv[0]);
	ok = run(&r, talk, in, err);
	talk->status = r.status;
	close(in);
	return ok;
}

bool
proc_run(const char *const *argv, int64_t timeout_ms, struct buf *out,
    struct error *err)
{
	struct buf said;
	bool ok;

	buf_init(&said, STDERR_KEPT);
	ok = proc_run_heard(argv, timeout_ms, out, &said, err);
	buf_clear(&said);
	return ok;
}
