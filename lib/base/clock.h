/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - the two clocks: one that only goes forward, for waiting, and the
 * calendar's, for what must survive a restart.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed moment; runs on while the machine sleeps. */
int64_t clock_monotonic_ms(void);
/* The same clock in microseconds: how long something took. */
int64_t clock_monotonic_us(void);
/* Milliseconds since 1970-01-01 UTC. */
int64_t clock_wall_ms(void);

#endif
