/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - a tree of nodes into C structures, as the schema tables say.
 *
 * Knows no key by name.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/values.h"

/* Sets the defaults of a table and of the mappings inside it. */
void table_defaults(struct load *, const struct schema_table *, void *base);
/* Reads a mapping over what is there already.  `inherited` is the mapping
 * whose keys need not be repeated, or NULL. */
bool table_read(struct load *, const struct schema_table *, struct node *,
    const struct node *inherited, void *base);
/* The known name nearest to a mistyped one, or NULL. */
const char *table_nearest(const struct schema_table *, const char *name);
/* True when a row can be used today, in this table. */
bool row_is_usable(const struct schema_table *, const struct schema_row *);
/* The same, of a one_of table: one of those of which there must be one. */
bool row_is_one(const struct schema_table *, const struct schema_row *);

#endif
