/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/providers.h"

/* From the manuals and from header samples.  First what only ever holds the
 * RCPT address; then what holds the mailbox as often. */
static const char *const envelope_headers[] = {
	"X-Original-To",       /* Postfix, before aliases; Proton */
	"Envelope-To",         /* Exim, several possible; 1&1/IONOS, at the end
				* of the header */
	"X-Envelope-To",       /* Sendmail with procmail, many hosters */
	"X-Delivered-To",      /* Fastmail */
	"X-Gm-Original-To",    /* Google Workspace, when switched on */
	"X-RCPT-TO",           /* connectors for Exchange */
	"X-RCPTTO",            /* the same */
	"X-Recipient",         /* the same */
	"Original-Recipient",  /* RFC 3798; iCloud: "rfc822;address" */
	"X-Apparently-To",     /* Yahoo: "address via host; date" */
	"Envelope-Recipients", /* SpamAssassin's list */
	"X-Real-To",           /* CommuniGate Pro */
	"Delivered-To",        /* qmail, Postfix after aliases, Google: often
				* the mailbox itself */
	"Apparently-To",       /* old Sendmail */
	NULL,
};

const char *const *
providers_envelope_headers(void)
{
	return envelope_headers;
}

const char *
providers_end_of_address(const char *header)
{
	return slice_equal_nocase(slice_of(header), SLICE("X-Apparently-To"))
		   ? " via "
		   : NULL;
}
