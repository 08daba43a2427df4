/* SPDX-License-Identifier: Apache-2.0 */
/*
 * domain - the one spelling of a domain name: lower-case A-labels (RFC 5890)
 * without trailing dot.  Pure.
 */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include "base/slice.h"

enum { DOMAIN_SIZE = 254 };

/* False for an empty, over-long, single-dotted or otherwise impossible name,
 * an address literal ("[…]") and what IDNA 2008 (non-transitional, UTS 46)
 * refuses.  An underscore is let through: such hosts exist. */
bool domain_normalise(struct slice, char out[static DOMAIN_SIZE]);
/* Both normalised.  `pattern` ".example.org" matches each name below
 * example.org, not the name itself; without the dot only the same name. */
bool domain_matches(const char *pattern, const char *name);

#endif
