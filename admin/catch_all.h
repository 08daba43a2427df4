/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catch_all - what the newest messages of a catch-all mailbox tell: which
 * setting finds out whom each is for, whether the provider stores one copy for
 * each recipient, and what becomes of mail by Bcc.
 *
 * Made of what the daemons use themselves: candidates, directory and policy,
 * once with the account as it is and once as suggested.  Evidence, not proof:
 * what did not happen lately is told as not seen.  Of messages only the
 * Message-ID, the date, and addresses are told.
 */
#ifndef ADMIN_CATCH_ALL_H
#define ADMIN_CATCH_ALL_H

#include "admin/explanation.h"
#include "config/providers.h"
#include "recipients/survey.h"

enum catch_all_copies {
	COPIES_UNSEEN,   /* nothing came for several people */
	COPIES_EACH,     /* one for each recipient, who is recorded */
	COPIES_TOGETHER, /* one for the mailbox, all recipients recorded */
	COPIES_ALIKE,    /* several, and nothing tells them apart */
	COPIES_LACKING,  /* one for several people, of whom one is recorded */
};
enum catch_all_bcc {
	BCC_UNSEEN, /* no message at all */
	BCC_WORKS,
	BCC_PARTLY, /* some messages do not say whom they are for */
	BCC_LOST,
};

struct catch_all_message {
	struct slice header, id, date; /* borrowed; id and date may be empty */
	struct explanation present, suggested;
	size_t visible; /* people in To and Cc who may be ours */
	bool proven;    /* suggested: the provider says whom it is for */
	bool hidden;    /* and that is nobody in To and Cc */
};

struct catch_all {
	const struct account *account; /* as it is */
	struct survey survey;
	const struct provider *provider; /* the suggested one, or NULL */
	struct account suggested;
	/* In every message the provider records this one, which is nobody of
	 * ours: it is the mailbox itself, and suggested as such. */
	bool has_own;
	struct address own;
	bool fits; /* the account needs no change */
	struct catch_all_message *messages;
	size_t n;
	size_t n_proven, n_hidden; /* messages */
	enum catch_all_copies copies;
	const struct catch_all_message *examples[2]; /* of that; or NULL */
	enum catch_all_bcc bcc;
	const struct catch_all_message *hidden; /* an example, or NULL */
	const char *fields[2], *hosts[SURVEY_HOSTS + 1];
};

/* The headers are borrowed.  Asks the directory. */
struct catch_all *catch_all_new(const struct config *, const struct account *,
    const struct slice *headers, size_t n, struct directory *);
void catch_all_free(struct catch_all *);

/* "each", "together", … */
const char *catch_all_copies_name(enum catch_all_copies);
const char *catch_all_bcc_name(enum catch_all_bcc);
/* What follows, in a sentence. */
const char *catch_all_copies_text(enum catch_all_copies);
const char *catch_all_bcc_text(enum catch_all_bcc);
/* The suggestion as lines of YAML, each after `indent` blanks. */
void catch_all_write(const struct catch_all *, int indent, struct buf *out);
/* The fields that tell, one a line: "NAME: value", "NAME (below the boundary):
 * value", "Received for: address"; printable. */
void catch_all_list_fields(const struct catch_all *,
    const struct catch_all_message *, struct buf *out);

bool catch_all_print_text(const struct catch_all *);
bool catch_all_print_json(const struct catch_all *);

#endif
