/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link - one source of the chain, with what is remembered about it: cache,
 * breaker, canary and statistics.  Thread-safe; no lock is held while the
 * source is asked.
 *
 * A canary is an address that must exist.  While it is not found, an answer
 * "no such address" proves nothing (a wrong base, rights withdrawn) and
 * becomes UNKNOWN, and the source counts as away.  It is asked for together
 * with the first question, then with one a minute and after each fault.
 */
#ifndef DIRECTORY_LINK_H
#define DIRECTORY_LINK_H

#include "directory/source.h"

struct link;

/* Both are borrowed until link_free(). */
struct link *link_new(const struct config *, const struct directory_source *);
void link_free(struct link *);

/* "file", "ldap", … */
const char *link_kind(const struct link *);
void link_ask(struct link *, const struct directory_question *,
    struct directory_answer *answers);
/* False with the reason in the answer. */
bool link_ready(struct link *, struct directory_answer *);
void link_statistics(struct link *, struct directory_statistics *);

#endif
