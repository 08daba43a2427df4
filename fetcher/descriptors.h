/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptors - how many connections the file descriptors of this process allow.
 */
#ifndef FETCHER_DESCRIPTORS_H
#define FETCHER_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

/* What so many connections and hand-overs at the same time need in all. */
uint64_t descriptors_needed(unsigned connections, unsigned parallel);
/* How many connections a limit allows, at least 1. */
unsigned descriptors_connections(uint64_t limit, unsigned parallel);
/* Raises this process's limit to what is needed, as far as it may; never lowers
 * it, nor further than that: children inherit it.  Returns the limit. */
uint64_t descriptors_provide(uint64_t needed);
/* All of this: how many connections there may be of those wanted.  Logs when
 * that is less. */
unsigned descriptors_allow(unsigned connections, unsigned parallel);
/* False: none can be had now, of this process's or of all the system's. */
bool descriptors_left(void);

#endif
