/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/candidates.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipients/explain.h"
#include "recipients/tiers.h"

static const struct {
	const char *result, *text;
} zone_words[] = {
	[ZONE_BOUNDARY] = { "found",
	    "here the provider took the message from outside: what stands "
	    "above is trusted" },
	[ZONE_UNKNOWN] = { "topmost",
	    "no trusted_hosts are set: only what stands above the topmost "
	    "Received is trusted" },
	[ZONE_UNMATCHED] = { "topmost",
	    "no Received line leads from outside to one of trusted_hosts: only "
	    "what stands above the topmost Received is trusted" },
	[ZONE_NO_RECEIVED] = { "none",
	    "no Received field at all: the whole header is trusted" },
};

static void
explain_zone(const struct zone *zone, struct candidates *out)
{
	explain_add(out,
	    (struct explain_point){
		"boundary", zone->boundary.by, zone_words[zone->kind].result },
	    "%s", zone_words[zone->kind].text);
	if (zone->kind == ZONE_UNMATCHED)
		explain_warn(out,
		    "no Received line leads from outside to one of "
		    "trusted_hosts");
}

static void
find_sender(struct slice trusted, struct candidates *out)
{
	struct header_field f;
	char text[ADDRESS_TEXT_SIZE];

	if (!header_find(trusted, "Return-Path", &f)) {
		explain_add(out,
		    (struct explain_point){ "sender", SLICE("<>"), "null" },
		    "no Return-Path in the trusted part of the header");
		return;
	}
	out->has_sender =
	    address_parse_sender(f.body, &out->sender) == ADDRESS_OK;
	if (out->has_sender) {
		explain_add(out,
		    (struct explain_point){ "sender",
			address_is_null(&out->sender)
			    ? SLICE("<>")
			    : slice_of(address_write(&out->sender, text)),
			"taken" },
		    "from Return-Path");
		return;
	}
	out->sender = (struct address){ .local = "" };
	explain_add(out,
	    (struct explain_point){ "sender", slice_trim(f.body), "invalid" },
	    "the Return-Path cannot be used: null sender");
	explain_warn(out, "the Return-Path cannot be used: \"%.*s\"",
	    SLICE_ARG(slice_first(slice_trim(f.body), 256)));
}

/* Measured with the longest id there can be, so that the real ticket fits. */
static bool
fits_ticket(const struct candidates *c, const struct account *account)
{
	static const uint8_t no_key[TICKET_KEY_SIZE];
	char id[TICKET_ID_MAX + 1];
	struct ticket_key key;
	struct ticket ticket;
	struct buf field;
	bool fits;

	memset(id, 'x', TICKET_ID_MAX);
	id[TICKET_ID_MAX] = '\0';
	ticket_key_init(&key, no_key);
	candidates_ticket(c, account, id, &ticket);
	buf_init(&field, TICKET_MAX);
	fits = ticket_write(&ticket, &key, &field);
	buf_clear(&field);
	ticket_clear(&ticket);
	return fits;
}

static void
search_tiers(struct search *s)
{
	const struct recipient_settings *settings = &s->account->recipients;
	struct candidates *out = s->out;

	out->tier = TIER_FALLBACK;
	for (size_t i = 0; i < settings->n_tiers; i++)
		if (tier_search(s, settings->tiers[i])) {
			out->tier = settings->tiers[i];
			break;
		}
	if (out->overflow || !fits_ticket(out, s->account)) {
		out->overflow = true;
		out->tier = TIER_FALLBACK;
		explain_warn(out,
		    "more recipients than can be handled: the fallback gets "
		    "the message");
	}
	if (out->tier == TIER_FALLBACK)
		explain_add(out,
		    (struct explain_point){
			"tier", SLICE("fallback"), "decides" },
		    "%s",
		    out->overflow ? "too many recipients named"
				  : "nobody was named before");
	address_set_clear(&s->known);
}

/* Addresses of somebody's own network: within the provider's the client of the
 * boundary may be one (Fastmail, OVH).  A filter would take it for one of ours,
 * and trust it. */
