/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe - logs into an account, says on standard output what is there, and
 * quits: nothing is fetched, injected or remembered.
 */
#ifndef FETCHER_PROBE_H
#define FETCHER_PROBE_H

#include "config/config.h"
#include "fetcher/loop.h"

struct probe;

/* NULL: it went well. */
typedef void probe_handler(void *arg, const struct error *);

/* The handler runs once, later; then the probe is gone. */
struct probe *probe_start(
    struct loop *, const struct account *, probe_handler *done, void *arg);
/* The exit status of sysexits that tells of such a failure. */
int probe_status(enum error_kind);

#endif
