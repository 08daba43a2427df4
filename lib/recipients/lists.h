/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lists - is a message from a mailing list of which the configuration says
 * whom it is for?
 *
 * Pure.  A list is known by its List-Id (RFC 2919), by its address in List-Post
 * (RFC 2369), or by that in To or Cc; in this order, since the first two tell
 * which list sent this copy, and the fields only which lists the author wrote
 * to: this copy may be one that went to somebody beside them.  All of it is what
 * servers elsewhere wrote: a guess.
 */
#ifndef RECIPIENTS_LISTS_H
#define RECIPIENTS_LISTS_H

#include "recipients/tiers.h"

enum { LISTS_MAX = 32 }; /* that one message may be for */

/* Calls take() for each list, once, after the findings about it.  True: it was
 * sent by that list, and is for nobody else.  More than LISTS_MAX:
 * out->overflow. */
bool lists_search(struct search *,
    void (*take)(struct search *, const struct mailing_list *));

#endif
