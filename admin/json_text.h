/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_text - strings of any origin as JSON, and what every --json shares.
 */
#ifndef ADMIN_JSON_TEXT_H
#define ADMIN_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/slice.h"

/* JSON has UTF-8 only: other bytes become \xNN. */
json_t *json_text(const char *);
json_t *json_text_of(struct slice);
/* To standard output, and freed; false when that failed. */
bool json_print(json_t *);

#endif
