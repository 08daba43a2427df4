/* SPDX-License-Identifier: Apache-2.0 */
/*
 * providers - what providers and mail servers are known to do: where they
 * record the envelope recipient, which servers are theirs, how often they let
 * themselves be asked.  Pure.
 *
 * A row stands here only with a source that somebody else can look up.  A field
 * that stands several times means different things: equal fields side by side
 * are several recipients (`occurrence: all`), fields with Received lines between
 * them the history of forwarding, of which the lowest one that is trusted is
 * the oldest (`occurrence: last`).
 */
#ifndef CONFIG_PROVIDERS_H
#define CONFIG_PROVIDERS_H

#include "config/schema.h"

struct provider {
	const char *title;
	const char *pop3_host, *imap_host; /* with TLS; NULL: not known */
	/* It is reached through a program of its own that runs beside us and
	 * speaks IMAP with STARTTLS on this port; 0: it is not. */
	uint16_t bridge_port;
	int64_t pop3_every_ms; /* it refuses to be asked more often; 0: no
				* such limit is known */
	struct recipient_settings recipients; /* all but `headers` */
	/* What to do when it records nowhere whom a message is for; NULL: it
	 * does record it. */
	const char *remedy;
	const char *note;   /* a sentence for the administrator, or NULL */
	const char *source; /* and of when */
};

/* The words of `provider`, each with its row. */
extern const struct schema_word provider_words[];
/* The word of a row. */
const char *provider_name(const struct provider *);
/* Sets everything that the row knows, whatever was set before. */
void provider_apply(const struct provider *, struct account *);
/* The host for the account's protocol, NULL when it is not known. */
const char *provider_host(const struct provider *, enum account_protocol);

/* The fields that known servers write, in the order in which they are tried,
 * NULL at the end: what an account without envelope_headers looks for. */
const char *const *providers_envelope_headers(void);
/* What follows the address in the field of that name, whichever way the name
 * came into the configuration; NULL: nothing does. */
const char *providers_end_of_address(const char *header);

#endif
