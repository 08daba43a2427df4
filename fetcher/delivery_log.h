/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery_log - the one line that the log has of each message whose fate is
 * decided.
 */
#ifndef FETCHER_DELIVERY_LOG_H
#define FETCHER_DELIVERY_LOG_H

#include "fetcher/delivery.h"

struct delivery_fate {
	enum seen_status status;
	const char *queue_id;    /* Postfix's; "": it told none */
	const char *original_id; /* of SEEN_DUPLICATE */
	const char *reason;      /* of all but that and SEEN_INJECTED */
};
void
delivery_log(const struct delivery_message *, const struct delivery_fate *);
/* Of one that is known already and not injected. */
void delivery_log_recognised(
    const struct delivery_message *, enum seen_status known_as);

#endif
