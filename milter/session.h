/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session - the facts about one message while the MTA tells them.  Pure: no
 * libmilter, no judgement (see verdict.h).
 */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/rules.h"

enum {
	SESSION_QUEUE_ID_SIZE = 64,
	SESSION_RCPTS_MAX = 16, /* collected mail has exactly one */
};

struct session {
	char queue_id[SESSION_QUEUE_ID_SIZE]; /* "" until the MTA says it */
	char *sender; /* as the MTA wrote it; NULL before MAIL */
	/* Postfix's sendmail(1): the RCPT callback shows the address after
	 * canonical mapping, and a delete must name it as it was given. */
	bool from_sendmail;
	char *rcpts[SESSION_RCPTS_MAX]; /* as the MTA wrote them, the first */
	size_t n_rcpts;                 /* all of them */
	unsigned n_tickets;             /* ticket fields in the header */
	char *ticket; /* the value of the first; NULL: none, or too long */
	struct rule_fields fields; /* those that rules name */
	uint64_t size; /* of what was told so far, about as it was sent */
	bool sized;    /* the body is told, too */
};

/* What the MTA says of itself at MAIL; each may be NULL. */
struct session_mta {
	const char *version;     /* macro v */
	const char *queue_id;    /* macro i */
	const char *mail_mailer; /* macro {mail_mailer} */
};

/* A new message; what was known of the one before is forgotten. */
void session_mail(struct session *, const char *sender, struct session_mta);
void session_rcpt(struct session *, const char *address);
/* Forgotten with the message; of the configuration that it began with. */
void session_want(struct session *, const struct config *, bool sized);
void session_header(struct session *, const char *name, const char *value);
void session_body(struct session *, size_t len);
/* SMTP mail often has its queue id only at the end. */
void session_queue_id(struct session *, const char *queue_id);
void session_clear(struct session *);

#endif
