/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_flight - the messages of a pass from the server's first byte to their
 * committed fate: received, recognised, delivered.  For pass.c, whose header
 * has the functions that the driver calls.
 */
#ifndef FETCHER_PASS_FLIGHT_H
#define FETCHER_PASS_FLIGHT_H

#include "fetcher/pass.h"

/* Records what becomes of an entry that is not delivered; it has a UID. */
void pass_settle(
    struct pass *, const struct listed *, enum seen_status, const char *reason);
/* Tells delivery of what is to come into the spool. */
void pass_tell_expected(struct pass *);

/* In pass.c.  Which of the two limits counts: Postfix's, or the account's own;
 * 0: none. */
uint64_t pass_size_limit(const struct pass *);
const char *pass_oversize_reason(const struct pass *);
/* To be disposed of at the provider. */
void pass_plan_disposal(struct pass *, uint32_t number);

#endif
