/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/resolve.h"

#include "base/mem.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lookup {
	struct resolver *resolver;
	char *host;
	char port[8];
	resolve_handler *handler; /* NULL: cancelled, the result is dropped */
	void *arg;
	bool running;
	struct addrinfo *addresses;
	struct error err;
	struct lookup *next; /* in waiting or in finished */
};

/* Shared by the loop and the workers.  A worker may hang in getaddrinfo()
 * longer than the loop lives: the last of them frees this. */
struct resolver {
	pthread_mutex_t lock; /* guards all below and the lookups */
	struct loop *loop;    /* NULL when the loop is gone */
	unsigned workers;
	struct lookup *waiting, *finished;
};

static void
append(struct lookup **list, struct lookup *lookup)
{
	while (*list != NULL)
		list = &(*list)->next;
	lookup->next = NULL;
	*list = lookup;
}

static bool
take_out(struct lookup **list, struct lookup *lookup)
{
	while (*list != NULL && *list != lookup)
		list = &(*list)->next;
	if (*list == NULL)
		return false;
	*list = lookup->next;
	return true;
}

static void
free_lookup(struct lookup *lookup)
{
	if (lookup->addresses != NULL)
		freeaddrinfo(lookup->addresses);
	free(lookup->host);
	free(lookup);
}

static void
free_list(struct lookup **list)
{
	while (*list != NULL) {
		struct lookup *lookup = *list;

		*list = lookup->next;
		free_lookup(lookup);
	}
}

static void
free_resolver(struct resolver *resolver)
{
	pthread_mutex_destroy(&resolver->lock);
	free(resolver);
}

static void
look_up(struct lookup *lookup, int flags)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags };
	int status;

	status =
	    getaddrinfo(lookup->host, lookup->port, &hints, &lookup->addresses);
	if (status == 0)
		return;
	lookup->addresses = NULL;
	error_set(&lookup->err, ERROR_RETRY,
	    "cannot find the address of %s: %s", lookup->host,
	    gai_strerror(status));
}

/* Runs on the loop's thread. */
static void
deliver_finished(void *arg)
{
	struct resolver *resolver = arg;

	for (;;) {
		struct addrinfo *addresses;
		struct lookup *lookup;

		pthread_mutex_lock(&resolver->lock);
		lookup = resolver->finished;
		if (lookup != NULL)
			resolver->finished = lookup->next;
		pthread_mutex_unlock(&resolver->lock);
		if (lookup == NULL)
			return;
		addresses = lookup->addresses;
		lookup->addresses = NULL;
		lookup->handler(lookup->arg, addresses, &lookup->err);
		free_lookup(lookup);
	}
}

/* With the lock held. */
static void
finish(struct resolver *resolver, struct lookup *lookup)
{
	lookup->running = false;
	append(&resolver->finished, lookup);
	loop_call(resolver->loop, deliver_finished, resolver);
}

static void *
work(void *arg)
{
	struct resolver *resolver = arg;
	bool last;

	pthread_mutex_lock(&resolver->lock);
	while (resolver->waiting != NULL) {
		struct lookup *lookup = resolver->waiting;

		resolver->waiting = lookup->next;
		lookup->running = true;
		pthread_mutex_unlock(&resolver->lock);
		look_up(lookup, 0);
		pthread_mutex_lock(&resolver->lock);
		if (lookup->handler != NULL)
			finish(resolver, lookup);
		else
			free_lookup(lookup);
	}
	resolver->workers--;
	last = resolver->loop == NULL && resolver->workers == 0;
	pthread_mutex_unlock(&resolver->lock);
	if (last)
		free_resolver(resolver);
	return NULL;
}

/* Signals are the loop's; nobody joins a worker, it may hang. */
static bool
start_worker(struct resolver *resolver)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t all, before;
	bool started;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, &attr, work, resolver) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return started;
}

static void *
make_resolver(struct loop *loop)
{
	struct resolver *resolver = mem_new(sizeof(*resolver));

	pthread_mutex_init(&resolver->lock, NULL);
	resolver->loop = loop;
	return resolver;
}

/* All lookups were cancelled: what is left here nobody waits for. */
static void
drop_resolver(void *object)
{
	struct resolver *resolver = object;
	bool last;

	pthread_mutex_lock(&resolver->lock);
	resolver->loop = NULL;
	free_list(&resolver->waiting);
	free_list(&resolver->finished);
	last = resolver->workers == 0;
	pthread_mutex_unlock(&resolver->lock);
	if (last)
		free_resolver(resolver);
}

/* With the lock held. */
static void
queue(struct resolver *resolver, struct lookup *lookup)
{
	append(&resolver->waiting, lookup);
	if (resolver->workers == RESOLVE_WORKERS)
		return;
	if (start_worker(resolver)) {
		resolver->workers++;
	} else if (resolver->workers == 0) {
		take_out(&resolver->waiting, lookup);
		error_set(&lookup->err, ERROR_LOCAL,
		    "cannot start a thread to look up %s", lookup->host);
		finish(resolver, lookup);
	}
}

struct lookup *
resolve_start(struct loop *loop, const char *host, uint16_t port,
    resolve_handler *handler, void *arg)
{
	static const struct loop_kind kind = { make_resolver, drop_resolver };
	struct resolver *resolver = loop_shared(loop, &kind);
	struct lookup *lookup = mem_new(sizeof(*lookup));

	lookup->resolver = resolver;
	lookup->host = mem_string(host);
	snprintf(lookup->port, sizeof(lookup->port), "%u", port);
	lookup->handler = handler;
	lookup->arg = arg;
	look_up(lookup, AI_NUMERICHOST);
	pthread_mutex_lock(&resolver->lock);
	if (lookup->addresses != NULL)
		finish(resolver, lookup);
	else
		queue(resolver, lookup);
	pthread_mutex_unlock(&resolver->lock);
	return lookup;
}

void
resolve_cancel(struct lookup *lookup)
{
	struct resolver *resolver;

	if (lookup == NULL)
		return;
	resolver = lookup->resolver;
	pthread_mutex_lock(&resolver->lock);
	lookup->handler = NULL;
	if (!lookup->running) {
		if (!take_out(&resolver->waiting, lookup))
			take_out(&resolver->finished, lookup);
		free_lookup(lookup);
	}
	pthread_mutex_unlock(&resolver->lock);
}
