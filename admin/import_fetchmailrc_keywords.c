/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keywords of a .fetchmailrc, and what becomes of each.
 */
#include "admin/import_fetchmailrc_options.h"

#include <stddef.h>

#define TAKES(spelt, spelt_longer, takes, of, function)                        \
	{                                                                      \
		.name = (spelt), .longer = (spelt_longer),                     \
		.argument = (takes), .scope = (of), .apply = (function)        \
	}
#define TAKES_NO(spelt, spelt_longer, takes, of, function)                     \
	{                                                                      \
		.name = (spelt), .longer = (spelt_longer),                     \
		.argument = (takes), .scope = (of), .negatable = true,         \
		.apply = (function)                                            \
	}
#define FIELD(spelt, of, member)                                               \
	{                                                                      \
		.name = (spelt), .argument = RC_STRING, .scope = (of),         \
		.apply = rc_apply_field,                                       \
		.field = offsetof(struct import_account, member)               \
	}
#define PATH(spelt, of, member)                                                \
	{                                                                      \
		.name = (spelt), .argument = RC_STRING, .scope = (of),         \
		.apply = rc_apply_field, .is_path = true,                      \
		.field = offsetof(struct import_account, member)               \
	}
#define SAYS(spelt, spelt_longer, takes, of, told, why)                        \
	{                                                                      \
		.name = (spelt), .longer = (spelt_longer),                     \
		.argument = (takes), .scope = (of), .verdict = (told),         \
		.text = (why)                                                  \
	}
#define SAYS_NO(spelt, spelt_longer, of, told, why, why_not)                   \
	{                                                                      \
		.name = (spelt), .longer = (spelt_longer), .scope = (of),      \
		.negatable = true, .verdict = (told), .text = (why),           \
		.no_text = (why_not)                                           \
	}
#define BYTES "mail is handed on byte for byte"
#define POSTFIX "mail goes to Postfix, which decides what comes then"
#define HOOK "no commands of others are run; see Postfix and systemd"

