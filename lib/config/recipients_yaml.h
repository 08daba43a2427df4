/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipients_yaml - an account's `recipients` and `addresses` as an
 * administrator writes them.
 */
#ifndef CONFIG_RECIPIENTS_YAML_H
#define CONFIG_RECIPIENTS_YAML_H

#include "config/config.h"

/* Lines of YAML, each after `indent` blanks: what differs from the defaults,
 * without `headers`.  Nothing when nothing does. */
void recipients_write_yaml(
    const struct recipient_settings *, int indent, struct buf *out);
void addresses_write_yaml(
    const struct address *, size_t n, int indent, struct buf *out);

#endif
