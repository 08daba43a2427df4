/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - what every message is judged by: the present configuration with
 * its directory.  A reload swaps both at once; a message under way keeps the
 * pair that it began with.  Thread-safe.
 */
#ifndef MILTER_SERVICE_H
#define MILTER_SERVICE_H

#include "config/config.h"
#include "directory/directory.h"
#include "milter/verdict.h"

struct snapshot {
	struct config *config;
	struct directory *directory;
	unsigned references; /* under the service's lock */
};

struct service;

/* Keeps the reference on the configuration. */
struct service *service_new(struct config *);
void service_free(struct service *);

struct snapshot *service_enter(struct service *);
void service_leave(struct service *, struct snapshot *);

/* Loads the file of the present configuration again.  When it is not right,
 * its faults are printed, the present one stays, and false is returned. */
bool service_reload(struct service *);
/* Could a message be judged now: keys readable, directory answering? */
bool service_ready(struct service *, char reason[ERROR_TEXT_MAX]);

/* Messages since the start, by verdict. */
struct service_counts {
	int64_t uptime_s;
	uint64_t messages[VERDICT_PASSED + 1];
};
void service_count(struct service *, enum verdict_status);
struct service_counts service_counts(struct service *);

#endif
