/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readiness - may mail be handed to Postfix now?
 *
 * Yes, when no local fault is being waited out (sendmail missing, disk full),
 * Postfix's configuration names our milter, and the milter says that it and the
 * directory can work (gate).  Otherwise nothing is fetched, injected or
 * deleted: a directory fault must never fill Postfix's maildrop, where each
 * stuck mail is retried with every new one (measured).
 */
#ifndef FETCHER_READINESS_H
#define FETCHER_READINESS_H

#include "base/error.h"
#include "config/config.h"
#include "fetcher/loop.h"
#include "fetcher/postfix.h"

struct readiness;

/* Holds a reference on the configuration. */
struct readiness *readiness_new(struct loop *, struct config *);
void readiness_free(struct readiness *); /* only when nothing is asked */
void readiness_configure(struct readiness *, struct config *);

typedef void
readiness_handler(void *arg, bool ready, const struct error *reason);
/* The handler runs once, later. */
void readiness_ask(struct readiness *, readiness_handler *, void *arg);
/* What postconf said last; all zero (no limit known) before the first
 * positive answer. */
const struct postfix_facts *readiness_facts(const struct readiness *);

/* A local fault: not ready for a while, longer each time in a row.  Those that
 * are told of meanwhile are part of it. */
void readiness_fault(struct readiness *, const struct error *);
/* Something worked: the next fault starts with a short pause again. */
void readiness_works(struct readiness *);

#endif
