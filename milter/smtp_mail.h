/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp_mail - one ordinary message that comes by SMTP: what each of its
 * recipients is answered, and the edits of the envelope at the end.  Pure but
 * for the look-ups; no libmilter.
 *
 * Only recipients in accepted domains are judged.  What is elsewhere, or no
 * address that could be one of ours, is the MTA's business alone.
 */
#ifndef MILTER_SMTP_MAIL_H
#define MILTER_SMTP_MAIL_H

#include "base/buf.h"
#include "policy/route.h"

enum {
	SMTP_MAIL_RCPTS_MAX = 1000, /* in accepted domains, when there is one
				       more; Postfix's own */
	SMTP_MAIL_PARAMETERS_MAX = 1024, /* of one recipient; longer: none */
};

struct smtp_mail {
	struct smtp_rcpt {
		char *shown;       /* as RCPT wrote it: a delete must */
		char *parameters;  /* "NOTIFY=… ORCPT=…", or "" */
		struct address to; /* who gets it */
		bool replaced;
		bool further; /* of an alias's people, after the first */
	} * rcpts;
	size_t n;
	size_t n_replaced;
};

struct smtp_mail_question {
	const struct config *config;
	route_prepare *prepare; /* NULL: none */
	route_lookup *lookup;
	void *context;
	/* of RCPT: the address, ESMTP parameters, NULL at the end */
	const char *const *arguments;
};

/* The reply to RCPT, in Postfix's words. */
struct smtp_mail_reply {
	enum smtp_mail_answer {
		SMTP_MAIL_TAKEN, /* nothing to say */
		SMTP_MAIL_REFUSED,
		SMTP_MAIL_LATER,
	} answer;
	const char *code, *extended; /* literals */
	char text[ADDRESS_TEXT_SIZE + 80];
	char reason[384]; /* for the log only */
};

void smtp_mail_rcpt(struct smtp_mail *, const struct smtp_mail_question *,
    struct smtp_mail_reply *);

/* All deletions come before all additions (see verdict.h).  An address that is
 * added is deleted before, if the envelope may hold it already: Postfix would
 * deliver it twice, and whether another filter refused that recipient is not
 * known. */
struct smtp_mail_edits {
	char **remove; /* borrowed */
	size_t n_remove;
	struct smtp_addition {
		char *address;    /* "<local@domain>" */
		char *parameters; /* borrowed; of the first for it */
	} * add;
	size_t n_add;
};
void smtp_mail_edit(const struct smtp_mail *, struct smtp_mail_edits *);
void smtp_mail_edits_clear(struct smtp_mail_edits *);
/* "<nobody@example.org> to=<office@example.org>", one line for each
 * recipient that is replaced, as far as they fit. */
void smtp_mail_write(const struct smtp_mail *, struct buf *out);

void smtp_mail_clear(struct smtp_mail *);

#endif
