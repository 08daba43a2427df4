/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule - what an administrator's rule asks for and does; see policy/rules.h.
 * Part of struct config, and belongs to it.
 */
#ifndef CONFIG_RULE_H
#define CONFIG_RULE_H

#include "mail/address.h"
#include "mail/ticket.h"

/* All that is not NULL must hold. */
struct text_test {
	const char *name; /* of the header field; NULL in other tests */
	const char *is, *contains, *starts, *ends, *glob;
};

struct size_test {
	uint64_t above, below; /* bytes; 0: not asked */
};

/* All that is asked for must hold; nothing asked for: always. */
struct condition {
	const struct text_test *recipient, *candidate, *sender, *subject,
	    *header, *account; /* NULL: not asked */
	const struct size_test *size;
	const enum tier *tiers; /* any of them */
	size_t n_tiers;         /* 0: not asked */
	const struct condition *all, *any;
	size_t n_all, n_any;
	const struct condition *negated;
};

struct rule_header {
	const char *name, *value;
};

struct rule_actions {
	const struct address *replace, *add;
	size_t n_replace, n_add;
	const char *const *drop; /* globs, NULL-terminated; NULL: none */
	const struct rule_header *headers;
	size_t n_headers;
	bool fallback, hold, stop;
};

struct rule {
	const char *name; /* NULL: none */
	struct condition when;
	struct rule_actions then;
};

#endif
