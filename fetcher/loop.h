/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop - the one event loop: timers, signals, children, and calls from other
 * threads.  With conn and control, the only place that knows libevent.
 *
 * All but loop_call() is for the loop's thread, where all handlers run.  Times
 * are milliseconds.
 */
#ifndef FETCHER_LOOP_H
#define FETCHER_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct timer;
struct watch;
struct event_base;

typedef void loop_handler(void *arg);
typedef void loop_child_handler(void *arg, int wait_status);

struct loop *loop_new(void);
/* Calls not yet run are dropped, children are no longer watched.  Timers and
 * connections must be gone, threads that use loop_call() too. */
void loop_free(struct loop *);
/* Returns after loop_stop(). */
void loop_run(struct loop *);
void loop_stop(struct loop *);
/* For conn and control only. */
struct event_base *loop_base(struct loop *);

/* A timer is idle until started; starting a running one moves it. */
struct timer *timer_new(struct loop *, loop_handler *, void *arg);
void timer_free(struct timer *); /* takes NULL */
void timer_start(struct timer *, int64_t after_ms);
void timer_stop(struct timer *);

/* Calls the handler while there is something to read from the descriptor: bytes,
 * its end, a fault.  Free the watch before closing the descriptor. */
struct watch *watch_new(struct loop *, int fd, loop_handler *, void *arg);
void watch_free(struct watch *); /* takes NULL */

void loop_on_signal(struct loop *, int signo, loop_handler *, void *arg);
/* Calls the handler once, later, with the status of this child, which must not
 * have been waited for; it may have ended already. */
void loop_on_child(struct loop *, pid_t, loop_child_handler *, void *arg);
/* Runs the handler on the loop's thread, soon; from any thread. */
void loop_call(struct loop *, loop_handler *, void *arg);

/* What the users of one loop share (the resolver, TLS contexts): one object of
 * each kind, made when first asked for, dropped by loop_free(). */
struct loop_kind {
	void *(*make)(struct loop *);
	void (*drop)(void *object);
};
void *loop_shared(struct loop *, const struct loop_kind *);

#endif
