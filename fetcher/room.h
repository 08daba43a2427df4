/* SPDX-License-Identifier: Apache-2.0 */
/*
 * room - whether another message may be fetched: counts the messages that wait
 * for Postfix and the bytes in the spool, those to come too, and tells whoever
 * waits when there are few enough again.
 *
 * A message of any size finds room in an empty spool.  Handlers run from the
 * loop, later, never from within a call; first come, first served.
 */
#ifndef FETCHER_ROOM_H
#define FETCHER_ROOM_H

#include "fetcher/loop.h"

#include <stddef.h>

struct room;

struct room *room_new(struct loop *);
/* When nobody waits any more. */
void room_free(struct room *);
/* Before it is asked, and again when they change: so many messages, so many
 * bytes (fetcher.max_spool). */
void room_limit(struct room *, size_t messages, uint64_t bytes);

/* A message is here, and is done with; 0 bytes: nothing was spooled. */
void room_enter(struct room *, uint64_t bytes);
void room_leave(struct room *, uint64_t bytes);
/* So many bytes are to come from somebody, who said `before` before; 0: none
 * any more. */
void room_expect(struct room *, uint64_t before, uint64_t bytes);
/* As often as it was closed it has to be opened: nothing else is fetched. */
void room_close(struct room *);
void room_open(struct room *);
bool room_is_closed(const struct room *);

/* False when it is closed, or at one of its limits. */
bool room_is_there(const struct room *);
/* Runs the handler once, soon after there is room again. */
void room_await(struct room *, loop_handler *, void *arg);
/* Forgets what waits with this argument. */
void room_forget(struct room *, const void *arg);

/* Messages here. */
size_t room_messages(const struct room *);
/* Bytes of mail in the spool, or on their way into it. */
uint64_t room_spooled(const struct room *);
/* The spool is at its limit, and somebody waits for that. */
bool room_is_full(const struct room *);

#endif
