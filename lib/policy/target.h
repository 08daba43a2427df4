/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target - what a candidate is looked up as, and delivered to if it exists:
 * itself, but for map_to of its domain, and then the people of an alias.
 *
 * Pure.  An alias is followed once, as the check of the configuration demands;
 * the extension of sales+x goes on to its people, as Postfix's virtual(5) does
 * it.
 */
#ifndef POLICY_TARGET_H
#define POLICY_TARGET_H

#include "config/config.h"

/* Of one message: who names an alias of a thousand people with a thousand
 * extensions means no good. */
enum { TARGETS_MAX = 2 * TICKET_CANDIDATES_MAX };

struct target {
	const struct address *candidate; /* borrowed */
	const struct accepted_domain
	    *domain; /* of the address; NULL: foreign */
	struct address address;
	struct address mapped;     /* what map_to made; null: nothing */
	const struct alias *alias; /* that names the address; NULL: none */
	bool usable;               /* may be looked up and delivered to */
	bool too_many; /* people, so the alias was not followed; not usable */
};

/* Of one address, without aliases. */
struct target target_of(const struct config *, const struct address *);
/* Of each candidate in turn: one, or one for each of an alias's people.  At
 * most TICKET_CANDIDATES_MAX become at most TARGETS_MAX; to be freed. */
struct target *targets_of(const struct config *, const struct address *,
    size_t n_candidates, size_t *n);
/* Would Postfix relay it elsewhere, or discard it? */
bool target_is_unsafe(const struct address *);

#endif
