/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/smtp_session.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "directory/smtp_reply.h"

enum { REFUSALS_MAX = 8, COMMAND_MAX = 1024, NAME_SIZE = 256 };

struct smtp_session {
	const struct smtp_source *settings;
	int fd;
	int64_t deadline_ms;
	uint8_t input[SMTP_REPLY_LINE_MAX];
	size_t len; /* of the input that is not read yet */
	bool utf8;  /* the server takes addresses that are not ASCII */
	bool in_mail;
	unsigned refusals;
};

static bool
wait_for(const struct smtp_session *s, short events)
{
	struct pollfd ready = { .fd = s->fd, .events = events };
	int n;

	do {
		int64_t left_ms = s->deadline_ms - clock_monotonic_ms();

		n = poll(&ready, 1, left_ms > 0 ? (int)left_ms : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

static bool
fail(const struct smtp_session *s, struct error *err, const char *what)
{
	return error_set(err, ERROR_RETRY, "%s:%u: %s", s->settings->host,
	    s->settings->port, what);
}

static bool
connect_to(struct smtp_session *s, const struct addrinfo *to, struct error *err)
{
	int fault = 0;
	socklen_t len = sizeof(fault);

	s->fd = socket(to->ai_family,
	    to->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	if (s->fd < 0)
		return error_errno(err, ERROR_LOCAL, errno, "socket");
	if (connect(s->fd, to->ai_addr, to->ai_addrlen) != 0)
		fault = errno;
	if (fault == EINPROGRESS) {
		if (!wait_for(s, POLLOUT))
			fault = ETIMEDOUT;
		else
			getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &fault, &len);
	}
	if (fault == 0)
		return true;
	close(s->fd);
	s->fd = -1;
	return error_errno(err, ERROR_RETRY, fault, "%s:%u", s->settings->host,
	    s->settings->port);
}

static bool
dial(struct smtp_session *s, struct error *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list;
	char port[8];
	bool done = false;
	int code;

	snprintf(port, sizeof(port), "%u", s->settings->port);
	code = getaddrinfo(s->settings->host, port, &hints, &list);
	if (code != 0)
		return fail(s, err, gai_strerror(code));
	for (const struct addrinfo *to = list; to != NULL && !done;
	     to = to->ai_next)
		done = connect_to(s, to, err);
	freeaddrinfo(list);
	return done;
}

static bool
say(struct smtp_session *s, struct slice text, struct error *err)
{
	while (text.len > 0) {
		ssize_t n = send(s->fd, text.data, text.len, MSG_NOSIGNAL);

		if (n > 0)
			text = slice_from(text, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return fail(s, err, "the connection is lost");
		else if (!wait_for(s, POLLOUT))
			return fail(s, err, "no answer in time");
	}
	return true;
}

static bool
read_more(struct smtp_session *s, struct error *err)
{
	ssize_t n;

	if (s->len == sizeof(s->input))
		return fail(s, err, "sends endless lines");
	if (!wait_for(s, POLLIN))
		return fail(s, err, "no answer in time");
	n = recv(s->fd, s->input + s->len, sizeof(s->input) - s->len, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return fail(s, err, "the connection is lost");
	if (n > 0)
		s->len += (size_t)n;
	return true;
}

static bool
read_reply(struct smtp_session *s, struct smtp_reply *reply, struct error *err)
{
	*reply = (struct smtp_reply){ 0 };
	for (;;) {
		struct slice rest = { s->input, s->len }, line;
		enum smtp_more more;

		if (!slice_cut_until(&rest, '\n', &line)) {
			if (!read_more(s, err))
				return false;
			continue;
		}
		more = smtp_reply_line(reply, slice_trim(line));
		memmove(s->input, rest.data, rest.len);
		s->len = rest.len;
		if (more == SMTP_REPLY_BROKEN)
			return fail(s, err, "does not speak SMTP");
		if (more == SMTP_REPLY_WHOLE)
			return reply->code != 421 || fail(s, err, reply->text);
	}
}

static bool
command(struct smtp_session *s, const char *text, struct smtp_reply *reply,
    struct error *err)
{
	struct buf line;
	bool done;

	buf_init(&line, COMMAND_MAX);
	done = buf_printf(&line, "%s\r\n", text)
		   ? say(s, buf_slice(&line), err)
		   : fail(s, err, "the command is too long");
	buf_clear(&line);
	return done && read_reply(s, reply, err);
}

static bool
command_ok(struct smtp_session *s, const char *text, struct error *err)
{
	struct smtp_reply reply;

	if (!command(s, text, &reply, err))
		return false;
	return reply.code / 100 == 2 ||
	       error_set(err, ERROR_RETRY, "%s:%u: to %s: %s",
		   s->settings->host, s->settings->port, text, reply.text);
}

/* A full name, or the address that we call from (RFC 5321 4.1.3). */
static void
own_name(const struct smtp_session *s, char name[NAME_SIZE])
{
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);
	char number[64] = "127.0.0.1";

	if (gethostname(name, NAME_SIZE - 1) == 0 && strchr(name, '.') != NULL)
		return;
	if (getsockname(s->fd, (struct sockaddr *)&own, &len) == 0)
		getnameinfo((struct sockaddr *)&own, len, number,
		    sizeof(number), NULL, 0, NI_NUMERICHOST);
	snprintf(name, NAME_SIZE, "[%s%s]",
	    strchr(number, ':') != NULL ? "IPv6:" : "", number);
}

static bool
greet(struct smtp_session *s, struct error *err)
{
	struct smtp_reply reply;
	char name[NAME_SIZE] = "", text[NAME_SIZE + 8];

	if (!read_reply(s, &reply, err))
		return false;
	if (reply.code != 220)
		return fail(s, err, reply.text);
	own_name(s, name);
	snprintf(text, sizeof(text), "EHLO %s", name);
	if (!command(s, text, &reply, err))
		return false;
	s->utf8 = reply.utf8;
	if (reply.code == 250)
		return true;
	snprintf(text, sizeof(text), "HELO %s", name);
	return command_ok(s, text, err);
}

struct smtp_session *
smtp_session_open(
    const struct smtp_source *settings, int64_t deadline_ms, struct error *err)
{
	struct smtp_session *s = mem_new(sizeof(*s));

	s->settings = settings;
	s->fd = -1;
	s->deadline_ms = deadline_ms;
	if (dial(s, err) && greet(s, err))
		return s;
	smtp_session_close(s);
	return NULL;
}

void
smtp_session_close(struct smtp_session *s)
{
	struct error err;

	s->deadline_ms = 0;
	if (s->fd >= 0) {
		say(s, SLICE("QUIT\r\n"), &err);
		close(s->fd);
	}
	free(s);
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((uint8_t)*text >= 0x80)
			return false;
	return true;
}

static bool
begin_mail(struct smtp_session *s, struct error *err)
{
	if (!s->in_mail)
		s->in_mail = command_ok(
		    s, s->utf8 ? "MAIL FROM:<> SMTPUTF8" : "MAIL FROM:<>", err);
	return s->in_mail;
}

bool
smtp_session_ask(struct smtp_session *s, const struct address *address,
    int64_t deadline_ms, struct directory_answer *answer, struct error *err)
{
	char text[ADDRESS_TEXT_SIZE], line[ADDRESS_TEXT_SIZE + 16];
	struct smtp_reply reply;

	s->deadline_ms = deadline_ms;
	if (!s->utf8 && !is_ascii(address->local)) {
		source_answer(answer, ABSENT,
		    "%s:%u: takes no address that is not ASCII",
		    s->settings->host, s->settings->port);
		return true;
	}
	snprintf(
	    line, sizeof(line), "RCPT TO:<%s>", address_write(address, text));
	if (!begin_mail(s, err) || !command(s, line, &reply, err))
		return false;
	s->refusals += reply.code >= 400;
	source_answer(answer, smtp_reply_judge(&reply), "%s:%u: %s",
	    s->settings->host, s->settings->port, reply.text);
	return true;
}

bool
smtp_session_reset(
    struct smtp_session *s, int64_t deadline_ms, struct error *err)
{
	s->deadline_ms = deadline_ms;
	s->in_mail = false;
	return command_ok(s, "RSET", err);
}

bool
smtp_session_is_worn(const struct smtp_session *s)
{
	return s->refusals >= REFUSALS_MAX;
}