const struct rc_keyword rc_keywords[] = {
	/* set */
	SAYS("logfile", NULL, RC_STRING, RC_GLOBAL, IMPORT_CHANGED,
	    "the log goes to syslog and the journal"),
	SAYS("idfile", NULL, RC_STRING, RC_GLOBAL, IMPORT_CHANGED,
	    "name it with --state, and its UIDs are taken over"),
	SAYS("pidfile", NULL, RC_STRING, RC_GLOBAL, IMPORT_CHANGED,
	    "the service manager knows the process"),
	TAKES("daemon", NULL, RC_STRING, RC_GLOBAL, rc_apply_daemon),
	TAKES("postmaster", NULL, RC_STRING, RC_GLOBAL, rc_apply_postmaster),
	SAYS_NO("bouncemail", NULL, RC_GLOBAL, IMPORT_DROPPED,
	    "nothing is ever bounced to senders; see fallback and postmaster",
	    "nothing is ever bounced to senders"),
	SAYS_NO("spambounce", NULL, RC_GLOBAL, IMPORT_DROPPED,
	    "nothing is ever bounced to senders",
	    "nothing is ever bounced to senders"),
	SAYS_NO("softbounce", NULL, RC_GLOBAL, IMPORT_TAKEN,
	    "what Postfix refuses stays at the provider",
	    "what Postfix refuses stays at the provider all the same"),
	SAYS_NO("syslog", NULL, RC_GLOBAL, IMPORT_TAKEN,
	    "the log goes to syslog and the journal",
	    "the log goes to syslog and the journal all the same"),
	SAYS_NO("invisible", NULL, RC_GLOBAL, IMPORT_TAKEN,
	    "we write no Received field", "we write no Received field"),
	SAYS_NO("showdots", NULL, RC_GLOBAL, IMPORT_CHANGED,
	    "mailhaul status shows progress", "there are none"),
	/* server */
	TAKES("via", NULL, RC_STRING, RC_SERVER, rc_apply_via),
	TAKES("aka", NULL, RC_STRINGS, RC_SERVER, rc_apply_aka),
	TAKES("local", "localdomains", RC_STRINGS, RC_SERVER,
	    rc_apply_local_domains),
	TAKES("proto", "protocol", RC_LITERAL, RC_SERVER, rc_apply_protocol),
	TAKES("service", NULL, RC_LITERAL, RC_SERVER, rc_apply_port),
	TAKES("port", NULL, RC_LITERAL, RC_SERVER, rc_apply_port),
	TAKES("interval", NULL, RC_STRING, RC_SERVER, rc_apply_interval),
	TAKES("auth", "authenticate", RC_LITERAL, RC_SERVER, rc_apply_auth),
	TAKES(
	    "preauth", "preauthenticate", RC_LITERAL, RC_SERVER, rc_apply_auth),
	TAKES("timeout", NULL, RC_STRING, RC_SERVER, rc_apply_timeout),
	TAKES_NO("envelope", NULL, RC_ENVELOPE, RC_SERVER, rc_apply_envelope),
	FIELD("qvirtual", RC_SERVER, strip_prefix),
	TAKES("plugin", NULL, RC_STRING, RC_SERVER, rc_apply_plugin),
	SAYS("plugout", NULL, RC_STRING, RC_SERVER, IMPORT_DROPPED, POSTFIX),
	SAYS("interface", NULL, RC_STRING, RC_SERVER, IMPORT_DROPPED,
	    "no interface is waited for"),
	SAYS("monitor", NULL, RC_STRING, RC_SERVER, IMPORT_DROPPED,
	    "no interface is watched"),
	SAYS("principal", NULL, RC_STRING, RC_SERVER, IMPORT_DROPPED,
	    "there is no Kerberos"),
	SAYS("esmtpname", NULL, RC_STRING, RC_SERVER, IMPORT_DROPPED, POSTFIX),
	SAYS("esmtppassword", NULL, RC_LITERAL, RC_SERVER, IMPORT_DROPPED,
	    POSTFIX),
	SAYS("bad-header", NULL, RC_STRING, RC_SERVER, IMPORT_CHANGED,
	    "whatever its header, mail is handed on"),
	SAYS_NO("dns", NULL, RC_SERVER, IMPORT_CHANGED,
	    "DNS does not tell whose mail it is; accepted_domains does",
	    "DNS does not tell whose mail it is"),
	SAYS_NO("checkalias", NULL, RC_SERVER, IMPORT_DROPPED,
	    "DNS does not tell whose mail it is; accepted_domains does",
	    "DNS does not tell whose mail it is"),
	SAYS_NO("uidl", NULL, RC_SERVER, IMPORT_TAKEN,
	    "UIDs are always remembered", "UIDs are always remembered"),
	SAYS_NO("tracepolls", NULL, RC_SERVER, IMPORT_CHANGED,
	    "a field X-Mailhaul names the account in each mail",
	    "a field X-Mailhaul names the account in each mail"),
	/* user */
	TAKES("is", NULL, RC_NAMES, RC_USER, rc_apply_names),
	TAKES("to", NULL, RC_NAMES, RC_USER, rc_apply_names),
	TAKES("pass", "password", RC_LITERAL, RC_USER, rc_apply_password),
	TAKES("folder", "folders", RC_STRINGS, RC_USER, rc_apply_folder),
	TAKES_NO("keep", NULL, RC_NOTHING, RC_USER, rc_apply_keep),
	TAKES_NO("ssl", NULL, RC_NOTHING, RC_USER, rc_apply_ssl),
	TAKES("sslproto", NULL, RC_STRING, RC_USER, rc_apply_sslproto),
	TAKES_NO("sslcertck", NULL, RC_NOTHING, RC_USER, rc_apply_sslcertck),
	PATH("sslcertfile", RC_USER, ca_file),
	FIELD("sslcommonname", RC_USER, server_name),
	PATH("sslcert", RC_USER, client_certificate),
	PATH("sslkey", RC_USER, client_key),
	SAYS("sslcertpath", NULL, RC_STRING, RC_USER, IMPORT_DROPPED,
	    "certificate authorities are the system's, or one file: "
	    "tls: {ca_file}"),
	SAYS("sslfingerprint", NULL, RC_STRING, RC_USER, IMPORT_DROPPED,
	    "MD5 proves nothing; pin the certificate anew with "
	    "tls: {fingerprint_sha256}"),
	TAKES("limit", NULL, RC_STRING, RC_USER, rc_apply_limit),
	SAYS("warnings", NULL, RC_STRING, RC_USER, IMPORT_CHANGED,
	    "what is too large is logged once, and mailhaul parked lists it"),
	TAKES("fetchlimit", NULL, RC_STRING, RC_USER, rc_apply_fetchlimit),
	TAKES_NO("idle", NULL, RC_NOTHING, RC_USER, rc_apply_idle),
	TAKES("smtpaddress", NULL, RC_STRING, RC_USER, rc_apply_smtpaddress),
	TAKES("smtpname", NULL, RC_STRING, RC_USER, rc_apply_smtpname),
	SAYS_NO("fetchall", NULL, RC_USER, IMPORT_CHANGED,
	    "all that is not remembered as collected is collected, read "
	    "or not, and nothing twice",
	    "what is not remembered as collected is collected, read or not"),
	SAYS_NO("flush", NULL, RC_USER, IMPORT_REFUSED,
	    "it deletes mail that was never collected; nothing else than "
	    "what was handed over is deleted",
	    "nothing else than what was handed over is deleted"),
	SAYS_NO("limitflush", NULL, RC_USER, IMPORT_REFUSED,
	    "it deletes mail that was never collected; what is too large "
	    "stays at the provider",
	    "what is too large stays at the provider"),
	SAYS_NO("dropdelivered", NULL, RC_USER, IMPORT_CHANGED,
	    "Delivered-To becomes X-Mailhaul-Delivered-To",
	    "Delivered-To becomes X-Mailhaul-Delivered-To"),
	SAYS_NO("dropstatus", NULL, RC_USER, IMPORT_DROPPED, BYTES, BYTES),
	SAYS_NO("rewrite", NULL, RC_USER, IMPORT_DROPPED, BYTES, BYTES),
	SAYS_NO("forcecr", NULL, RC_USER, IMPORT_DROPPED,
	    "line ends are Postfix's matter", BYTES),
	SAYS_NO("stripcr", NULL, RC_USER, IMPORT_DROPPED,
	    "line ends are Postfix's matter", BYTES),
	SAYS_NO("pass8", "pass8bits", RC_USER, IMPORT_TAKEN, BYTES, BYTES),
	SAYS_NO("mimedec", "mimedecode", RC_USER, IMPORT_DROPPED, BYTES, BYTES),
	SAYS("mda", NULL, RC_STRING, RC_USER, IMPORT_DROPPED,
	    POSTFIX ": for procmail and the like see its mailbox_command"),
	SAYS("smtp", "smtphost", RC_STRINGS, RC_USER, IMPORT_CHANGED, POSTFIX),
	SAYS_NO("lmtp", NULL, RC_USER, IMPORT_DROPPED, POSTFIX, POSTFIX),
	SAYS("bsmtp", NULL, RC_STRING, RC_USER, IMPORT_DROPPED, POSTFIX),
	SAYS("antispam", NULL, RC_STRINGS, RC_USER, IMPORT_DROPPED,
	    "what Postfix refuses is parked, never thrown away"),
	SAYS("pre", "preconnect", RC_STRING, RC_USER, IMPORT_DROPPED, HOOK),
	SAYS("post", "postconnect", RC_STRING, RC_USER, IMPORT_DROPPED, HOOK),
	SAYS("fetchdomains", NULL, RC_STRINGS, RC_USER, IMPORT_REFUSED,
	    "ODMR is not spoken"),
	SAYS("fetchsizelimit", NULL, RC_STRING, RC_USER, IMPORT_CHANGED,
	    "sizes come with the listing"),
	SAYS("fastuidl", NULL, RC_STRING, RC_USER, IMPORT_CHANGED,
	    "the whole listing is compared, each time"),
	SAYS("batchlimit", NULL, RC_STRING, RC_USER, IMPORT_CHANGED,
	    "see inject: {parallel}"),
	SAYS("expunge", NULL, RC_STRING, RC_USER, IMPORT_CHANGED,
	    "deletions are repeated until the provider confirmed them"),
	SAYS("properties", NULL, RC_STRING, RC_GLOBAL, IMPORT_CHANGED,
	    "it means nothing to fetchmail either"),
	{ .name = NULL },
};
