/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone - the part of a header that the provider wrote: the trusted zone.
 *
 * Fields are added on top, so what stands above the line in which the
 * provider's first server took the message from outside (the boundary) was
 * written by the provider, and everything below by anybody.  Pure; the slices
 * point into the header.
 */
#ifndef RECIPIENTS_ZONE_H
#define RECIPIENTS_ZONE_H

#include "config/config.h"
#include "mail/header.h"

enum zone_kind {
	ZONE_BOUNDARY,    /* found by trusted_hosts: the zone is above it */
	ZONE_UNKNOWN,     /* no trusted_hosts: above the topmost Received */
	ZONE_UNMATCHED,   /* trusted_hosts match none: the same */
	ZONE_NO_RECEIVED, /* the whole header */
};

struct zone {
	enum zone_kind kind;
	struct slice trusted; /* from the top of the header */
	/* The boundary; the topmost Received when it is not known; empty when
	 * there is none. */
	struct received boundary;
	unsigned received_fields;
};

void zone_find(
    const struct recipient_settings *, struct slice header, struct zone *);

#endif
