/* SPDX-License-Identifier: Apache-2.0 */
/*
 * providers - the fields in which mail servers and providers are known to
 * record the envelope recipient.  Pure.
 */
#ifndef RECIPIENTS_PROVIDERS_H
#define RECIPIENTS_PROVIDERS_H

#include "base/slice.h"

/* The names in the order in which they are tried, NULL at the end: what an
 * account without envelope_headers looks for. */
const char *const *providers_envelope_headers(void);
/* What follows the address in the field of that name, whichever way the name
 * came into the configuration; NULL: nothing does. */
const char *providers_end_of_address(const char *header);

#endif
