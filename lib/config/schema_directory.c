/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of the schema that says who exists, and where secrets are.
 */
#include "config/schema.h"

#include "config/values.h"

#include <stddef.h>

#define SECRET_TEXT                                                            \
	"write the password into a file of its own and name it: "              \
	"password: {file: /etc/mailhaul/NAME.password}"

static const struct schema_row secret_rows[] = {
	{ .name = "file",
	    .type = &value_path,
	    .offset = offsetof(struct secret_source, name),
	    .choice = SECRET_FILE,
	    .flags = ROW_SECRET_FILE,
	    .help = "A file that holds nothing but the secret. Others than its "
		    "owner and group must not be able to read it." },
	{ .name = "credential",
	    .type = &value_name,
	    .offset = offsetof(struct secret_source, name),
	    .max = 64,
	    .choice = SECRET_CREDENTIAL,
	    .help = "The name of a systemd credential (LoadCredential=)." },
	{ .name = "command",
	    .type = &value_list,
	    .element = &value_text,
	    .offset = offsetof(struct secret_source, argv),
	    .min = 1,
	    .max = 64,
	    .choice = SECRET_COMMAND,
	    .flags = ROW_COMMAND,
	    .help = "A program with its arguments that prints the secret "
		    "within 10 seconds. It is run without a shell; its path "
		    "is absolute." },
	{ .name = NULL },
};
const struct schema_table schema_secret = {
	.rows = secret_rows,
	.size = sizeof(struct secret_source),
	.one_of = true,
	.choice = offsetof(struct secret_source, kind),
	.scalar_text = SECRET_TEXT,
	.section = "Passwords",
};

static const struct schema_word presets[] = {
	{ .word = "openldap",
	    .text = "(|(mail={address})(mailAlternateAddress={address}))" },
	/* userAccountControl without ACCOUNTDISABLE; or, with Exchange, one of
	 * the mailboxes whose accounts are always disabled: linked (2), shared
	 * (4), of a room (16) or of equipment (32), and the last three in the
	 * cloud.  Without Exchange the attribute is unknown, which makes these
	 * clauses neither true nor an error. */
	{ .word = "active_directory",
	    .text = "(&(|(mail={address})(proxyAddresses=smtp:{address}))"
		    "(|(!(userAccountControl:1.2.840.113556.1.4.803:=2))"
		    "(msExchRecipientTypeDetails=2)"
		    "(msExchRecipientTypeDetails=4)"
		    "(msExchRecipientTypeDetails=16)"
		    "(msExchRecipientTypeDetails=32)"
		    "(msExchRecipientTypeDetails=8589934592)"
		    "(msExchRecipientTypeDetails=17179869184)"
		    "(msExchRecipientTypeDetails=34359738368)))" },
	/* `ipa user-disable` sets nsAccountLock, which whoever may read mail may
	 * read, too ("System: Read User Kerberos Attributes"); but only of
	 * people: asked about a group, 389-ds would find none of them. */
	{ .word = "freeipa",
	    .text = "(&(|(mail={address})(mailAlternateAddress={address}))"
		    "(|(!(objectClass=posixAccount))"
		    "(!(nsAccountLock=TRUE))))" },
	{ .word = NULL },
};
/* The value says whether something must follow the scheme. */
static const struct schema_word schemes[] = {
	{ .word = "ldap://", .value = 1 },
	{ .word = "ldaps://", .value = 1 },
	{ .word = "ldapi://", .value = 0 },
	{ .word = NULL },
};
/* The value says whether the placeholder tells people apart. */
static const struct schema_word placeholders[] = {
	{ .word = "address", .value = 1 },
	{ .word = "local", .value = 1 },
	{ .word = "domain", .value = 0 },
	{ .word = NULL },
};
static const struct schema_word start_tls_words[] = {
	{ .word = "required", .value = 1 },
	{ .word = "never", .value = 0 },
	{ .word = NULL },
};

#define CANARY_ROW(source)                                                     \
	{                                                                      \
		.name = "canary", .type = &value_optional_address,             \
		.offset = offsetof(source, canary),                            \
		.example = "anna@example.org",                                 \
		.help = "An address that must exist. It is looked for once a " \
			"minute; while it is not found, nobody counts as "     \
			"absent and mail waits: a wrong base, or rights that " \
			"were withdrawn, never looks like an empty company.",  \
	}

