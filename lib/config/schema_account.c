/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the schema that says where mail is collected, and what becomes of
 * it there.
 */
#include "config/schema.h"

#include "config/providers.h"
#include "config/values.h"

#include <stddef.h>

static const struct schema_word protocols[] = {
	{ .word = "pop3", .value = PROTOCOL_POP3 },
	{ .word = "pop3s", .value = PROTOCOL_POP3S },
	{ .word = "imap", .value = PROTOCOL_IMAP },
	{ .word = "imaps", .value = PROTOCOL_IMAPS },
	{ .word = NULL },
};

uint16_t
schema_port(enum account_protocol protocol)
{
	static const uint16_t ports[] = {
		[PROTOCOL_POP3] = 110,
		[PROTOCOL_POP3S] = 995,
		[PROTOCOL_IMAP] = 143,
		[PROTOCOL_IMAPS] = 993,
	};

	return ports[protocol];
}

static const struct schema_word tls_modes[] = {
	{ .word = "required", .value = TLS_REQUIRED },
	{ .word = "never",
	    .value = TLS_NEVER,
	    .warning = "password and mail travel in clear text" },
	{ .word = NULL },
};
static const struct schema_row tls_rows[] = {
	{ .name = "mode",
	    .type = &value_word,
	    .words = tls_modes,
	    .offset = offsetof(struct tls_settings, mode),
	    .fallback = "required",
	    .help = "required: encrypted from the start with pop3s and "
		    "imaps, by STLS with pop3 and STARTTLS with imap, or "
		    "not at all. never: in clear text, only with pop3 and "
		    "imap." },
	{ .name = "ca_file",
	    .type = &value_path,
	    .offset = offsetof(struct tls_settings, ca_file),
	    .derived = "the system's certificate authorities",
	    .flags = ROW_MUST_EXIST,
	    .example = "provider-ca.pem",
	    .help = "Certificate authorities (PEM) that may vouch for the "
		    "server." },
	{ .name = "server_name",
	    .type = &value_host,
	    .offset = offsetof(struct tls_settings, server_name),
	    .derived = "host",
	    .example = "pop.isp.example",
	    .help = "The name that the server's certificate must have." },
	{ .name = "fingerprint_sha256",
	    .type = &value_fingerprint,
	    .offset = offsetof(struct tls_settings, fingerprint_sha256),
	    .second = offsetof(struct tls_settings, pinned),
	    .example = "00112233445566778899aabbccddeeff"
		       "00112233445566778899aabbccddeeff",
	    .help = "SHA-256 of the server's certificate. Replaces the check "
		    "of its issuer and name: for self-signed certificates." },
	{ .name = "client_certificate",
	    .type = &value_path,
	    .offset = offsetof(struct tls_settings, client_certificate),
	    .flags = ROW_MUST_EXIST,
	    .example = "office.pem",
	    .help = "A certificate of ours (PEM, with its chain), for servers "
		    "that ask for one. A renewed file is used by the next "
		    "connection." },
	{ .name = "client_key",
	    .type = &value_path,
	    .offset = offsetof(struct tls_settings, client_key),
	    .derived = "in client_certificate",
	    .flags = ROW_MUST_EXIST | ROW_SECRET_FILE,
	    .example = "office.key",
	    .help = "Its private key (PEM, no passphrase), which only the "
		    "fetcher's user may read." },
	{ .name = NULL },
};
static const struct schema_table tls_table = { .rows = tls_rows };

