/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_rules - what rules must be, and what the milter has to keep of a
 * message for them.
 */
#ifndef CONFIG_CHECK_RULES_H
#define CONFIG_CHECK_RULES_H

#include "config/values.h"

/* A scalar that was read by a row with these flags. */
void check_rule_value(
    struct load *, const struct config *, const struct node *, unsigned flags);
/* Every rule in the tree; fills in rule_fields and rule_size. */
void check_rules(struct load *, struct config *, const struct node *root);

#endif
