/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/loop.h"

#include "base/mem.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct timer {
	struct event event;
	loop_handler *handler;
	void *arg;
};

struct watch {
	struct event event;
	loop_handler *handler;
	void *arg;
};

struct signal_watch {
	struct event event;
	loop_handler *handler;
	void *arg;
	struct signal_watch *next;
};

struct child {
	pid_t pid;
	int status;
	loop_child_handler *handler;
	void *arg;
	struct child *next;
};

struct call {
	loop_handler *handler;
	void *arg;
	struct call *next;
};

struct shared {
	const struct loop_kind *kind;
	void *object;
	struct shared *next;
};

struct loop {
	struct event_base *base;
	struct signal_watch *signals;
	struct event child_exit;
	struct child *children;
	struct shared *shared;
	bool stopped; /* libevent forgets a stop that came before the run */

	/* The only part that other threads touch. */
	pthread_mutex_t lock;
	struct call *first_call, **end_of_calls;
	int wake_fd;
	struct event wake;
};

static void
run_calls(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	struct call *call, *next;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) != (ssize_t)sizeof(count))
		return;
	pthread_mutex_lock(&loop->lock);
	call = loop->first_call;
	loop->first_call = NULL;
	loop->end_of_calls = &loop->first_call;
	pthread_mutex_unlock(&loop->lock);
	for (; call != NULL; call = next) {
		next = call->next;
		call->handler(call->arg);
		free(call);
	}
}

void
loop_call(struct loop *loop, loop_handler *handler, void *arg)
{
	struct call *call = mem_new(sizeof(*call));
	uint64_t one = 1;
	ssize_t written;

	call->handler = handler;
	call->arg = arg;
	pthread_mutex_lock(&loop->lock);
	*loop->end_of_calls = call;
	loop->end_of_calls = &call->next;
	/* Fails only when the counter is full: then the loop wakes anyway. */
	written = write(loop->wake_fd, &one, sizeof(one));
	(void)written;
	pthread_mutex_unlock(&loop->lock);
}

/* Moves the children that have ended to a list of their own. */
static struct child *
collect_ended(struct loop *loop)
{
	struct child *ended = NULL, **end = &ended, **at = &loop->children;

	while (*at != NULL) {
		struct child *child = *at;
		/* Never -1 for the pid: other parts may wait for their own. */
		pid_t pid = waitpid(child->pid, &child->status, WNOHANG);

		if (pid == 0 || (pid < 0 && errno == EINTR)) {
			at = &child->next;
			continue;
		}
		/* Somebody else took the status: the work must not hang. */
		if (pid < 0)
			child->status = W_EXITCODE(255, 0);
		*at = child->next;
		child->next = NULL;
		*end = child;
		end = &child->next;
	}
	return ended;
}

static void
on_child_exit(evutil_socket_t signo, short what, void *arg)
{
	struct child *child = collect_ended(arg), *next;

	(void)signo;
	(void)what;
	for (; child != NULL; child = next) {
		next = child->next;
		child->handler(child->arg, child->status);
		free(child);
	}
}

void
loop_on_child(
    struct loop *loop, pid_t pid, loop_child_handler *handler, void *arg)
{
	struct child *child = mem_new(sizeof(*child));

	child->pid = pid;
	child->handler = handler;
	child->arg = arg;
	child->next = loop->children;
	loop->children = child;
	/* Its SIGCHLD may have come and gone already. */
	event_active(&loop->child_exit, EV_SIGNAL, 1);
}

struct loop *
loop_new(void)
{
	struct loop *loop = mem_new(sizeof(*loop));

	loop->base = event_base_new();
	loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop->base == NULL || loop->wake_fd < 0)
		abort();
	pthread_mutex_init(&loop->lock, NULL);
	loop->end_of_calls = &loop->first_call;
	event_assign(&loop->wake, loop->base, loop->wake_fd,
	    EV_READ | EV_PERSIST, run_calls, loop);
	event_add(&loop->wake, NULL);
	event_assign(&loop->child_exit, loop->base, SIGCHLD,
	    EV_SIGNAL | EV_PERSIST, on_child_exit, loop);
	event_add(&loop->child_exit, NULL);
	return loop;
}

