/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit - the schema tables as documents: what `make docs` writes into the tree.
 */
#ifndef CONFIG_EMIT_H
#define CONFIG_EMIT_H

#include <stdio.h>

#include "config/values.h"

/* conf/mailhaul.schema.json: JSON Schema, draft 2020-12. */
void emit_json(FILE *);
/* conf/mailhaul.full.yaml: every key with help and default.  It can be loaded
 * as it is, and with any of its commented keys uncommented that go
 * together. */
void emit_sample(FILE *);
/* man/mailhaul.yaml.5, in mdoc(7). */
void emit_man(FILE *);

/* The providers' section of that page. */
void emit_providers(FILE *);

/* For the above.  True for a list of mappings. */
bool row_is_table_list(const struct schema_row *);
/* Text of mdoc(7) with its backslashes, and the byte that would make a macro of a
 * line, escaped. */
void emit_mdoc_word(FILE *, struct slice, bool line_begins);
/* Text lines of mdoc(7); every sentence begins one. */
void emit_mdoc_text(FILE *, struct slice text);
/* "One of a, b.  From 1 to 64.  Default 4." without what does not apply;
 * appended to `out`. */
void row_describe(const struct schema_row *, struct buf *out);

#endif