static const struct schema_row ldap_rows[] = {
	{ .name = "uri",
	    .type = &value_list,
	    .element = &value_uri,
	    .words = schemes,
	    .offset = offsetof(struct ldap_source, uris),
	    .min = 1,
	    .max = 16,
	    .flags = ROW_REQUIRED,
	    .example = "[ldaps://dc1.example.org, ldaps://dc2.example.org]",
	    .help = "The servers, tried in this order: ldaps://HOST, "
		    "ldap://HOST or ldapi:// with the percent-encoded path of "
		    "a socket." },
	/* Before filter, which replaces what the preset set. */
	{ .name = "schema",
	    .type = &value_preset,
	    .words = presets,
	    .offset = offsetof(struct ldap_source, filter),
	    .fallback = "openldap",
	    .help = "What kind of server it is; decides the usual filter. All "
		    "of them find people and groups by any of their addresses; "
		    "active_directory and freeipa leave out accounts that are "
		    "disabled, but not Exchange's shared mailboxes and rooms. "
		    "With freeipa the base usually begins with cn=accounts." },
	{ .name = "base",
	    .type = &value_text,
	    .offset = offsetof(struct ldap_source, base),
	    .flags = ROW_REQUIRED,
	    .example = "dc=example,dc=org",
	    .help = "Where the search begins; everything below is searched." },
	{ .name = "filter",
	    .type = &value_filter,
	    .words = placeholders,
	    .offset = offsetof(struct ldap_source, filter),
	    .derived = "as schema says",
	    .example = "\"(mail={address})\"",
	    .help = "Finds the entry of an address. {address}, {local} and "
		    "{domain} stand for the address looked up and its parts, "
		    "escaped." },
	{ .name = "rewrite_to",
	    .type = &value_attribute,
	    .offset = offsetof(struct ldap_source, rewrite_to),
	    .derived = "none: mail goes to the address that was found",
	    .example = "mail",
	    .help = "An attribute with somebody's main address, which gets the "
		    "mail for all others: mail for example. Of proxyAddresses "
		    "it is the one with SMTP: in capitals. An extension "
		    "(anna+lists) is kept. An address stays as it is when the "
		    "attribute has no value or several, or one outside the "
		    "accepted_domains. Mail that came by SMTP is rewritten "
		    "with milter.smtp: catch_all." },
	{ .name = "bind_dn",
	    .type = &value_text,
	    .offset = offsetof(struct ldap_source, bind_dn),
	    .derived = "anonymous; on ldapi:// EXTERNAL",
	    .example = "cn=mailhaul,cn=users,dc=example,dc=org",
	    .help = "Who logs in to the server." },
	{ .name = "password",
	    .type = &value_mapping,
	    .table = &schema_secret,
	    .offset = offsetof(struct ldap_source, password),
	    .private = true,
	    .example = "{file: ldap.password}",
	    .help = "Where the password for bind_dn is; never the password "
		    "itself." },
	{ .name = "ca_file",
	    .type = &value_path,
	    .offset = offsetof(struct ldap_source, ca_file),
	    .derived = "the system's certificate authorities",
	    .flags = ROW_MUST_EXIST,
	    .example = "corp-ca.pem",
	    .help = "Certificate authorities (PEM) that may vouch for the "
		    "servers." },
	{ .name = "start_tls",
	    .type = &value_switch,
	    .words = start_tls_words,
	    .offset = offsetof(struct ldap_source, start_tls),
	    .fallback = "never",
	    .help = "Whether ldap:// is encrypted by StartTLS before anything "
		    "is asked." },
	{ .name = "timeout",
	    .type = &value_duration,
	    .offset = offsetof(struct ldap_source, timeout_ms),
	    .fallback = "5s",
	    .min = 100 * MS,
	    .max = 5 * MINUTES,
	    .help = "How long a search may take, all servers together. While "
		    "another one is left, a server gets its share of it, and "
		    "one that failed is left out for 10 seconds." },
	CANARY_ROW(struct ldap_source),
	{ .name = NULL },
};
static const struct schema_table ldap_table = {
	.rows = ldap_rows,
	.size = sizeof(struct ldap_source),
};

static const struct schema_row smtp_rows[] = {
	{ .name = "host",
	    .type = &value_host,
	    .offset = offsetof(struct smtp_source, host),
	    .flags = ROW_REQUIRED,
	    .example = "exchange.example.org",
	    .help = "The server. It must take mail for the accepted_domains "
		    "from this host without a login, and must not take it for "
		    "everybody there, which is tried with an address that "
		    "nobody has." },
	{ .name = "port",
	    .type = &value_port,
	    .offset = offsetof(struct smtp_source, port),
	    .fallback = "25",
	    .min = 1,
	    .max = 65535,
	    .help = "Its port. The dialogue is in clear text; nothing secret "
		    "is in it." },
	{ .name = "timeout",
	    .type = &value_duration,
	    .offset = offsetof(struct smtp_source, timeout_ms),
	    .fallback = "5s",
	    .min = 100 * MS,
	    .max = 5 * MINUTES,
	    .help = "How long it may take to answer for one address." },
	CANARY_ROW(struct smtp_source),
	{ .name = NULL },
};
static const struct schema_table smtp_table = {
	.rows = smtp_rows,
	.size = sizeof(struct smtp_source),
};

static const struct schema_word table_keys[] = {
	{ .word = "address", .value = TABLE_KEY_ADDRESS },
	{ .word = "local", .value = TABLE_KEY_LOCAL },
	{ .word = NULL },
};

