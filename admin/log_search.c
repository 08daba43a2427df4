/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/log_search.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/proc.h"

enum { PIECE = 64 * 1024 };

/* Gives each line that has the needle to its reader. */
static bool
look_through(const struct log_search *s, struct slice lines)
{
	while (lines.len > 0) {
		const uint8_t *hit = memmem(
		    lines.data, lines.len, s->needle.data, s->needle.len);
		struct slice before, line;
		size_t begin;

		if (hit == NULL)
			return false;
		before = slice_first(lines, (size_t)(hit - lines.data));
		begin = slice_find_last(before, '\n');
		lines = slice_from(lines, begin == before.len ? 0 : begin + 1);
		slice_cut_line(&lines, &line);
		if (s->line(s->arg, line))
			return true;
	}
	return false;
}

/* The whole lines of what is held; an unfinished one stays. */
static bool
look_at_held(const struct log_search *s, struct buf *held, bool at_end)
{
	struct slice all = buf_slice(held);
	size_t last = slice_find_last(all, '\n');
	size_t whole = last == all.len ? 0 : last + 1;
	bool enough;

	if (at_end || all.len > LOG_SEARCH_LINE_MAX)
		whole = all.len;
	enough = look_through(s, slice_first(all, whole));
	buf_drop(held, whole);
	return enough;
}

static bool
wait_for_more(const struct log_search *s, int fd, struct error *err)
{
	struct pollfd look = { .fd = fd, .events = POLLIN };
	int64_t left = s->deadline_ms - clock_monotonic_ms();

	if (left > 0 && poll(&look, 1, (int)left) != 0)
		return true;
	return error_set(err, ERROR_RETRY, "it took too long");
}

bool
log_search_fd(const struct log_search *s, int fd, struct error *err)
{
	uint8_t piece[PIECE];
	struct buf held;
	ssize_t n = 1;
	bool enough = false, ok = true;

	buf_init(&held, LOG_SEARCH_LINE_MAX + PIECE);
	while (ok && n > 0 && !enough) {
		ok = wait_for_more(s, fd, err);
		if (!ok)
			break;
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR) {
			n = 1;
			continue;
		}
		if (n < 0)
			ok = error_errno(err, ERROR_LOCAL, errno, "a log");
		else
			buf_add(&held, (struct slice){ piece, (size_t)n });
		enough = look_at_held(s, &held, n <= 0);
	}
	buf_clear(&held);
	return ok;
}

bool
log_search_program(const struct log_search *s, const char *const *argv, int in,
    struct error *err)
{
	int out[2], status;
	pid_t pid;
	bool ok;

	if (pipe2(out, O_CLOEXEC) != 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", argv[0]);
	ok = proc_start(argv, (struct proc_files){ in, out[1], -1 }, &pid, err);
	close(out[1]);
	if (ok) {
		ok = log_search_fd(s, out[0], err);
		proc_kill(pid);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(out[0]);
	return ok;
}
