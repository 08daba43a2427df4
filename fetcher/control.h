/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control - the fetcher's control socket: clients, lines, answers.  What is
 * spoken there: base/control_socket; what can be asked: command.
 *
 * On the loop; several clients at once.  A client's next line is read when the
 * one before is answered.  Who sends a longer line than CONTROL_LINE_MAX, or
 * nothing for a minute, or does not read its answers, is disconnected.
 */
#ifndef FETCHER_CONTROL_H
#define FETCHER_CONTROL_H

#include "base/control_socket.h"
#include "fetcher/loop.h"

enum { CONTROL_CLIENTS_MAX = 32 };

struct control;
struct control_client;

/* Owes the client one control_answer(), now or later, even if it has gone. */
typedef void
control_handler(void *arg, struct control_client *, struct slice line);

/* Errors as control_socket_listen(). */
struct control *control_new(struct loop *, const char *path, control_handler *,
    void *arg, struct error *);
/* Disconnects everybody and removes the file; no client may be answered any
 * more.  Takes NULL. */
void control_free(struct control *);
/* A whole answer, its line ends included. */
void control_answer(struct control_client *, struct slice answer);

#endif
