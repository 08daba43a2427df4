/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imap_name - names of folders: UTF-8 here, modified UTF-7 on the wire (RFC
 * 3501 5.1.3).
 */
#ifndef FETCHER_IMAP_NAME_H
#define FETCHER_IMAP_NAME_H

#include "base/buf.h"
#include "base/slice.h"

enum { IMAP_NAME_MAX = 1024 };

/* Adds the name as the server knows it; false when it is not UTF-8 or too
 * long. */
bool imap_name_encode(struct slice name, struct buf *out);
/* Adds the name as people write it; false, and nothing added, when it is not
 * what imap_name_encode() would have made. */
bool imap_name_decode(struct slice wire, struct buf *out);

#endif