static const struct schema_word mailbox_words[] = {
	{ .word = "catch_all", .value = MAILBOX_CATCH_ALL },
	{ .word = "single", .value = MAILBOX_SINGLE },
	{ .word = NULL },
};
static const struct schema_word sender_words[] = {
	{ .word = "original", .value = SENDER_ORIGINAL },
	{ .word = "postmaster", .value = SENDER_POSTMASTER },
	{ .word = "null", .value = SENDER_NULL },
	{ .word = NULL },
};
const struct schema_word schema_keep_words[] = {
	{ .word = "none", .value = KEEP_NONE },
	{ .word = "forever", .value = KEEP_FOREVER },
	{ .word = NULL },
};
static const struct schema_word dispose_words[] = {
	{ .word = "delete", .value = DISPOSE_DELETE },
	{ .word = NULL },
};
static const struct schema_row dispose_rows[] = {
	{ .name = "how",
	    .type = &value_word,
	    .words = dispose_words,
	    .offset = offsetof(struct disposal, kind),
	    .choice = DISPOSE_DELETE,
	    .fallback = "delete",
	    .help = "delete: it is removed." },
	{ .name = "move",
	    .type = &value_text,
	    .offset = offsetof(struct disposal, text),
	    .choice = DISPOSE_MOVE,
	    .max = 255,
	    .example = "Collected",
	    .help = "IMAP: it is moved into this folder, which is created "
		    "when missing and never collected from." },
	{ .name = "flag",
	    .type = &value_text,
	    .offset = offsetof(struct disposal, text),
	    .choice = DISPOSE_FLAG,
	    .max = 64,
	    .example = "$Collected",
	    .help = "IMAP: it stays and gets this keyword, or this of \\Seen, "
		    "\\Answered, \\Flagged and \\Draft." },
	{ .name = NULL },
};
static const struct schema_table dispose_table = {
	.rows = dispose_rows,
	.size = sizeof(struct disposal),
	.one_of = true,
	.choice = offsetof(struct disposal, kind),
	.bare = "how",
};
static const struct schema_word orders[] = {
	{ .word = "oldest", .value = ORDER_OLDEST },
	{ .word = "newest", .value = ORDER_NEWEST },
	{ .word = "smallest", .value = ORDER_SMALLEST },
	{ .word = NULL },
};
static const struct schema_word on_demand[] = {
	{ .word = "on_demand" },
	{ .word = NULL },
};
static const struct schema_word auth_words[] = {
	{ .word = "auto", .value = AUTH_AUTO },
	{ .word = "plain", .value = AUTH_PLAIN },
	{ .word = "login", .value = AUTH_LOGIN },
	{ .word = "user", .value = AUTH_USER },
	{ .word = "scram_sha_256", .value = AUTH_SCRAM_SHA_256 },
	{ .word = "xoauth2", .value = AUTH_XOAUTH2 },
	{ .word = "oauthbearer", .value = AUTH_OAUTHBEARER },
	{ .word = "external", .value = AUTH_EXTERNAL },
	{ .word = NULL },
};

