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
/* The node that a field was read from, or `mapping` when it was not there. */
const struct node *check_node_of(const struct node *mapping, const void *field);

#endif