static void
drop_shared(struct loop *loop)
{
	while (loop->shared != NULL) {
		struct shared *shared = loop->shared;

		loop->shared = shared->next;
		shared->kind->drop(shared->object);
		free(shared);
	}
}

static void
drop_lists(struct loop *loop)
{
	while (loop->signals != NULL) {
		struct signal_watch *watch = loop->signals;

		loop->signals = watch->next;
		event_del(&watch->event);
		free(watch);
	}
	while (loop->children != NULL) {
		struct child *child = loop->children;

		loop->children = child->next;
		free(child);
	}
	while (loop->first_call != NULL) {
		struct call *call = loop->first_call;

		loop->first_call = call->next;
		free(call);
	}
}

void
loop_free(struct loop *loop)
{
	drop_shared(loop);
	drop_lists(loop);
	event_del(&loop->child_exit);
	event_del(&loop->wake);
	/* libevent gives the memory of a stream back only when it comes
	 * round. */
	event_base_loop(loop->base, EVLOOP_NONBLOCK);
	event_base_free(loop->base);
	close(loop->wake_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

void
loop_run(struct loop *loop)
{
	if (!loop->stopped)
		event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	loop->stopped = false;
}

void
loop_stop(struct loop *loop)
{
	loop->stopped = true;
	event_base_loopbreak(loop->base);
}

struct event_base *
loop_base(struct loop *loop)
{
	return loop->base;
}

void *
loop_shared(struct loop *loop, const struct loop_kind *kind)
{
	struct shared *shared;

	for (shared = loop->shared; shared != NULL; shared = shared->next) {
		if (shared->kind == kind)
			return shared->object;
	}
	shared = mem_new(sizeof(*shared));
	shared->kind = kind;
	shared->object = kind->make(loop);
	shared->next = loop->shared;
	loop->shared = shared;
	return shared->object;
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *timer = arg;

	(void)fd;
	(void)what;
	timer->handler(timer->arg);
}

struct timer *
timer_new(struct loop *loop, loop_handler *handler, void *arg)
{
	struct timer *timer = mem_new(sizeof(*timer));

	timer->handler = handler;
	timer->arg = arg;
	event_assign(&timer->event, loop->base, -1, 0, on_timer, timer);
	return timer;
}

void
timer_free(struct timer *timer)
{
	if (timer == NULL)
		return;
	event_del(&timer->event);
	free(timer);
}

void
timer_start(struct timer *timer, int64_t after_ms)
{
	struct timeval after;

	if (after_ms < 0)
		after_ms = 0;
	after.tv_sec = after_ms / 1000;
	after.tv_usec = after_ms % 1000 * 1000;
	event_add(&timer->event, &after);
}

void
timer_stop(struct timer *timer)
{
	event_del(&timer->event);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;

	(void)fd;
	(void)what;
	watch->handler(watch->arg);
}

struct watch *
watch_new(struct loop *loop, int fd, loop_handler *handler, void *arg)
{
	struct watch *watch = mem_new(sizeof(*watch));

	watch->handler = handler;
	watch->arg = arg;
	event_assign(&watch->event, loop->base, fd, EV_READ | EV_PERSIST,
	    on_readable, watch);
	event_add(&watch->event, NULL);
	return watch;
}

void
watch_free(struct watch *watch)
{
	if (watch == NULL)
		return;
	event_del(&watch->event);
	free(watch);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct signal_watch *watch = arg;

	(void)signo;
	(void)what;
	watch->handler(watch->arg);
}

void
loop_on_signal(struct loop *loop, int signo, loop_handler *handler, void *arg)
{
	struct signal_watch *watch = mem_new(sizeof(*watch));

	watch->handler = handler;
	watch->arg = arg;
	event_assign(&watch->event, loop->base, signo, EV_SIGNAL | EV_PERSIST,
	    on_signal, watch);
	event_add(&watch->event, NULL);
	watch->next = loop->signals;
	loop->signals = watch;
}