static const struct schema_row account_rows[] = {
	{ .name = "name",
	    .type = &value_name,
	    .offset = offsetof(struct account, name),
	    .max = 100,
	    .flags = ROW_REQUIRED | ROW_OWN,
	    .example = "office",
	    .help = "A name of your choice, used in logs and commands. What "
		    "was collected is remembered under it: keep it." },
	{ .name = "enabled",
	    .type = &value_boolean,
	    .offset = offsetof(struct account, enabled),
	    .fallback = "true",
	    .help = "With false nothing is collected." },
	/* Before what an account may say otherwise. */
	{ .name = "provider",
	    .type = &value_provider,
	    .words = provider_words,
	    .offset = offsetof(struct account, provider),
	    .example = "ionos",
	    .help = "Whose mailbox it is: sets host and recipients to what is "
		    "known of that provider. What the account says itself "
		    "goes before that; mailhaul test-catch-all tells whether "
		    "it fits." },
	{ .name = "protocol",
	    .type = &value_word,
	    .words = protocols,
	    .offset = offsetof(struct account, protocol),
	    .fallback = "pop3s",
	    .help = "How to talk to the server." },
	{ .name = "tls",
	    .type = &value_mapping,
	    .table = &tls_table,
	    .offset = offsetof(struct account, tls),
	    .help = "How the connection is protected." },
	{ .name = "host",
	    .type = &value_host,
	    .offset = offsetof(struct account, host),
	    .derived = "as provider says; without one it is required",
	    .flags = ROW_SAMPLE,
	    .example = "pop.isp.example",
	    .help = "The provider's server." },
	{ .name = "port",
	    .type = &value_port,
	    .offset = offsetof(struct account, port),
	    .derived = "995 with pop3s, 993 with imaps, 110 with pop3, 143 "
		       "with imap",
	    .min = 1,
	    .max = 65535,
	    .example = "995",
	    .help = "The port there." },
	{ .name = "user",
	    .type = &value_text,
	    .offset = offsetof(struct account, user),
	    .max = 255,
	    .flags = ROW_REQUIRED | ROW_OWN,
	    .example = "example.org",
	    .help = "The login name." },
	{ .name = "auth",
	    .type = &value_word,
	    .words = auth_words,
	    .offset = offsetof(struct account, auth),
	    .fallback = "auto",
	    .help = "How to log in. auto: with a token OAUTHBEARER, else "
		    "XOAUTH2; with a password the first of SCRAM-SHA-256, "
		    "PLAIN, LOGIN and user that the server offers. Another "
		    "word: this or nothing. user: USER and PASS with POP3, the "
		    "LOGIN command with IMAP. external: the client certificate "
		    "says who we are. A refused login is not tried another "
		    "way, since providers lock accounts; if a server offers "
		    "what it cannot do, name what it can. APOP, CRAM-MD5, "
		    "DIGEST-MD5 and NTLM are never used: they rest on broken "
		    "digests, whoever listens can guess the password from "
		    "them, the server must keep it in clear or as good as "
		    "that, and inside TLS they protect nothing." },
	{ .name = "token",
	    .type = &value_mapping,
	    .table = &schema_secret,
	    .offset = offsetof(struct account, token),
	    .private = true,
	    .flags = ROW_OWN,
	    .example = "{command: [/usr/local/bin/oauth-token, office]}",
	    .help = "Where an OAuth2 access token is, instead of a password: "
		    "for Google and Microsoft. A command prints the token as "
		    "one line within 10 seconds. It is run for each login, so "
		    "it should keep a token until that expires, and once more "
		    "when the server refuses the token, with that one on its "
		    "standard input." },
	{ .name = "password",
	    .type = &value_mapping,
	    .table = &schema_secret,
	    .offset = offsetof(struct account, password),
	    .private = true,
	    .flags = ROW_SAMPLE | ROW_OWN,
	    .example = "{file: office.password}",
	    .help = "Where the password is, never the password itself: "
		    "{file: PATH}, {credential: NAME} or {command: [...]}." },
	{ .name = "folders",
	    .type = &value_list,
	    .element = &value_text,
	    .offset = offsetof(struct account, folders),
	    .min = 1,
	    .max = 1000,
	    .fallback = "[INBOX]",
	    .example = "[INBOX, \"Lists/%\"]",
	    .help = "IMAP: the folders to collect from. * stands for any "
		    "characters, % for any but the separator; neither for "
		    "what the server keeps for a purpose of its own, such "
		    "as sent mail, junk or all mail." },
	{ .name = "exclude_folders",
	    .type = &value_list,
	    .element = &value_text,
	    .offset = offsetof(struct account, exclude_folders),
	    .max = 1000,
	    .fallback = "[]",
	    .example = "[Trash, Junk]",
	    .help = "IMAP: folders to leave alone although folders names "
		    "them." },
	{ .name = "mailbox",
	    .type = &value_word,
	    .words = mailbox_words,
	    .offset = offsetof(struct account, mailbox),
	    .fallback = "catch_all",
	    .help = "catch_all: mail for many people, told apart by "
		    "recipients. single: all mail is for deliver_to." },
	{ .name = "deliver_to",
	    .type = &value_address,
	    .offset = offsetof(struct account, deliver_to),
	    .flags = ROW_OWN | ROW_ACCEPTED | ROW_AS_IS,
	    .example = "anna@example.org",
	    .help = "Who gets the mail of a single mailbox." },
	{ .name = "addresses",
	    .type = &value_list,
	    .element = &value_address,
	    .offset = offsetof(struct account, addresses),
	    .second = offsetof(struct account, n_addresses),
	    .max = 100,
	    .flags = ROW_OWN,
	    .derived = "user, if it is an address outside the accepted domains",
	    .example = "[box17@isp.example]",
	    .help = "The mailbox's own addresses at the provider. They are "
		    "nobody's: a message that names only them is looked at "
		    "further." },
	{ .name = "fallback",
	    .type = &value_address,
	    .offset = offsetof(struct account, fallback),
	    .flags = ROW_ACCEPTED | ROW_AS_IS,
	    .derived = "postmaster",
	    .example = "office@example.org",
	    .help = "Gets mail whose recipient cannot be found." },
	{ .name = "unknown_recipients",
	    .type = &value_optional_address,
	    .offset = offsetof(struct account, unknown_recipients),
	    .flags = ROW_ACCEPTED | ROW_AS_IS,
	    .derived = "fallback",
	    .example = "office@example.org",
	    .help = "Gets mail for an address that the directory does not know "
		    "and that no catch_all takes." },
	{ .name = "sender",
	    .type = &value_word,
	    .words = sender_words,
	    .offset = offsetof(struct account, sender),
	    .fallback = "original",
	    .help = "The envelope sender: original as the provider recorded "
		    "it, postmaster, or null. Bounces and other notices, which "
		    "come with the null sender, keep it." },
	{ .name = "recipients",
	    .type = &value_mapping,
	    .table = &schema_recipients,
	    .offset = offsetof(struct account, recipients),
	    .help = "How the recipients of a catch-all mailbox are found." },
	{ .name = "rules",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &schema_rule,
	    .offset = offsetof(struct account, rules),
	    .second = offsetof(struct account, n_rules),
	    .max = SCHEMA_RULES_MAX,
	    .flags = ROW_OWN,
	    .example = "[{if: {recipient: sales@example.org}, then: {add: "
		       "[anna@example.org]}}]",
	    .help = "Rules for mail of this account; they come before those "
		    "for all." },
	{ .name = "dedupe",
	    .type = &value_mapping,
	    .table = &schema_dedupe,
	    .offset = offsetof(struct account, dedupe),
	    .example = "{group: staff, window: 14d}",
	    .help = "What is done with copies. A provider that stores one "
		    "copy for each recipient, and does not say whose it is, "
		    "would have each of them delivered to everybody in To and "
		    "Cc. Of such messages (source headers) one is delivered; "
		    "the others, with the same Message-ID, Date, From, "
		    "recipients and body, are only disposed of. Where the "
		    "provider says whose a copy is, all are delivered." },
	{ .name = "keep",
	    .type = &value_keep,
	    .words = schema_keep_words,
	    .offset = offsetof(struct account, keep),
	    .second = offsetof(struct account, keep_ms),
	    .fallback = "none",
	    .min = 1 * SECONDS,
	    .max = 3650 * DAYS,
	    .help = "How long mail stays at the provider after Postfix took "
		    "it: none, forever, or a time. A POP3 server that has no "
		    "UIDL cannot tell old mail from new: only none, and what "
		    "a session that broke off did not delete is known by its "
		    "content." },
	{ .name = "dispose",
	    .type = &value_mapping,
	    .table = &dispose_table,
	    .offset = offsetof(struct account, dispose),
	    .example = "delete",
	    .help = "What happens at the provider then." },
	{ .name = "full_expunge",
	    .type = &value_boolean,
	    .offset = offsetof(struct account, full_expunge),
	    .fallback = "false",
	    .help = "IMAP servers without UIDPLUS can only remove all messages "
		    "of a folder that anybody marked as deleted. false: ours "
		    "are marked and stay until somebody does that. true: it "
		    "is done." },
	{ .name = "idle",
	    .type = &value_boolean,
	    .offset = offsetof(struct account, idle),
	    .fallback = "true",
	    .help = "IMAP: stay connected, and collect new mail at the moment "
		    "when the server tells of it, where it can (IDLE)." },
	{ .name = "idle_renew",
	    .type = &value_duration,
	    .offset = offsetof(struct account, idle_renew_ms),
	    .fallback = "9m",
	    .min = 1 * SECONDS,
	    .max = 29 * MINUTES,
	    .help = "How often that is renewed, and the folder looked at even "
		    "though nothing was told. Routers forget silent "
		    "connections." },
	{ .name = "every",
	    .type = &value_interval,
	    .words = on_demand,
	    .offset = offsetof(struct account, every_ms),
	    .fallback = "1m",
	    .min = 1 * SECONDS,
	    .max = 7 * DAYS,
	    .help = "How often the mailbox is looked at; on_demand: only when "
		    "mailhaul fetch, SIGUSR1 or --once asks for it." },
	{ .name = "timeout",
	    .type = &value_duration,
	    .offset = offsetof(struct account, timeout_ms),
	    .fallback = "60s",
	    .min = 1 * SECONDS,
	    .max = 1 * HOURS,
	    .help = "How long the server may be silent." },
	{ .name = "max_messages_per_pass",
	    .type = &value_number,
	    .offset = offsetof(struct account, max_messages_per_pass),
	    .fallback = "200",
	    .min = 1,
	    .max = 100000,
	    .help = "After so many messages the other accounts get their turn "
		    "before this one goes on." },
	{ .name = "max_bytes_per_pass",
	    .type = &value_size,
	    .offset = offsetof(struct account, max_bytes_per_pass),
	    .fallback = "0",
	    .max = 1024 * GIB,
	    .help = "The same for their size; 0: no limit." },
	{ .name = "max_message_size",
	    .type = &value_size,
	    .offset = offsetof(struct account, max_message_size),
	    .fallback = "0",
	    .max = 1024 * GIB,
	    .help = "Larger messages stay at the provider and are reported "
		    "once, and are fetched when it is raised; 0: Postfix's "
		    "message_size_limit alone counts." },
	{ .name = "order",
	    .type = &value_word,
	    .words = orders,
	    .offset = offsetof(struct account, order),
	    .fallback = "oldest",
	    .help = "Which messages of a mailbox come first: as the server "
		    "lists them, the other way round, or by their size." },
	{ .name = NULL },
};
const struct schema_table schema_account = {
	.rows = account_rows,
	.size = sizeof(struct account),
};
const struct schema_table schema_account_defaults = {
	.rows = account_rows,
	.size = sizeof(struct account),
	.without = ROW_OWN,
};
