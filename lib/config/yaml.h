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

enum {
	YAML_SIZE_MAX = 1024 * 1024,
	YAML_DEPTH_MAX = 24,
	YAML_KEYS_MAX = 256, /* in one mapping; keeps look-ups short */
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAPPING, NODE_REFUSED };

struct node {
	enum node_kind kind; /* NODE_REFUSED: told already, look no further */
	size_t line, column; /* of the value, from 1 */
	size_t key_line, key_column; /* of the key, in a mapping */
	const struct node *parent;
	const char *key;  /* in a mapping */
	size_t index;     /* in a list, from 0 */
	const char *text; /* of a scalar; no NUL inside */
	bool quoted;
	struct node *first, *last, *next;
	size_t n_children;
	/* Filled in by the loader: the schema row that the node belongs to, and
	 * the place in the configuration that it went to. */
	const struct schema_row *row;
	void *field;
};

/* The root of the only document, in the arena of `findings`; NULL after a
 * syntax error (then the only finding) or when nothing is there. */
struct node *yaml_parse(struct slice, struct findings *);
/* A key of a mapping, or NULL. */
struct node *node_child(const struct node *, const char *key);
/* "accounts[2].tls.mode" into out[size], safe to print, cut when too long;
 * "" for the root or NULL.  `child` (or NULL) is a key below the node.  Keys
 * below a private row (a password's) are left out.  Returns out. */
char *node_path(const struct node *, const char *child, char *out, size_t size);

#endif
