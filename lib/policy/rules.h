/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules - the administrator's rules on one message: who would get it in, who
 * gets it out, and what else is done.
 *
 * Pure.  The account's rules come first, then those for all, until one stops;
 * each sees the recipients as the one before left them.  What is in the
 * outcome is not checked: route makes recipients of it, and nobody left means
 * the fallback.
 *
 * ASCII letters compare case-blind, as addresses and names of fields do.  A
 * test costs at most pattern times text, both bounded.
 */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include "base/buf.h"
#include "config/config.h"

enum {
	RULE_FIELDS_SIZE = 64 * 1024, /* of the fields that are kept */
	RULE_FIELDS_MAX = 1000,
	RULE_LABEL_SIZE = 64,
};

/* The fields of a header that rules ask for, as far as they fit.  Born zeroed
 * but for `names`. */
struct rule_fields {
	const char *const *names; /* of the configuration; NULL: none */
	struct rule_field {
		const char *name; /* borrowed from names */
		char *body;       /* folded as it stands, NUL-terminated */
		size_t len;
	} * list;
	size_t n;
	size_t bytes;
};
/* The next field of the message, from its top. */
void
rule_fields_take(struct rule_fields *, struct slice name, struct slice body);
/* Forgets the names, too. */
void rule_fields_clear(struct rule_fields *);

/* What there is to know of the message itself. */
struct rule_message {
	const struct rule_fields *fields;
	struct slice sender; /* local@domain, or empty */
	uint64_t size;       /* about; see config->rule_size */
};

struct rules_question {
	const struct config *config;
	const struct account *account; /* NULL: one that is gone */
	const struct ticket *ticket;
	const struct rule_message *message;
	const struct address *fallback;
	const struct address *recipients; /* each once */
	size_t n_recipients;
};

/* What one rule did. */
struct rule_step {
	char rule[RULE_LABEL_SIZE]; /* its name, or "rules[0]" */
	enum rule_result {
		RULE_APPLIED,
		RULE_NOT_APPLIED,
		RULE_SKIPPED, /* one before it stopped */
	} result;
	char text[384]; /* one printable line */
};
const char *rule_result_name(enum rule_result);

struct rules_outcome {
	struct address *recipients; /* each once; there may be none */
	size_t n_recipients;
	struct rule_step *steps; /* one for each rule */
	size_t n_steps;
	const struct rule_step *held_by;    /* NULL: not held */
	const struct rule_header **headers; /* to be added; borrowed from the
					       configuration */
	size_t n_headers;
};

/* What is put into the outcome, rules_clear() frees. */
void rules_run(const struct rules_question *, struct rules_outcome *out);
void rules_clear(struct rules_outcome *);

/* `*` stands for any bytes, `?` for one. */
bool rules_glob(struct slice pattern, struct slice text);

#endif
