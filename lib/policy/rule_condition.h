/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_condition - does what a rule asks for hold?  Pure; see rules.h.
 */
#ifndef POLICY_RULE_CONDITION_H
#define POLICY_RULE_CONDITION_H

#include "policy/rules.h"

/* What conditions look at. */
struct rule_matter {
	const struct rules_question *asked;
	const struct rules_outcome *now; /* its recipients */
	struct buf *texts;               /* of each field, as people read it */
};

/* NULL when all holds; else the key of what does not. */
const char *
rule_condition_fails(const struct rule_matter *, const struct condition *);

#endif
