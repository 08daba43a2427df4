/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue_trace - which message of ours has a queue id of Postfix: as its queue
 * tells, by postcat(1); when it is gone from there the line of our milter in the
 * journal; and else that, or cleanup's with the Message-ID, in Postfix's log and
 * what was rotated of it.
 *
 * Needs root's rights, as the queue and the logs do.
 */
#ifndef ADMIN_QUEUE_TRACE_H
#define ADMIN_QUEUE_TRACE_H

#include "config/config.h"

enum { QUEUE_ID_MAX = 32, QUEUE_PLACE_SIZE = 256 };

struct queue_trace {
	char id[TICKET_ID_MAX + 1];   /* "": only its Message-ID is known */
	char *message_id;             /* NULL: unknown */
	char place[QUEUE_PLACE_SIZE]; /* "Postfix's queue", a file, … */
};

/* As postqueue(1) and the log print it, perhaps with the mark or colon behind
 * it: "4AB12C", "4ZbX2k1tYz7q*".  Without these; false: it is none. */
bool queue_id_parse(const char *text, char out[static QUEUE_ID_MAX]);

/* ERROR_REFUSED: known nowhere, or not collected by us; says where was looked. */
bool queue_trace_find(const struct config *, const char *queue_id,
    struct queue_trace *, struct error *);
void queue_trace_clear(struct queue_trace *);

/* Takes what a line of a log says about the queue id.  `alone`: of the milter
 * only, without a time and the program's name in front. */
void queue_trace_take(
    struct queue_trace *, const char *queue_id, struct slice line, bool alone);

#endif
