/* SPDX-License-Identifier: Apache-2.0 */
#include "base/control_socket.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SOCKET_MODE = 0660, BACKLOG = 32 };

static bool
make_address(const char *path, struct sockaddr_un *address, struct error *err)
{
	size_t len = strlen(path);

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len >= sizeof(address->sun_path))
		return error_set(err, ERROR_CONFIG,
		    "%s: a socket's path has at most %zu bytes", path,
		    sizeof(address->sun_path) - 1);
	memcpy(address->sun_path, path, len + 1);
	return true;
}

/* 0, or the errno of connect(2). */
static int
connect_to(const struct sockaddr_un *address, int *fd)
{
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0 && connect(*fd, (const struct sockaddr *)address,
			    sizeof(*address)) == 0)
		return 0;
	return errno;
}

static bool
remove_stale(const struct sockaddr_un *address, struct error *err)
{
	const char *path = address->sun_path;
	struct stat st;
	int fd, fault;

	if (lstat(path, &st) != 0)
		return true;
	if (!S_ISSOCK(st.st_mode))
		return error_set(
		    err, ERROR_CONFIG, "%s is there and no socket", path);
	fault = connect_to(address, &fd);
	if (fd >= 0)
		close(fd);
	/* Only this proves that nobody listens; EAGAIN is a full queue. */
	if (fault != ECONNREFUSED)
		return error_set(err, ERROR_CONFIG,
		    "%s: another of this daemon answers there", path);
	if (unlink(path) != 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
	return true;
}

bool
control_socket_listen(const char *path, int *fd, struct error *err)
{
	struct sockaddr_un address;
	int saved;

	if (!make_address(path, &address, err) || !remove_stale(&address, err))
		return false;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return error_errno(err, ERROR_LOCAL, errno, "%s", path);
	if (bind(*fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
		if (chmod(path, SOCKET_MODE) == 0 && listen(*fd, BACKLOG) == 0)
			return true;
		saved = errno;
		unlink(path);
		errno = saved;
	}
	error_errno(err, ERROR_LOCAL, errno,
	    "cannot listen at %s (is its folder there, and may this user write "
	    "to it?)",
	    path);
	close(*fd);
	return false;
}

size_t
control_answer_end(struct slice answer)
{
	struct slice rest = answer, line, word;

	if (!slice_cut_until(&rest, '\n', &line))
		return 0;
	if (slice_cut_word(&line, &word) &&
	    (slice_equal(word, SLICE("OK")) ||
		slice_equal(word, SLICE("WAIT")) ||
		slice_equal(word, SLICE("ERROR"))))
		return answer.len - rest.len;
	for (rest = answer; slice_cut_until(&rest, '\n', &line);)
		if (line.len == 0)
			return answer.len - rest.len;
	return 0;
}

bool
control_cut_pair(struct slice *report, struct slice *key, struct slice *value)
{
	struct slice rest = *report, line;

	if (!slice_cut_until(&rest, '\n', &line) || line.len == 0)
		return false;
	*report = rest;
	if (!slice_cut_until(&line, ' ', key)) {
		*key = line;
		line.len = 0;
	}
	*value = line;
	return true;
}

static bool
refused(const char *path, int fault, struct error *err)
{
	enum error_kind kind = ERROR_LOCAL;

	if (fault == ENOENT || fault == ECONNREFUSED)
		kind = ERROR_REFUSED;
	else if (fault == EACCES || fault == EPERM)
		kind = ERROR_CONFIG;
	return error_errno(err, kind, fault, "%s", path);
}

/* Reads until a whole answer is there. */
static bool
receive(int fd, const char *path, int64_t deadline_ms, struct buf *answer,
    struct error *err)
{
	size_t from = answer->len;
	uint8_t piece[4096];

	while (control_answer_end(slice_from(buf_slice(answer), from)) == 0) {
		struct pollfd polled = { .fd = fd, .events = POLLIN };
		int64_t left_ms = deadline_ms - clock_monotonic_ms();
		ssize_t n;

		if (left_ms <= 0 || poll(&polled, 1, (int)left_ms) == 0)
			return error_set(
			    err, ERROR_RETRY, "%s: no answer in time", path);
		n = read(fd, piece, sizeof(piece));
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return refused(path, errno, err);
		if (n == 0 ||
		    !buf_add(answer, (struct slice){ piece, (size_t)n }))
			return error_set(err, ERROR_PROTOCOL,
			    "%s: an answer without end", path);
	}
	return true;
}

bool
control_socket_ask(const char *path, const char *question, int64_t timeout_ms,
    struct buf *answer, struct error *err)
{
	int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
	struct sockaddr_un address;
	struct buf line;
	int fd, fault;
	bool ok;

	if (!make_address(path, &address, err))
		return false;
	fault = connect_to(&address, &fd);
	buf_init(&line, CONTROL_LINE_MAX);
	if (fault != 0)
		ok = refused(path, fault, err);
	else if (!buf_printf(&line, "%s\n", question))
		ok = error_set(err, ERROR_CONFIG, "%s: too long", question);
	else if (send(fd, line.data, line.len, MSG_NOSIGNAL) !=
		 (ssize_t)line.len)
		ok = refused(path, errno, err);
	else
		ok = receive(fd, path, deadline_ms, answer, err);
	buf_clear(&line);
	if (fd >= 0)
		close(fd);
	return ok;
}
