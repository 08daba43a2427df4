/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate - may a message be injected now?  Asks the milter on its control socket
 * ("READY" LF -> "OK" LF or "WAIT reason" LF); an answer is kept for at most a
 * second.  With require_milter false the gate is always open.
 */
#ifndef FETCHER_GATE_H
#define FETCHER_GATE_H

#include "base/error.h"
#include "config/config.h"
#include "fetcher/loop.h"

struct gate;

/* `open`: go on.  Otherwise *reason says why not: the milter's words, "milter
 * control socket …: No such file or directory", no answer within 10 s. */
typedef void gate_handler(void *arg, bool open, const struct error *reason);

/* What is needed of the configuration is copied. */
struct gate *gate_new(struct loop *, const struct config *);
/* Handlers that wait do not run any more.  Takes NULL. */
void gate_free(struct gate *);
/* After a reload: those who wait are answered by the new one. */
void gate_configure(struct gate *, const struct config *);
/* The handler runs once, later; questions asked meanwhile share one answer. */
void gate_ask(struct gate *, gate_handler *, void *arg);

#endif