static const struct schema_row postfix_rows[] = {
	{ .name = "table",
	    .type = &value_table,
	    .offset = offsetof(struct postfix_source, table),
	    .flags = ROW_REQUIRED,
	    .example = "hash:/etc/postfix/virtual",
	    .help = "The table, as main.cf names it but without proxy:. The "
		    "user mailhaul-milter must be able to read it." },
	{ .name = "key",
	    .type = &value_word,
	    .words = table_keys,
	    .offset = offsetof(struct postfix_source, key),
	    .fallback = "address",
	    .help =
		"What stands on the left in the table: whole addresses as "
		"in virtual(5), or the part before the @ as in aliases(5) "
		"and unix:passwd.byname. Any value on the right will do; "
		"lines for a whole domain (@example.org) say nothing of "
		"an address and are not looked for. With unix:passwd.byname "
		"the users of the system itself exist, too: mail to "
		"nobody@ or root@ goes to them." },
	{ .name = "postmap",
	    .type = &value_path,
	    .offset = offsetof(struct postfix_source, postmap),
	    .fallback = "/usr/sbin/postmap",
	    .help = "Postfix's postmap(1)." },
	{ .name = "timeout",
	    .type = &value_duration,
	    .offset = offsetof(struct postfix_source, timeout_ms),
	    .fallback = "5s",
	    .min = 100 * MS,
	    .max = 5 * MINUTES,
	    .help = "How long it may take to answer for 50 addresses." },
	CANARY_ROW(struct postfix_source),
	{ .name = NULL },
};
static const struct schema_table postfix_table = {
	.rows = postfix_rows,
	.size = sizeof(struct postfix_source),
};

static const struct schema_row directory_rows[] = {
	{ .name = "file",
	    .type = &value_path,
	    .offset = offsetof(struct directory_source, file),
	    .choice = DIRECTORY_FILE,
	    .flags = ROW_SHOULD_EXIST,
	    .example = "users.txt",
	    .help = "A list of addresses, one a line, # begins a comment. Read "
		    "again whenever it changes. While it is missing or empty, "
		    "nobody is absent and mail waits." },
	{ .name = "ldap",
	    .type = &value_mapping,
	    .table = &ldap_table,
	    .offset = offsetof(struct directory_source, ldap),
	    .choice = DIRECTORY_LDAP,
	    .help = "An LDAP server: OpenLDAP, Active Directory, FreeIPA." },
	{ .name = "smtp",
	    .type = &value_mapping,
	    .table = &smtp_table,
	    .offset = offsetof(struct directory_source, smtp),
	    .choice = DIRECTORY_SMTP,
	    .help = "An SMTP server that turns unknown recipients down, such "
		    "as Exchange with its recipient filter: it is asked by "
		    "RCPT, and never gets a mail from this. 250 and 251 mean "
		    "that the address exists, 550, 551 and 553 with a status "
		    "5.1.x that it does not, anything else that mail waits." },
	{ .name = "postfix",
	    .type = &value_mapping,
	    .table = &postfix_table,
	    .offset = offsetof(struct directory_source, postfix),
	    .choice = DIRECTORY_POSTFIX,
	    .help = "A table of Postfix on this host, asked by \"postmap -q\". "
		    "Whoever is in it exists; while the table cannot be read, "
		    "or a line of it not, nobody is absent and mail waits." },
	{ .name = "domains",
	    .type = &value_list,
	    .element = &value_domain_pattern,
	    .offset = offsetof(struct directory_source, domains),
	    .min = 1,
	    .flags = ROW_BESIDE,
	    .derived = "all",
	    .example = "[example.org]",
	    .help = "The accepted domains whose addresses this source is asked "
		    "for, spelled as there; map_to comes before. When no "
		    "source is for a domain, all its addresses are taken to "
		    "exist, as without any directory; \"mailhaul check\" "
		    "warns." },
	{ .name = NULL },
};
const struct schema_table schema_directory = {
	.rows = directory_rows,
	.size = sizeof(struct directory_source),
	.one_of = true,
	.choice = offsetof(struct directory_source, kind),
};

static const struct schema_row cache_rows[] = {
	{ .name = "found",
	    .type = &value_duration,
	    .offset = offsetof(struct config, cache.found_ms),
	    .fallback = "5m",
	    .max = DAYS,
	    .help = "How long it is remembered that an address exists." },
	{ .name = "absent",
	    .type = &value_duration,
	    .offset = offsetof(struct config, cache.absent_ms),
	    .fallback = "30s",
	    .max = HOURS,
	    .help = "How long it is remembered that an address does not." },
	{ .name = "stale",
	    .type = &value_duration,
	    .offset = offsetof(struct config, cache.stale_ms),
	    .fallback = "1h",
	    .max = 7 * DAYS,
	    .help = "While the directory cannot be asked, how old the answer "
		    "that an address exists may be." },
	{ .name = NULL },
};
/* Its offsets count from the whole configuration. */
const struct schema_table schema_cache = { .rows = cache_rows };
