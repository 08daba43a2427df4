/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - all that `mailhaul status` tells, as one JSON object:
 *
 *	version		1
 *	fetcher		running, error (why it cannot be asked), and the head of
 *			its report (fetcher/status.h)
 *	accounts	the report's accounts; those that are configured and not
 *			collected have the state "disabled" or "not collected";
 *			each with retry, parked, oversize, dropped: messages
 *	milter		running, error, ready, reason, and its report
 *			(milter/control.h) with its sources
 *	archive		messages, bytes, oldest_ms
 *	state_error	why the state or the archive cannot be read
 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include <jansson.h>

#include "config/config.h"

json_t *status_gather(const struct config *);
void status_print(const json_t *);
/* 0; 69: a daemon does not run; 75: something waits or has failed. */
int status_code(const json_t *);

#endif
