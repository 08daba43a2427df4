/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unprivileged - what talks to a server that nobody knows yet has no rights of
 * root's, also when root started it.
 */
#ifndef FETCHER_UNPRIVILEGED_H
#define FETCHER_UNPRIVILEGED_H

#include "base/error.h"

/* Becomes the user mailhaul, or nobody where that one does not exist yet; for
 * good.  Does nothing unless this is root.  ERROR_LOCAL. */
bool unprivileged_become(struct error *);

#endif
