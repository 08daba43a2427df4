/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statistics - the answer to STATS: what the milter and each source of its
 * directory did so far.  Its lines are described in control.h.
 */
#ifndef MILTER_STATISTICS_H
#define MILTER_STATISTICS_H

#include "base/buf.h"
#include "milter/service.h"

void statistics_write(struct service *, struct buf *out);

#endif
