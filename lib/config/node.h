/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node - one value of the configuration file, where it stands, and what it holds.
 *
 * yaml makes the tree, in an arena; load notes what became of each node; findings
 * say where something is wrong.
 */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>

struct schema_row;

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

/* A key of a mapping, or NULL. */
struct node *node_child(const struct node *, const char *key);
/* "accounts[2].tls.mode" into out[size], safe to print, cut when too long;
 * "" for the root or NULL.  `child` (or NULL) is a key below the node.  Keys
 * below a private row (a password's) are left out.  Returns out. */
char *node_path(const struct node *, const char *child, char *out, size_t size);

#endif
