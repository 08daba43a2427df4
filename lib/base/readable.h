/* SPDX-License-Identifier: Apache-2.0 */
/*
 * readable - times and sizes as people read them.
 */
#ifndef BASE_READABLE_H
#define BASE_READABLE_H

#include <stddef.h>
#include <stdint.h>

enum { READABLE_SIZE = 32 };

/* "2026-11-22 09:05:00", local time; "-" for 0. */
const char *readable_time(int64_t wall_ms, char out[static READABLE_SIZE]);
/* "0s", "59s", "5m 3s", "2h 5m", "3d 2h"; below 0 as 0. */
const char *readable_span(int64_t ms, char out[static READABLE_SIZE]);
/* "17", "1.5K", "88.1M" */
const char *readable_size(uint64_t bytes, char out[static READABLE_SIZE]);
/* "s" unless there is one: "%llu message%s" */
const char *readable_plural(uint64_t count);

#endif
