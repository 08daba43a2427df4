/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup_record - what "mailhaul setup postfix" changed, for --undo: a JSON
 * file beside main.cf, written before the first change is made.
 */
#ifndef ADMIN_SETUP_RECORD_H
#define ADMIN_SETUP_RECORD_H

#include "admin/setup_plan.h"
#include "base/error.h"

#define SETUP_RECORD_NAME "mailhaul-setup.json"

/* A missing file is an empty record.  ERROR_CONFIG: it is not ours. */
bool
setup_record_read(const char *path, struct setup_changes *made, struct error *);
bool setup_record_write(
    const char *path, const struct setup_changes *made, struct error *);
/* Adds changes that are about to be made to those that were: what was there
 * before the first of them stays what --undo goes back to, unless somebody
 * else changed it in between. */
void setup_record_add(struct setup_changes *made,
    const struct setup_changes *now, const struct setup_facts *);

#endif
