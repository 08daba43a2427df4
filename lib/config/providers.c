/* SPDX-License-Identifier: Apache-2.0 */
#include "config/providers.h"

#define NAMES(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}
#define ALL_TIERS                                                              \
	.tiers = { TIER_ENVELOPE, TIER_RECEIVED, TIER_HEADERS }, .n_tiers = 3
/* Where no field names anybody but the mailbox itself. */
#define RECEIVED_TIERS .tiers = { TIER_RECEIVED, TIER_HEADERS }, .n_tiers = 2
#define ISPDB "hosts: Thunderbird's ISPDB, March 2026"

/* trusted_hosts are as narrow as the samples allow: the servers through which
 * a provider's other customers send must not be among them. */
static const struct provider ionos = {
	.title = "IONOS (1&1)",
	.pop3_host = "pop.1und1.de",
	.imap_host = "imap.1und1.de",
	.recipients = { ALL_TIERS, .envelope_headers = NAMES("Envelope-To"),
	    .occurrence = 1, .position_bottom = true, .strip_prefix = "",
	    .trusted_hosts = NAMES(".kundenserver.de") },
	.note = "Contracts outside Germany have other hosts: set host.",
	.source = "header samples of 2024; " ISPDB,
};
static const struct provider gmx = {
	.title = "GMX",
	.pop3_host = "pop.gmx.net",
	.imap_host = "imap.gmx.net",
	.recipients = { RECEIVED_TIERS, .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES(".gmx.net") },
	.source = "a header sample of 2024; " ISPDB,
};
static const struct provider web_de = {
	.title = "WEB.DE",
	.pop3_host = "pop3.web.de",
	.imap_host = "imap.web.de",
	.pop3_every_ms = 15 * MINUTES,
	.recipients = { RECEIVED_TIERS, .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES(".web.de") },
	.source = "a header sample of June 2020 (tests of mu); hosts and "
		  "interval: Thunderbird's ISPDB, March 2026",
};
static const struct provider strato = {
	.title = "STRATO",
	.pop3_host = "pop3.strato.de",
	.imap_host = "imap.strato.de",
	.recipients = { ALL_TIERS, .envelope_headers = NAMES("X-Envelope-To"),
	    .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES("smtpin.rzone.de") },
	.source = "a header sample of August 2023 (tests of Korga); " ISPDB,
};
static const struct provider t_online = {
	.title = "Telekom (T-Online)",
	.pop3_host = "securepop.t-online.de",
	.imap_host = "secureimap.t-online.de",
	.recipients = { ALL_TIERS, .occurrence = 1, .strip_prefix = "" },
	.remedy = "have each person's mail put into a mailbox of its own, "
		  "with mailbox: single",
	.source = "a header sample of 2024; " ISPDB,
};
static const struct provider ovh = {
	.title = "OVHcloud",
	.pop3_host = "ssl0.ovh.net",
	.imap_host = "ssl0.ovh.net",
	.pop3_every_ms = 60 * SECONDS,
	.recipients = { ALL_TIERS, .envelope_headers = NAMES("Delivered-To"),
	    .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES(".mail.ovh.net") },
	.note = "Where a redirection leads into the mailbox, the field holds "
		"the mailbox itself: name that in addresses.",
	.source = "header samples of February 2023 (OVH's guide) and March "
		  "2026; interval: help.ovh.co.uk/EmailPopTooOften; " ISPDB,
};
static const struct provider gandi = {
	.title = "Gandi",
	.pop3_host = "mail.gandi.net",
	.imap_host = "mail.gandi.net",
	.recipients = { RECEIVED_TIERS, .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES("spool.mail.gandi.net") },
	.note = "Delivered-To and the topmost Received name the mailbox. "
		"A message that came for several people at once has no for, "
		"so To and Cc decide.",
	.source = "header samples of September and November 2020; " ISPDB,
};
static const struct provider google = {
	.title = "Google Workspace, Gmail",
	.pop3_host = "pop.gmail.com",
	.imap_host = "imap.gmail.com",
	/* Each forwarding puts its Delivered-To on top. */
	.recipients = { ALL_TIERS,
	    .envelope_headers = NAMES("X-Gm-Original-To", "Delivered-To"),
	    .occurrence = OCCURRENCE_LAST, .strip_prefix = "",
	    .trusted_hosts = NAMES("mx.google.com") },
	.note = "Name the mailbox in addresses: Delivered-To may hold it. "
		"The first field is there when the routing rule says \"Add "
		"X-Gm-Original-To header\".",
	.source = "header samples of 2024, Google's help on routing; " ISPDB,
};
static const struct provider microsoft = {
	.title = "Microsoft 365",
	.pop3_host = "outlook.office365.com",
	.imap_host = "outlook.office365.com",
	.recipients = { ALL_TIERS, .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES(".mail.protection.outlook.com") },
	.remedy = "let a transport rule of Exchange write the recipient into a "
		  "field and name it in recipients.envelope_headers",
	.source = "a header sample of January 2019 (Microsoft, EOP field "
		  "notes), Microsoft Q&A 595439; " ISPDB,
};
static const struct provider fastmail = {
	.title = "Fastmail",
	.pop3_host = "pop.fastmail.com",
	.imap_host = "imap.fastmail.com",
	/* Below the line of the mail store, which no pattern names. */
	.recipients = { ALL_TIERS, .envelope_headers = NAMES("X-Delivered-To"),
	    .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES(".internal") },
	.source = "header samples of 2015, 2016 and 2018; fastmail.help: the "
		  "email delivery process; server names and ports",
};
static const struct provider yahoo = {
	.title = "Yahoo",
	.pop3_host = "pop.mail.yahoo.com",
	.imap_host = "imap.mail.yahoo.com",
	.recipients = { .tiers = { TIER_ENVELOPE, TIER_HEADERS },
	    .n_tiers = 2,
	    .envelope_headers = NAMES("X-Apparently-To"),
	    .occurrence = 1,
	    .strip_prefix = "" },
	.source = "header samples before 2024; " ISPDB,
};
static const struct provider proton = {
	.title = "Proton Mail",
	.recipients = { ALL_TIERS, .envelope_headers = NAMES("X-Original-To"),
	    .occurrence = 1, .strip_prefix = "",
	    .trusted_hosts = NAMES("mailin.protonmail.ch") },
	.bridge_port = 1143,
	.note = "By Proton's Bridge, which speaks IMAP with STARTTLS only: "
		"user, password, host and port are those that it shows, and "
		"its certificate, which nobody vouches for, goes into "
		"tls.fingerprint_sha256.",
	.source = "a header sample of July 2026; mjl-/mox#69; README of "
		  "ProtonMail/proton-bridge",
};

