/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/intake.h"

#include <stdio.h>

enum { HOPS_SPARE = 5 };

bool
intake_loops(const struct candidates *candidates, bool released,
    unsigned hopcount_limit, char reason[INTAKE_REASON_SIZE])
{
	unsigned hops = candidates->received_fields;

	if (candidates->traces.same && !released) {
		snprintf(reason, INTAKE_REASON_SIZE,
		    "mail loop: this account collected it before.  Find what "
		    "sends it back; then mailhaul parked retry delivers it");
		return true;
	}
	if (hopcount_limit <= HOPS_SPARE || hops < hopcount_limit - HOPS_SPARE)
		return false;
	snprintf(reason, INTAKE_REASON_SIZE,
	    "mail loop: %u Received fields (hopcount_limit is %u)", hops,
	    hopcount_limit);
	return true;
}

struct address
intake_sender(const struct config *config, const struct account *account,
    const struct candidates *candidates)
{
	switch (account->sender) {
	case SENDER_ORIGINAL:
		return candidates->sender;
	case SENDER_POSTMASTER:
		if (candidates->has_sender &&
		    address_is_null(&candidates->sender))
			break;
		return config->postmaster;
	case SENDER_NULL:
		break;
	}
	return (struct address){ .local = "" };
}

bool
intake_may_be_answered(enum tier tier)
{
	return tier != TIER_HEADERS && tier != TIER_FALLBACK;
}
