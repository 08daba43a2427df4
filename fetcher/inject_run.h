/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject_run - one message on its way into Postfix: what inject shares with its
 * methods.  Only they use this.
 */
#ifndef FETCHER_INJECT_RUN_H
#define FETCHER_INJECT_RUN_H

#include "fetcher/inject.h"

struct inject_run {
	struct inject *inject;
	struct inject_job job;
	int fd; /* the spool file, at its beginning, of job.size bytes */
	struct inject_result result;
	struct inject_run *next; /* waiting */
};

/* The result is filled in.  Closes the file, tells the handler, frees the run;
 * later than the method's start() returns. */
void inject_run_end(struct inject_run *);

/* Both methods are there from the beginning; a reload chooses the one for the
 * messages to come. */
struct inject_method {
	void *(*open)(struct loop *);
	void (*close)(void *); /* only when nothing is under way */
	/* The settings are copied. */
	void (*configure)(void *, const struct inject_settings *);
	void (*start)(void *, struct inject_run *);
};
extern const struct inject_method inject_sendmail, inject_smtp;

#endif
