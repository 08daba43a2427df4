/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trim - gives memory back to the system that was only needed for a moment: a
 * thousand connections that rest hold half of what their logins took, and
 * free(3) keeps the rest for later.
 */
#ifndef FETCHER_TRIM_H
#define FETCHER_TRIM_H

#include "fetcher/loop.h"

/* In a few seconds, once for all that ask until then. */
void trim_soon(struct loop *);

#endif
