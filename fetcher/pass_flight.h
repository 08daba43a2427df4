/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass_flight - the messages of a pass from the server's first byte to their
 * committed fate: received, recognised (pass_recognition), delivered.  What the
 * halves of a pass share; pass.h has the functions that the driver calls.
 */
#ifndef FETCHER_PASS_FLIGHT_H
#define FETCHER_PASS_FLIGHT_H

#include "fetcher/delivery.h"
#include "fetcher/pass.h"

/* A message that is here, or about whose entry something is recorded. */
struct flight {
	struct pass *pass;
	uint32_t offset;           /* of its entry */
	struct incoming *incoming; /* while it is being recognised */
	struct delivery_message message;
	/* What the message points to. */
	uint8_t content[SEEN_CONTENT_SIZE];
	uint8_t fingerprint[SEEN_FINGERPRINT_SIZE];
	struct seen_row known; /* the answer */
	struct flight *next;   /* of the pass */
};

/* In pass_flight.c */

/* Records what becomes of an entry that is not delivered; it has a UID. */
void pass_settle(
    struct pass *, const struct listed *, enum seen_status, const char *reason);
/* Tells delivery of what is to come into the spool. */
void pass_tell_expected(struct pass *);
struct listed *pass_flight_entry(const struct flight *);
/* A complete message is handed over, or parked; it lands when that is
 * committed. */
void pass_deliver(struct flight *);
/* It is over, and freed; pass_land() has the driver ask again what comes next. */
void pass_land(struct flight *);
void pass_release(struct flight *);

/* In pass_recognition.c */

/* What becomes of a message that came whole: is it known by its content?  If it
 * is not, pass_deliver(). */
void pass_recognise(struct flight *);

/* In pass.c */

/* Which of the two limits counts: Postfix's, or the account's own; 0: none. */
uint64_t pass_size_limit(const struct pass *);
const char *pass_oversize_reason(const struct pass *);
/* To be disposed of at the provider. */
void pass_plan_disposal(struct pass *, uint32_t number);

#endif
