/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension - what stands behind Postfix's recipient_delimiter in a local
 * part: anna+news is anna with the extension "+news".  Pure.
 */
#ifndef MAIL_EXTENSION_H
#define MAIL_EXTENSION_H

#include "mail/address.h"

/* The address without its extension; each byte of `delimiters` is one.  False
 * when it has none, where Postfix's split_addr() sees none: then what is asked
 * for and what is delivered agree. */
bool extension_remove(
    const struct address *, const char *delimiters, struct address *base);
/* `to` with the extension, delimiter included, that `from` has more than `base`.
 * False when that would be too long; *out is undefined then. */
bool extension_copy(const struct address *to, const struct address *from,
    const struct address *base, struct address *out);

#endif
