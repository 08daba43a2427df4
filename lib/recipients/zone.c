/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/zone.h"

#include "mail/domain.h"

static bool
is_trusted_host(const struct recipient_settings *settings, struct slice host)
{
	char name[DOMAIN_SIZE];

	if (!domain_normalise(host, name))
		return false;
	for (const char *const *t = settings->trusted_hosts; *t != NULL; t++)
		if (domain_matches(*t, name))
			return true;
	return false;
}

/* LMTP (RFC 2033) is spoken between a provider's own servers only, and its
 * lines name no client that could be looked at. */
static bool
is_lmtp(struct slice with)
{
	return slice_starts_nocase(with, SLICE("LMTP"));
}

static bool
is_boundary(const struct recipient_settings *settings, const struct received *r)
{
	return is_trusted_host(settings, r->by) && !is_lmtp(r->with) &&
	       !is_trusted_host(settings, r->client);
}

static bool
knows_hosts(const struct recipient_settings *settings)
{
	return settings->trusted_hosts != NULL &&
	       settings->trusted_hosts[0] != NULL;
}

void
zone_find(const struct recipient_settings *settings, struct slice header,
    struct zone *zone)
{
	struct header_field f;
	struct received r;
	struct header h;

	*zone = (struct zone){ .kind = ZONE_NO_RECEIVED, .trusted = header };
	header_init(&h, header);
	while (header_next(&h, &f)) {
		bool boundary;

		if (!header_is(&f, "Received"))
			continue;
		zone->received_fields++;
		if (zone->kind == ZONE_BOUNDARY)
			continue;
		received_parse(f.body, &r);
		boundary = knows_hosts(settings) && is_boundary(settings, &r);
		if (zone->received_fields > 1 && !boundary)
			continue;
		zone->kind = boundary                ? ZONE_BOUNDARY
			     : knows_hosts(settings) ? ZONE_UNMATCHED
						     : ZONE_UNKNOWN;
		zone->boundary = r;
		zone->trusted.len = (size_t)(f.whole.data - header.data);
	}
}
