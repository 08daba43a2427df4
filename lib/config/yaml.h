/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml - YAML text to a tree of nodes that know their line and column.
 *
 * Only the plain part of YAML is let through: one document, no anchor, alias,
 * tag or duplicate key, at most YAML_DEPTH_MAX levels.  Scalars stay text; what
 * `no` or `1e3` means is for the schema to say.  libyaml itself would build
 * cycles out of aliases and let duplicate keys through silently.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/findings.h"
#include "config/node.h"

enum {
	YAML_SIZE_MAX = 1024 * 1024,
	YAML_DEPTH_MAX = 24,
	YAML_KEYS_MAX = 256, /* in one mapping; keeps look-ups short */
};

/* The root of the only document, in the arena of `findings`; NULL after a
 * syntax error (then the only finding) or when nothing is there. */
struct node *yaml_parse(struct slice, struct findings *);

#endif
