/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explanation - what fetcher and milter would do with one message, made by
 * the very functions that they use.
 */
#ifndef ADMIN_EXPLANATION_H
#define ADMIN_EXPLANATION_H

#include <stdio.h>

#include "admin/named_mail.h"
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

/* Is it small enough for Postfix and the account? */
enum explanation_size {
	SIZE_COLLECTED,
	SIZE_OVERSIZE, /* it stays at the provider */
	SIZE_UNKNOWN,  /* Postfix does not tell its limit */
};

/* Was it collected before, by the account or one of its folders? */
enum explanation_known {
	KNOWN_NONE,
	KNOWN_LISTED,  /* it lay in the mailbox when that was listed last */
	KNOWN_GONE,    /* not any more: it would be recognised */
	KNOWN_UNKNOWN, /* the state cannot be read */
};

/* Of a message with guessed recipients: were copies of it delivered? */
enum explanation_copies {
	COPIES_NOT_SOUGHT,
	COPIES_NONE,
	COPIES_ITSELF, /* the delivered one is this very message */
	COPIES_FOUND,
	COPIES_UNKNOWN, /* the state cannot be read */
};

struct seen;

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
	enum explanation_size size;
	char size_text[ERROR_TEXT_MAX + 128];
	enum explanation_known known;
	char known_text[ERROR_TEXT_MAX];
	enum explanation_copies copies;
	char copies_text[ERROR_TEXT_MAX];
};

/* The message as the provider sent it. */
struct explained_message {
	struct slice header; /* HEADER_HELD_MAX bytes, unless it is shorter:
			      * its header, and perhaps more */
	FILE *rest;          /* what follows */
	uint64_t size;       /* with CRLF */
	const char *id;      /* that it was collected as; "": none */
	bool collected;      /* so its trace of this account was no reason to
			      * park it, or not any more (parked retry) */
};
/* Asks the directory. */
void explanation_make(const struct config *, const struct account *,
    const struct explained_message *, struct directory *,
    struct explanation *out);
/* Would a message of this size be collected?  Asks Postfix. */
void explanation_judge_size(struct explanation *, const struct config *,
    const struct explained_message *);
/* The state, or NULL: there is none.  Opened as the user to whom it belongs, who
 * this process is from then on. */
bool
explanation_open_state(const struct config *, struct seen **, struct error *);
/* Was this very message collected before?  Looks into the state. */
void explanation_find_known(struct explanation *, const struct config *,
    const struct explained_message *);
/* Is it a copy of a message that was delivered?  Looks into the state, and reads
 * the message to its end. */
void explanation_find_original(struct explanation *, const struct config *,
    const struct explained_message *);
void explanation_clear(struct explanation *);

const char *explanation_verdict_name(enum explanation_verdict);
/* "found", "absent", "unknown", "foreign", "invalid", "own".  NULL: never
 * judged, since there were too many or it is parked. */
const char *
explanation_result(const struct explanation *, const struct candidate *);

/* "collected", "oversize", "unknown" */
const char *explanation_size_name(enum explanation_size);
/* "none", "listed", "recognised", "unknown" */
const char *explanation_known_name(enum explanation_known);
/* "none", "itself", "copy", … */
const char *explanation_copies_name(enum explanation_copies);
/* The field that candidate was found in first; NULL: unknown. */
const char *explanation_field(const struct explanation *, size_t candidate);
/* "mail.sender.example [192.0.2.7]"; false: the provider named no client. */
enum { EXPLANATION_ORIGIN_SIZE = ORIGIN_IP_SIZE + 2 * DOMAIN_SIZE + 32 };
bool explanation_origin(
    const struct explanation *, char out[static EXPLANATION_ORIGIN_SIZE]);
/* Was the same found in the message when it was collected? */
bool explanation_agrees(const struct explanation *, const struct ticket *);

/* For a colleague, and for a program: docs in mailhaul(8).  False: cannot be
 * written. */
bool explanation_print_text(const struct explanation *,
    const struct explained_message *, const struct named_mail *);
bool explanation_print_json(const struct explanation *,
    const struct explained_message *, const struct named_mail *);

#endif