const struct schema_word provider_words[] = {
	{ .word = "ionos", .provider = &ionos },
	{ .word = "gmx", .provider = &gmx },
	{ .word = "web_de", .provider = &web_de },
	{ .word = "strato", .provider = &strato },
	{ .word = "t_online", .provider = &t_online },
	{ .word = "ovh", .provider = &ovh },
	{ .word = "gandi", .provider = &gandi },
	{ .word = "google", .provider = &google },
	{ .word = "microsoft", .provider = &microsoft },
	{ .word = "fastmail", .provider = &fastmail },
	{ .word = "yahoo", .provider = &yahoo },
	{ .word = "proton", .provider = &proton },
	{ .word = NULL },
};

/* From the manuals and from header samples.  First what only ever holds the
 * RCPT address; then what holds the mailbox as often. */
static const char *const envelope_headers[] = {
	"X-Original-To",      /* Postfix, before aliases; Proton */
	"Envelope-To",        /* Exim, several possible; 1&1/IONOS, at the end
				* of the header */
	"X-Envelope-To",      /* Sendmail with procmail, Strato, many hosters */
	"X-Delivered-To",     /* Fastmail */
	"X-Gm-Original-To",   /* Google Workspace, when switched on */
	"X-RCPT-TO",          /* connectors for Exchange */
	"X-RCPTTO",           /* the same */
	"X-Recipient",        /* the same */
	"Original-Recipient", /* RFC 3798; iCloud: "rfc822;address" */
	"X-Apparently-To",    /* Yahoo: "address via host; date" */
	"Envelope-Recipients", /* SpamAssassin's list */
	"X-Real-To",           /* CommuniGate Pro */
	"Delivered-To",        /* qmail, Postfix after aliases, Google: often
				* the mailbox itself */
	"Apparently-To",       /* old Sendmail */
	NULL,
};

const char *
provider_name(const struct provider *provider)
{
	const struct schema_word *w = provider_words;

	while (w->provider != provider)
		w++;
	return w->word;
}

void
provider_apply(const struct provider *provider, struct account *account)
{
	const char *const *headers = account->recipients.headers;

	account->provider = provider;
	account->recipients = provider->recipients;
	account->recipients.headers = headers;
}

const char *
provider_host(const struct provider *provider, enum account_protocol protocol)
{
	return protocol == PROTOCOL_IMAP || protocol == PROTOCOL_IMAPS
		   ? provider->imap_host
		   : provider->pop3_host;
}

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
