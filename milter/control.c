/* SPDX-License-Identifier: Apache-2.0 */
#include "milter/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

enum { IDLE_MS = 60000, PAUSE_MS = 100 };

struct client {
	int fd;
	int64_t last_ms; /* clock_monotonic_ms() of its last word */
	uint8_t line[CONTROL_LINE_MAX];
	size_t len;
};

struct control {
	char *path;
	control_answer *answer;
	void *context;
	pthread_t thread;
	int listener;
	int stop; /* eventfd: readable when the thread has to end */
	struct client clients[CONTROL_CLIENTS_MAX];
	size_t n;
};

static void
drop_client(struct control *control, size_t i)
{
	close(control->clients[i].fd);
	control->clients[i] = control->clients[--control->n];
}

static void
take_client(struct control *control)
{
	struct client *client = &control->clients[control->n];
	int fd = accept4(
	    control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		/* Out of descriptors, say: the listener stays readable, so do
		 * not turn in circles. */
		poll(NULL, 0, PAUSE_MS);
		return;
	}
	*client = (struct client){ .fd = fd, .last_ms = clock_monotonic_ms() };
	control->n++;
}

static bool
reply_to(struct control *control, int fd, struct slice line)
{
	struct buf reply;
	bool sent;

	buf_init(&reply, CONTROL_ANSWER_MAX);
	control->answer(control->context, line, &reply);
	/* Who does not even read one answer is not worth a buffer. */
	sent =
	    send(fd, reply.data, reply.len, MSG_NOSIGNAL) == (ssize_t)reply.len;
	buf_clear(&reply);
	return sent;
}

/* False: the client is through. */
static bool
read_client(struct control *control, struct client *client)
{
	ssize_t n = read(client->fd, client->line + client->len,
	    sizeof(client->line) - client->len);
	struct slice all, line;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	client->len += (size_t)n;
	all = (struct slice){ client->line, client->len };
	while (slice_cut_until(&all, '\n', &line))
		if (!reply_to(control, client->fd, slice_trim(line)))
			return false;
	if (all.len == sizeof(client->line))
		return false;
	if (all.len > 0)
		memmove(client->line, all.data, all.len);
	client->len = all.len;
	client->last_ms = clock_monotonic_ms();
	return true;
}

static void
serve_clients(struct control *control, const struct pollfd *polled)
{
	/* From the last down: dropping one moves the last into its place. */
	for (size_t i = control->n; i-- > 0;) {
		struct client *client = &control->clients[i];
		bool stays;

		if (polled[i].revents != 0)
			stays = read_client(control, client);
		else
			stays =
			    clock_monotonic_ms() - client->last_ms < IDLE_MS;
		if (!stays)
			drop_client(control, i);
	}
}

static void *
serve(void *argument)
{
	struct control *control = argument;
	struct pollfd polled[CONTROL_CLIENTS_MAX + 2];

	for (;;) {
		size_t n = control->n;
		/* A full house lets the next one wait in the backlog. */
		short welcome = n < CONTROL_CLIENTS_MAX ? POLLIN : 0;

		for (size_t i = 0; i < n; i++)
			polled[i] =
			    (struct pollfd){ .fd = control->clients[i].fd,
				    .events = POLLIN };
		polled[n] =
		    (struct pollfd){ .fd = control->stop, .events = POLLIN };
		polled[n + 1] = (struct pollfd){ .fd = control->listener,
			.events = welcome };
		if (poll(polled, (nfds_t)n + 2, n == 0 ? -1 : IDLE_MS) < 0 &&
		    errno != EINTR) {
			log_error(
			    "milter.control: poll failed, no more answers");
			return NULL;
		}
		if (polled[n].revents != 0)
			return NULL;
		serve_clients(control, polled);
		if (polled[n + 1].revents != 0)
			take_client(control);
	}
}

static void
control_free(struct control *control)
{
	while (control->n > 0)
		drop_client(control, 0);
	if (control->listener >= 0)
		close(control->listener);
	if (control->stop >= 0)
		close(control->stop);
	free(control->path);
	free(control);
}

struct control *
control_start(
    const char *path, control_answer *answer, void *context, struct error *err)
{
	struct control *control = mem_new(sizeof(*control));
	int rc;

	control->answer = answer;
	control->context = context;
	control->path = mem_string(path);
	control->listener = -1;
	control->stop = eventfd(0, EFD_CLOEXEC);
	if (!control_socket_listen(path, &control->listener, err)) {
		error_prefix(err, "milter.control");
		control_free(control);
		return NULL;
	}
	rc = pthread_create(&control->thread, NULL, serve, control);
	if (rc != 0) {
		error_errno(err, ERROR_LOCAL, rc, "thread of milter.control");
		unlink(path);
		control_free(control);
		return NULL;
	}
	return control;
}

void
control_stop(struct control *control)
{
	uint64_t one = 1;

	if (control == NULL)
		return;
	if (write(control->stop, &one, sizeof(one)) == sizeof(one))
		pthread_join(control->thread, NULL);
	unlink(control->path);
	control_free(control);
}
