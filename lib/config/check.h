/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - what the keys of a configuration must be to each other, and the
 * defaults that follow from other keys.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

#include "config/values.h"

/* Completes the settings and adds findings.  `root` is the tree that they were
 * read from; what could not be read has been told and is not looked at. */
void check_settings(struct load *, struct settings *, const struct node *root);
/* Its part about `directory` (check_directory.c). */
void
check_directory(struct load *, const struct config *, const struct node *root);
/* Its part about `aliases` and `lists`, which it sorts (check_aliases.c). */
void check_aliases(struct load *, struct config *, const struct node *root);
/* Warns of an address that goes to Postfix as it is although it is an alias;
 * after check_aliases(). */
void
check_alias(struct load *, const struct config *, const struct node *address);
struct named {
	const char *name;
	const struct node *node;
};
/* Names may stand in a list once.  Sorts it, since lists can be long. */
void check_unique(struct load *, struct named *list, size_t len);
/* The first of the nodes that an array was read from, one for each element;
 * NULL when the file has none. */
const struct node *check_entries_of(const struct node *root, const void *array);
/* The node that a field was read from, or `mapping` when it was not there. */
const struct node *check_node_of(const struct node *mapping, const void *field);

#endif
