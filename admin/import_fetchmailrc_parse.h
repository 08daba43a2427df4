/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_fetchmailrc_parse - the words of a .fetchmailrc as servers, users and
 * their options, by the grammar of fetchmail's rcfile_y.y.
 *
 * What the grammar does not know is refused and reported without its text, which
 * may be half of a password; reading goes on at the next keyword.
 */
#ifndef ADMIN_IMPORT_FETCHMAILRC_PARSE_H
#define ADMIN_IMPORT_FETCHMAILRC_PARSE_H

#include "admin/import.h"

struct rc_target; /* import_fetchmailrc_options.h */
struct rc_names;  /* import_fetchmailrc_names.h */
struct rc_option;

enum rc_argument {
	RC_NOTHING,
	RC_STRING,  /* one word */
	RC_LITERAL, /* one word, even if it is a keyword */
	RC_STRINGS, /* words up to the next keyword */
	RC_NAMES,   /* local names: NAME, REMOTE=LOCAL, *; then here or there */
	RC_ENVELOPE, /* [NUMBER] FIELD */
};

/* What a keyword means. */
struct rc_keyword {
	const char *name, *longer; /* NULL: has one spelling */
	enum rc_argument argument;
	enum rc_scope { RC_GLOBAL, RC_SERVER, RC_USER } scope;
	bool negatable;
	/* What becomes of it: a verdict with its text, or a function. */
	enum import_verdict verdict;
	const char *text; /* NULL: apply */
	void (*apply)(struct rc_target *, struct rc_option *);
	const char *no_text; /* said of `no X`, which is taken; NULL: as X */
	bool is_path;
	size_t field; /* of struct import_account, for rc_apply_field() */
};
extern const struct rc_keyword rc_keywords[]; /* ends with a NULL name */

struct rc_option {
	const struct rc_keyword *keyword;
	bool no;
	size_t line;
	struct import_list words;
	struct import_list locals; /* of RC_NAMES: beside `words`, the remote
				      names; NULL where they are the same */
	bool star, here, there;
	bool applied;
	/* What was reported of it last. */
	const char *told;
	struct rc_option *next;
};

struct rc_options {
	struct rc_option *first, **end;
};

struct rc_user {
	size_t line;
	const char *name; /* NULL: to come from `is NAME there`, or missing */
	struct rc_options options;
	struct rc_user *next;
};

struct rc_server {
	size_t line;
	const char *name; /* NULL: defaults */
	bool skip;
	bool repeated; /* another one has this name */
	struct rc_options options;
	struct rc_user *users, **users_end;
	size_t n_users;
	struct rc_server *next;
};

struct rc {
	struct rc_options globals;
	struct rc_server *servers, **servers_end;
	/* What is found out when these are made into accounts. */
	uint64_t daemon_s;
	struct rc_names *names, **names_end;
};

void rc_parse(struct import *, struct slice source, struct rc *);

#endif
