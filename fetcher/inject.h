/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject - spool files into Postfix, at most inject.parallel at a time, by the
 * method that is configured (inject_sendmail, inject_smtp).
 */
#ifndef FETCHER_INJECT_H
#define FETCHER_INJECT_H

#include "base/error.h"
#include "config/config.h"
#include "fetcher/loop.h"
#include "recipients/candidates.h"

struct inject;

enum { INJECT_QUEUE_ID_SIZE = 64 };

enum inject_outcome {
	INJECT_ACCEPTED, /* Postfix has it, durably */
	/* Nobody can tell whether the message is at fault, or even whether it
	 * was accepted: count a try; several in a row are INJECT_LOCAL. */
	INJECT_FAILED,
	INJECT_DEFERRED, /* this message was refused for now: count a try */
	INJECT_REFUSED,  /* this message was refused for good */
	INJECT_OVERSIZE, /* larger than Postfix takes */
	INJECT_LOCAL,    /* nothing to do with the message (sendmail missing,
			  * nobody listening, timed out): pause all */
};
struct inject_result {
	enum inject_outcome outcome;
	struct error error;                  /* unless it was accepted */
	char queue_id[INJECT_QUEUE_ID_SIZE]; /* Postfix's, when it told; "" */
};
typedef void inject_handler(void *arg, const struct inject_result *);

struct inject_job {
	const char *spool_path; /* borrowed until the handler runs */
	struct address sender;  /* null: "" */
	struct address recipient;
	struct origin origin;
	uint64_t size; /* of the file */
	inject_handler *done;
	void *arg;
};

/* The settings are copied. */
struct inject *inject_new(struct loop *, const struct inject_settings *);
/* Only when idle. */
void inject_free(struct inject *);
/* Used for the next message on; after a reload. */
void inject_configure(struct inject *, const struct inject_settings *);
/* Queued when as many as may be are under way; begun in order of submission. */
void inject_submit(struct inject *, const struct inject_job *);

#endif
