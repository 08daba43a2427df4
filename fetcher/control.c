/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/control.h"

#include "base/mem.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <unistd.h>

static const struct timeval patience = { .tv_sec = 60 };

struct control_client {
	struct control *control;
	struct bufferevent *stream; /* NULL: it has gone */
	bool asking;                /* the handler owes an answer */
	bool serving;               /* on the stack already */
	struct control_client *next;
};

struct control {
	char *path;
	struct evconnlistener *listener;
	control_handler *handler;
	void *arg;
	struct control_client *clients;
	unsigned n; /* those that are connected */
};

static void
client_free(struct control_client *client)
{
	struct control_client **at = &client->control->clients;

	while (*at != client)
		at = &(*at)->next;
	*at = client->next;
	free(client);
}

static void
disconnect(struct control_client *client)
{
	struct control *control = client->control;

	bufferevent_free(client->stream);
	client->stream = NULL;
	control->n--;
	evconnlistener_enable(control->listener);
	if (!client->asking)
		client_free(client);
}

static bool
ask(struct control_client *client)
{
	struct evbuffer *in = bufferevent_get_input(client->stream);
	size_t len;
	char *line = evbuffer_readln(in, &len, EVBUFFER_EOL_LF);

	if (line == NULL)
		return false;
	client->asking = true;
	bufferevent_disable(client->stream, EV_READ);
	client->control->handler(client->control->arg, client,
	    slice_trim((struct slice){ (const uint8_t *)line, len }));
	free(line);
	return true;
}

/* Whole lines, one after the other as they are answered. */
static void
serve(struct control_client *client)
{
	client->serving = true;
	while (!client->asking && ask(client))
		;
	client->serving = false;
}

static void
on_lines(struct bufferevent *stream, void *arg)
{
	struct control_client *client = arg;

	serve(client);
	if (!client->asking && evbuffer_get_length(bufferevent_get_input(
				   stream)) >= CONTROL_LINE_MAX)
		disconnect(client);
}

static void
on_sent(struct bufferevent *stream, void *arg)
{
	(void)stream;
	disconnect(arg);
}

/* Gone, silent, or not reading.  Who only said its last word gets its answer. */
static void
on_end(struct bufferevent *stream, short what, void *arg)
{
	if ((what & BEV_EVENT_EOF) != 0 &&
	    evbuffer_get_length(bufferevent_get_output(stream)) > 0)
		bufferevent_setcb(stream, NULL, on_sent, on_end, arg);
	else
		disconnect(arg);
}

static void
on_client(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct control *control = arg;
	struct control_client *client = mem_new(sizeof(*client));

	(void)address;
	(void)len;
	client->control = control;
	client->stream =
	    bufferevent_socket_new(evconnlistener_get_base(listener), fd,
		BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (client->stream == NULL)
		abort();
	client->next = control->clients;
	control->clients = client;
	bufferevent_setcb(client->stream, on_lines, NULL, on_end, client);
	bufferevent_setwatermark(client->stream, EV_READ, 0, CONTROL_LINE_MAX);
	bufferevent_set_timeouts(client->stream, &patience, &patience);
	bufferevent_enable(client->stream, EV_READ | EV_WRITE);
	/* A full house lets the next one wait in the backlog. */
	if (++control->n == CONTROL_CLIENTS_MAX)
		evconnlistener_disable(listener);
}

void
control_answer(struct control_client *client, struct slice answer)
{
	client->asking = false;
	if (client->stream == NULL) {
		client_free(client);
		return;
	}
	evbuffer_add(
	    bufferevent_get_output(client->stream), answer.data, answer.len);
	bufferevent_enable(client->stream, EV_READ);
	if (!client->serving)
		serve(client);
}

struct control *
control_new(struct loop *loop, const char *path, control_handler *handler,
    void *arg, struct error *err)
{
	struct control *control;
	int fd;

	if (!control_socket_listen(path, &fd, err)) {
		error_prefix(err, "fetcher.control");
		return NULL;
	}
	control = mem_new(sizeof(*control));
	control->path = mem_string(path);
	control->handler = handler;
	control->arg = arg;
	control->listener = evconnlistener_new(loop_base(loop), on_client,
	    control, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, -1, fd);
	if (control->listener == NULL)
		abort();
	return control;
}

void
control_free(struct control *control)
{
	if (control == NULL)
		return;
	while (control->clients != NULL) {
		struct control_client *client = control->clients;

		control->clients = client->next;
		if (client->stream != NULL)
			bufferevent_free(client->stream);
		free(client);
	}
	evconnlistener_free(control->listener);
	unlink(control->path);
	free(control->path);
	free(control);
}
