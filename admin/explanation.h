/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explanation - what fetcher and milter would do with one message, made by
 * the very functions that they use.
 */
#ifndef ADMIN_EXPLANATION_H
#define ADMIN_EXPLANATION_H

#include <stdio.h>

#include "config/config.h"
#include "directory/directory.h"
#include "policy/intake.h"
#include "policy/route.h"
#include "recipients/fingerprint.h"

enum explanation_verdict {
	EXPLAIN_DELIVER,
	EXPLAIN_DEFER,     /* the directory is unsure */
	EXPLAIN_PARK,      /* a mail loop: it stays at the provider */
	EXPLAIN_DUPLICATE, /* a copy of what was delivered: disposed of */
};

struct explanation {
	const struct account *account; /* borrowed */
	enum explanation_verdict verdict;
	char reason[DIRECTORY_REASON_SIZE]; /* of all but deliver */
	struct address sender;
	struct candidates candidates;
	struct ticket ticket;
	struct route route; /* empty when parked */
	char **recipients;  /* as text, sorted */
	size_t n_recipients;
};

/* The message as the provider sent it. */
struct explained_message {
	struct slice header;
	uint64_t size; /* with CRLF */
};
/* Asks the directory. */
void explanation_make(const struct config *, const struct account *,
    const struct explained_message *, struct directory *,
    struct explanation *out);
/* Is it a copy of a message that was delivered?  Looks into the state, if there
 * is one.  `beginning` has at least its header, or HEADER_HELD_MAX bytes of that,
 * and `rest` what follows. */
void explanation_find_original(struct explanation *, const struct config *,
    struct slice beginning, FILE *rest);
void explanation_clear(struct explanation *);

const char *explanation_verdict_name(enum explanation_verdict);
/* "found", "absent", "unknown", "foreign", "invalid", "own".  NULL: never
 * judged, since there were too many or it is parked. */
const char *
explanation_result(const struct explanation *, const struct candidate *);

/* For a colleague, and for a program: docs in mailhaul(8).  False: cannot be
 * written. */
bool explanation_print_text(const struct explanation *);
bool explanation_print_json(const struct explanation *);

#endif