static bool
is_private(int family, const uint8_t *binary)
{
	static const struct {
		uint8_t value[2], mask[2];
	} v4[] = {
		{ { 0, 0 }, { 255, 0 } },
		{ { 10, 0 }, { 255, 0 } },
		{ { 100, 64 }, { 255, 192 } },
		{ { 127, 0 }, { 255, 0 } },
		{ { 169, 254 }, { 255, 255 } },
		{ { 172, 16 }, { 255, 240 } },
		{ { 192, 168 }, { 255, 255 } },
	};
	static const uint8_t mapped[12] = { [10] = 255, [11] = 255 };

	if (family == AF_INET6 && memcmp(binary, mapped, sizeof(mapped)) == 0)
		binary += sizeof(mapped);
	else if (family == AF_INET6)
		/* Global unicast (RFC 4291) is 2000::/3. */
		return (binary[0] & 0xe0) != 0x20;
	for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++)
		if ((binary[0] & v4[i].mask[0]) == v4[i].value[0] &&
		    (binary[1] & v4[i].mask[1]) == v4[i].value[1])
			return true;
	return false;
}

/* "192.0.2.7", "2001:db8::1", "IPv6:2001:db8::1" (RFC 5321 4.1.3). */
static bool
read_ip(struct slice text, char out[static ORIGIN_IP_SIZE])
{
	uint8_t binary[sizeof(struct in6_addr)];
	char copy[ORIGIN_IP_SIZE];
	int family;

	slice_cut_prefix_nocase(&text, SLICE("IPv6:"));
	if (text.len >= sizeof(copy) || slice_find(text, '\0') < text.len)
		return false;
	snprintf(copy, sizeof(copy), "%.*s", SLICE_ARG(text));
	family = strchr(copy, ':') == NULL ? AF_INET : AF_INET6;
	return inet_pton(family, copy, binary) == 1 &&
	       !is_private(family, binary) &&
	       inet_ntop(family, binary, out, ORIGIN_IP_SIZE) != NULL;
}

static bool
is_helo_byte(uint8_t byte)
{
	return byte_is_alnum(byte) || byte == '.' || byte == '-' ||
	       byte == '_' || byte == ':' || byte == '[' || byte == ']';
}

static void
find_origin(const struct zone *zone, struct origin *out)
{
	const struct received *boundary = &zone->boundary;

	if (zone->kind != ZONE_BOUNDARY ||
	    !read_ip(boundary->client_ip, out->ip)) {
		out->ip[0] = '\0';
		return;
	}
	if (!domain_normalise(boundary->client, out->name))
		out->name[0] = '\0';
	if (boundary->helo.len < sizeof(out->helo) &&
	    slice_all(boundary->helo, is_helo_byte))
		snprintf(out->helo, sizeof(out->helo), "%.*s",
		    SLICE_ARG(boundary->helo));
}

void
candidates_find(const struct config *config, const struct account *account,
    struct slice header, struct candidates *out)
{
	struct search search = {
		.config = config,
		.account = account,
		.header = header,
		.out = out,
	};

	*out = (struct candidates){ .tier = TIER_SINGLE };
	zone_find(&account->recipients, header, &search.zone);
	out->received_fields = search.zone.received_fields;
	find_origin(&search.zone, &out->origin);
	out->traces = trace_find(config, account, header);
	if (account->mailbox == MAILBOX_SINGLE) {
		explain_add(out,
		    (struct explain_point){
			"tier", SLICE("single"), "decides" },
		    "a mailbox of one person: deliver_to gets the message");
	} else {
		explain_zone(&search.zone, out);
		search_tiers(&search);
	}
	find_sender(search.zone.trusted, out);
}

void
candidates_clear(struct candidates *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->all[i].text);
	for (size_t i = 0; i < c->n_findings; i++) {
		free(c->findings[i].subject);
		free(c->findings[i].text);
	}
	for (size_t i = 0; i < c->n_warnings; i++)
		free(c->warnings[i]);
	free(c->all);
	free(c->findings);
	free(c->warnings);
	*c = (struct candidates){ .all = NULL };
}

void
candidates_ticket(const struct candidates *c, const struct account *account,
    const char *id, struct ticket *out)
{
	*out =
	    (struct ticket){ .tier = c->tier, .fallback = account->fallback };
	account_key(account, out->account, sizeof(out->account));
	snprintf(out->id, sizeof(out->id), "%s", id);
	if (c->tier == TIER_FALLBACK || c->tier == TIER_SINGLE || c->n == 0)
		return;
	out->candidates = mem_new_array(c->n, sizeof(*out->candidates));
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].kind == CANDIDATE_USABLE ||
		    c->all[i].kind == CANDIDATE_FOREIGN)
			out->candidates[out->n_candidates++] =
			    c->all[i].address;
}

void
account_key(const struct account *account, char *out, size_t size)
{
	snprintf(out, size, "yaml:%s", account->name);
}
