/* SPDX-License-Identifier: Apache-2.0 */
/*
 * survey - what the newest messages of a mailbox tell about its provider: in
 * which fields it records the recipient, as which servers it writes Received
 * fields, and so what the account's `recipients` should be.  Pure.
 *
 * A guess from a few messages, for a person to look at; nothing is collected by
 * it.  The provider is whoever wrote the topmost Received field that names its
 * server: what stands below may be anybody's, and is never suggested.  Where a
 * row of config/providers explains as much, its narrower hosts are taken.
 */
#ifndef RECIPIENTS_SURVEY_H
#define RECIPIENTS_SURVEY_H

#include "base/buf.h"
#include "config/config.h"
#include "mail/domain.h"

enum {
	SURVEY_MESSAGES = 50,
	SURVEY_HOSTS = 8,
	SURVEY_FIELDS = 16,
	SURVEY_PEOPLE = 20,
};

struct survey_people {
	struct address all[SURVEY_PEOPLE]; /* different ones */
	unsigned n;
	bool more;
};

/* One of the fields in which providers record the recipient. */
struct survey_field {
	const char *name;
	unsigned above; /* messages that have it where the provider wrote */
	unsigned beside, apart; /* repeated there, directly below each other
				 * or with other fields between */
	unsigned below;         /* or only where the sender could have */
	unsigned bottom; /* of these: once, and as the provider's own Received
			  * field has it, so far as that tells */
	struct survey_people above_people, bottom_people;
};

struct survey_host {
	char name[DOMAIN_SIZE];
	unsigned messages;
};

struct survey {
	unsigned messages;
	struct survey_host tops[SURVEY_HOSTS]; /* after "by" in the topmost
						* Received field */
	unsigned n_tops;
	/* The suggested trusted_hosts, and the messages in which they find the
	 * line with which the provider took it in. */
	char trusted[SURVEY_HOSTS][DOMAIN_SIZE + 1];
	unsigned n_trusted, bounded;
	struct survey_field fields[SURVEY_FIELDS]; /* those that were found */
	unsigned n_fields;
	unsigned with_for; /* messages that have "for" there */
	struct survey_people for_people;

	const struct survey_field *best; /* NULL: none is of use */
	bool bottom;                     /* it stands at the bottom */
	char strip_prefix[ADDRESS_LOCAL_MAX + 1];
	/* Whom `best`, or else "for", names; NULL when neither does. */
	const struct survey_people *people;
	enum mailbox_kind mailbox; /* single: one person in several messages */
};

/* The header blocks of at most SURVEY_MESSAGES messages.  `own` is the address
 * of the mailbox itself, NULL when that is not known. */
void survey_run(const struct slice *headers, size_t n,
    const struct address *own, struct survey *);
/* What is suggested, with the defaults for all else but `headers`.  It points
 * into the survey and into both arrays. */
void survey_settings(const struct survey *, const char *fields[static 2],
    const char *hosts[static SURVEY_HOSTS + 1], struct recipient_settings *);
/* The suggestion as lines of YAML, each after `indent` blanks: mailbox and
 * recipients. */
void survey_write(const struct survey *, unsigned indent, struct buf *out);

#endif
