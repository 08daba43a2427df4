/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inject - spool files into Postfix through sendmail(1), at most
 * inject.parallel at a time.
 *
 * `sendmail -G -i -N never -f SENDER -- FALLBACK` with standard input = the
 * spool file.  Success is exit 0 and the shared file offset at the end of the
 * file.  No message data reaches argv but the re-serialised sender.
 */
#ifndef FETCHER_INJECT_H
#define FETCHER_INJECT_H

#include "base/error.h"
#include "config/config.h"
#include "fetcher/loop.h"

struct inject;

enum inject_outcome {
	INJECT_ACCEPTED, /* Postfix has it, durably */
	INJECT_FAILED,   /* this message, perhaps: count a try */
	INJECT_LOCAL,    /* sendmail missing, not executable, no process, timed
			  * out: nothing to do with the message; pause all */
};
typedef void
inject_handler(void *arg, enum inject_outcome, const struct error *);

struct inject_job {
	const char *spool_path; /* borrowed until the handler runs */
	struct address sender;  /* null: "" */
	struct address recipient;
	uint64_t size; /* of the file */
	inject_handler *done;
	void *arg;
};

/* The settings are copied. */
struct inject *inject_new(struct loop *, const struct inject_settings *);
/* Only when idle. */
void inject_free(struct inject *);
/* Used for the next child on; after a reload. */
void inject_configure(struct inject *, const struct inject_settings *);
/* Queued when all children are busy; done in order of submission. */
void inject_submit(struct inject *, const struct inject_job *);
/* Jobs submitted and not yet done. */
size_t inject_pending(const struct inject *);
/* False when a further job would only wait: stop fetching for now. */
bool inject_has_room(const struct inject *);

#endif
