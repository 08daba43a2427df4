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
/* Its part about one account, after its defaults (check_account.c). */
void check_account(
    struct load *, const struct account *, const struct node *account);
/* Its part about an account's `recipients` (check_recipients.c). */
void
check_recipients(struct load *, const struct account *, const struct node *);
/* Warns of a field that is nobody's record of an envelope recipient. */
void check_envelope_field(struct load *, const struct node *name);
/* Its part about groups of accounts (check_dedupe.c); `entry` is the first of
 * them.  After their defaults. */
void
check_groups(struct load *, const struct config *, const struct node *entry);
/* In check_nodes.c.  Names, and where each stands; begins as { 0 }. */
struct names {
	struct named {
		const char *name;
		const struct node *node;
	} * all;
	size_t n;
};
/* NULL could not be read, which has been told, and is left out. */
void names_add(struct names *, const char *name, const struct node *);
/* Each may stand there once.  Sorts them, since lists can be long, and frees
 * the list. */
void check_unique(struct load *, struct names *);
/* The first of the nodes that an array was read from, one for each element;
 * NULL when the file has none. */
const struct node *check_entries_of(const struct node *root, const void *array);
/* The node that a field was read from, or `mapping` when it was not there. */
const struct node *check_node_of(const struct node *mapping, const void *field);

#endif
