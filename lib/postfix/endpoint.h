/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint - where a milter listens, in Postfix's spelling and in libmilter's.
 *
 *	Postfix		unix:PATH  local:PATH  inet:HOST:PORT
 *	libmilter	unix:PATH  local:PATH  PATH  inet:PORT@HOST  inet:PORT
 */
#ifndef POSTFIX_ENDPOINT_H
#define POSTFIX_ENDPOINT_H

#include "base/buf.h"
#include "base/slice.h"

struct endpoint {
	bool is_inet;
	struct slice path;
	struct slice host, port; /* host without brackets; empty: any */
};

/* False: neither unix: nor inet:. */
bool endpoint_of_postfix(struct slice, struct endpoint *);
void endpoint_of_libmilter(struct slice, struct endpoint *);
/* `theirs` of Postfix, relative to its queue directory. */
bool endpoint_same(const struct endpoint *theirs, const struct endpoint *ours,
    struct slice queue_directory);
/* The part of our path below the queue directory; false: not below it. */
bool endpoint_below(
    const struct endpoint *ours, struct slice queue_directory, struct buf *out);
/* Appends Postfix's spelling of ours. */
void endpoint_write(
    const struct endpoint *ours, struct slice queue_directory, struct buf *out);

#endif
