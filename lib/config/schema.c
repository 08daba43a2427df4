/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

#include "config/values.h"

#include <stddef.h>

static const struct schema_row domain_rows[] = {
	{ .name = "domain",
	    .type = &value_domain_pattern,
	    .offset = offsetof(struct accepted_domain, name),
	    .flags = ROW_REQUIRED,
	    .example = "example.org",
	    .help = "The domain. With a leading dot: every name below it, but "
		    "not itself." },
	{ .name = "catch_all",
	    .type = &value_optional_address,
	    .offset = offsetof(struct accepted_domain, catch_all),
	    .flags = ROW_ACCEPTED | ROW_AS_IS,
	    .example = "office@example.org",
	    .help = "Gets what is for an address of this domain that the "
		    "directory does not know." },
	{ .name = "map_to",
	    .type = &value_domain,
	    .offset = offsetof(struct accepted_domain, map_to),
	    .flags = ROW_ACCEPTED,
	    .example = "example.org",
	    .help = "Addresses of this domain are taken as the same local part "
		    "in that one, which must be an accepted domain too." },
	{ .name = NULL },
};
static const struct schema_table domain_table = {
	.rows = domain_rows,
	.size = sizeof(struct accepted_domain),
	.bare = "domain",
};

static const struct schema_word inject_methods[] = {
	{ .word = "sendmail", .value = METHOD_SENDMAIL },
	{ .word = "smtp", .value = METHOD_SMTP },
	{ .word = NULL },
};
static const struct schema_row smtp_target_rows[] = {
	{ .name = "socket",
	    .type = &value_path,
	    .offset = offsetof(struct smtp_target, socket),
	    .example = "/var/spool/postfix/public/mailhaul",
	    .help = "The unix socket of a listener of Postfix's own for "
		    "collected mail. It takes the place of host and port." },
	{ .name = "host",
	    .type = &value_host,
	    .offset = offsetof(struct smtp_target, host),
	    .example = "127.0.0.1",
	    .help = "The machine whose MTA takes the mail. There is neither "
		    "TLS nor a login: it should be this one." },
	{ .name = "port",
	    .type = &value_port,
	    .offset = offsetof(struct smtp_target, port),
	    .min = 1,
	    .max = 65535,
	    .fallback = "25",
	    .help = "The port on host." },
	{ .name = "helo",
	    .type = &value_host,
	    .offset = offsetof(struct smtp_target, helo),
	    .fallback = "localhost",
	    .help = "What we call ourselves." },
	{ .name = "xclient",
	    .type = &value_boolean,
	    .offset = offsetof(struct smtp_target, xclient),
	    .fallback = "true",
	    .help = "Where the MTA offers XCLIENT, tell it from which client "
		    "the provider took the message, as recipients."
		    "trusted_hosts finds it, so that spam filters judge the "
		    "true origin; without that line, that it is unknown." },
	{ .name = NULL },
};
static const struct schema_table smtp_target_table = {
	.rows = smtp_target_rows,
	.size = sizeof(struct smtp_target),
};
static const struct schema_row inject_rows[] = {
	{ .name = "method",
	    .type = &value_word,
	    .words = inject_methods,
	    .offset = offsetof(struct inject_settings, method),
	    .fallback = "sendmail",
	    .help = "How mail is handed to Postfix: by its sendmail(1), which "
		    "needs nothing but main.cf, or by SMTP, which is several "
		    "times faster, gives Postfix's verdict on each message "
		    "at once, and shows spam filters where it came from." },
	{ .name = "smtp",
	    .type = &value_mapping,
	    .table = &smtp_target_table,
	    .offset = offsetof(struct inject_settings, smtp),
	    .help = "Where method: smtp finds the MTA." },
	{ .name = "sendmail",
	    .type = &value_path,
	    .offset = offsetof(struct inject_settings, sendmail),
	    .fallback = "/usr/sbin/sendmail",
	    .help = "Postfix's sendmail(1)." },
	{ .name = "postconf",
	    .type = &value_path,
	    .offset = offsetof(struct inject_settings, postconf),
	    .fallback = "/usr/sbin/postconf",
	    .help =
		"Postfix's postconf(1), asked for its limits and milters." },
	{ .name = "parallel",
	    .type = &value_number,
	    .offset = offsetof(struct inject_settings, parallel),
	    .fallback = "4",
	    .min = 1,
	    .max = 64,
	    .help = "How many messages are handed over at the same time." },
	{ .name = "timeout",
	    .type = &value_duration,
	    .offset = offsetof(struct inject_settings, timeout_ms),
	    .fallback = "10m",
	    .min = 1 * SECONDS,
	    .max = 1 * DAYS,
	    .help = "How long handing over one message may take." },
	{ .name = "retry",
	    .type = &value_duration,
	    .offset = offsetof(struct inject_settings, retry_ms),
	    .fallback = "1m",
	    .min = 100 * MS,
	    .max = 1 * HOURS,
	    .help = "The pause before a message that Postfix refused is tried "
		    "again. It doubles each time up to 1h." },
	{ .name = "max_tries",
	    .type = &value_number,
	    .offset = offsetof(struct inject_settings, max_tries),
	    .fallback = "10",
	    .min = 1,
	    .max = 1000,
	    .help = "After so many tries the message is parked: it stays at "
		    "the provider and is reported." },
	{ .name = "require_milter",
	    .type = &value_boolean,
	    .offset = offsetof(struct inject_settings, require_milter),
	    .fallback = "true",
	    .help = "Fetch nothing while Postfix's non_smtpd_milters (with "
		    "method: smtp the listener's smtpd_milters) does not "
		    "name our milter, and ask the milter before each message. "
		    "false is for a milter on another machine." },
	{ .name = NULL },
};
static const struct schema_table inject_table = { .rows = inject_rows };

static const struct schema_word milter_smtp_words[] = {
	{ .word = "off", .value = MILTER_SMTP_OFF },
	{ .word = "reject", .value = MILTER_SMTP_REJECT },
	{ .word = "catch_all", .value = MILTER_SMTP_CATCH_ALL },
	{ .word = NULL },
};
static const struct schema_row milter_rows[] = {
	{ .name = "socket",
	    .type = &value_socket,
	    .offset = offsetof(struct config, milter.socket),
	    .fallback = "unix:/var/spool/postfix/mailhaul/milter.sock",
	    .help = "Where Postfix reaches the milter. For systemd the folder "
		    "of another socket goes into ReadWritePaths= in a drop-in "
		    "of mailhaul-milter.service." },
	{ .name = "control",
	    .type = &value_path,
	    .offset = offsetof(struct config, milter.control),
	    .fallback = "/run/mailhaul/milter.ctl",
	    .help = "Where the fetcher asks the milter whether it is ready." },
	{ .name = "smtp",
	    .type = &value_word,
	    .words = milter_smtp_words,
	    .offset = offsetof(struct config, milter.smtp),
	    .fallback = "off",
	    .help = "Ordinary mail that comes by SMTP (smtpd_milters), and its "
		    "recipients in accepted domains. off: left alone. reject: "
		    "who is not in the directory is refused (550 5.1.1). "
		    "catch_all: such a recipient is replaced by the domain's "
		    "catch_all, and refused where there is none; map_to, "
		    "aliases and rewrite_to are applied." },
	{ .name = NULL },
};
static const struct schema_table milter_table = { .rows = milter_rows };

static const struct schema_row fetcher_rows[] = {
	{ .name = "control",
	    .type = &value_path,
	    .offset = offsetof(struct config, fetcher.control),
	    .fallback = "/run/mailhaul/fetcher.ctl",
	    .help = "Where mailhaul(8) asks the fetcher what it does." },
	{ .name = "connections",
	    .type = &value_number,
	    .offset = offsetof(struct config, fetcher.connections),
	    .fallback = "1000",
	    .min = 1,
	    .max = 100000,
	    .help = "How many connections to providers there may be at the "
		    "same time, idle ones too." },
	{ .name = "connections_per_host",
	    .type = &value_number,
	    .offset = offsetof(struct config, fetcher.connections_per_host),
	    .fallback = "16",
	    .min = 1,
	    .max = 100000,
	    .help = "How many of them may be busy at one host; idle ones do "
		    "not count." },
	{ .name = "max_spool",
	    .type = &value_size,
	    .offset = offsetof(struct config, fetcher.max_spool),
	    .fallback = "1G",
	    .min = 1 * MIB,
	    .max = 16 * 1024 * GIB,
	    .help = "While so much collected mail waits for Postfix, no more "
		    "is collected." },
	{ .name = NULL },
};
static const struct schema_table fetcher_table = { .rows = fetcher_rows };

static const struct schema_row archive_rows[] = {
	{ .name = "keep",
	    .type = &value_duration,
	    .offset = offsetof(struct config, archive.keep_ms),
	    .fallback = "7d",
	    .max = 365 * DAYS,
	    .help = "How long a copy of each message is kept after Postfix "
		    "took it; longer than Postfix keeps trying to deliver it. "
		    "0s: no archive." },
	{ .name = "max_size",
	    .type = &value_size,
	    .offset = offsetof(struct config, archive.max_bytes),
	    .fallback = "1G",
	    .min = 1 * KIB,
	    .max = 16 * 1024 * GIB,
	    .help = "Above this the oldest copies are removed early." },
	{ .name = NULL },
};
static const struct schema_table archive_table = { .rows = archive_rows };

static const struct schema_row root_rows[] = {
	{ .name = "postmaster",
	    .type = &value_address,
	    .offset = offsetof(struct settings, config.postmaster),
	    .flags = ROW_REQUIRED | ROW_ACCEPTED | ROW_AS_IS,
	    .example = "postmaster@example.org",
	    .help = "The person who gets mail that nobody else can be found "
		    "for, and who is told about trouble." },
	{ .name = "accepted_domains",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &domain_table,
	    .offset = offsetof(struct settings, config.domains),
	    .second = offsetof(struct settings, config.n_domains),
	    .min = 1,
	    .flags = ROW_REQUIRED,
	    .help = "The domains whose mail is yours. Nobody outside them "
		    "ever gets anything. An entry is a bare name or a "
		    "mapping." },
	{ .name = "recipient_delimiter",
	    .type = &value_text,
	    .offset = offsetof(struct settings, config.recipient_delimiter),
	    .fallback = "\"\"",
	    .max = 8,
	    .flags = ROW_MAY_EMPTY,
	    .help = "As in Postfix: anna+news@ is tried as anna@ when \"+\" is "
		    "a delimiter. Each character is one; empty: none." },
	{ .name = "aliases",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &schema_alias,
	    .offset = offsetof(struct settings, config.aliases),
	    .second = offsetof(struct settings, config.n_aliases),
	    .max = SCHEMA_ALIASES_MAX,
	    .example = "[{address: sales@example.org, to: [anna@example.org, "
		       "bert@example.org]}]",
	    .help = "Addresses that stand for other people, as in Postfix's "
		    "virtual(5). They come before the directory, which is "
		    "then asked for each of these people." },
	{ .name = "lists",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &schema_list,
	    .offset = offsetof(struct settings, config.lists),
	    .second = offsetof(struct settings, config.n_lists),
	    .max = SCHEMA_ALIASES_MAX,
	    .example = "[{list: announce.lists.example.com, to: "
		       "[anna@example.org]}]",
	    .help = "Who gets the mail of a mailing list, when it does not "
		    "say whom of yours it is for: a part of \"headers\" in "
		    "recipients.from, which comes before the fields. Where "
		    "the provider records the recipient, that counts: "
		    "the address by which the list knows you can be one "
		    "of the aliases then." },
	{ .name = "directory",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &schema_directory,
	    .offset = offsetof(struct settings, config.directory),
	    .second = offsetof(struct settings, config.n_directory),
	    .max = 32,
	    .derived = "none: every address in an accepted domain is taken to "
		       "exist",
	    .help = "Who exists. All sources are asked; one that knows the "
		    "address is enough." },
	{ .name = "cache",
	    .type = &value_mapping,
	    .table = &schema_cache,
	    .offset = offsetof(struct settings, config),
	    .help = "How long answers of the directory are remembered." },
	{ .name = "rules",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &schema_rule,
	    .offset = offsetof(struct settings, config.rules),
	    .second = offsetof(struct settings, config.n_rules),
	    .max = SCHEMA_RULES_MAX,
	    .example = "[{if: {subject: {contains: \"[sales]\"}}, then: {add: "
		       "[sales@example.org]}}]",
	    .help = "What is changed once it is known who gets a message. The "
		    "rules of the account come first, then these, each list "
		    "from its top." },
	{ .name = "allow_external",
	    .type = &value_list,
	    .element = &value_address,
	    .offset = offsetof(struct settings, config.allow_external),
	    .second = offsetof(struct settings, config.n_allow_external),
	    .max = SCHEMA_RULES_MAX,
	    .derived = "none",
	    .example = "[anna@private.example]",
	    .help = "Addresses outside the accepted domains that rules may "
		    "send to; nothing else ever does." },
	{ .name = "inject",
	    .type = &value_mapping,
	    .table = &inject_table,
	    .offset = offsetof(struct settings, config.inject),
	    .help = "How mail is handed to Postfix." },
	{ .name = "milter",
	    .type = &value_mapping,
	    .table = &milter_table,
	    .offset = offsetof(struct settings, config),
	    .help = "Sockets of the milter, and ordinary mail." },
	{ .name = "fetcher",
	    .type = &value_mapping,
	    .table = &fetcher_table,
	    .offset = offsetof(struct settings, config),
	    .help = "The fetcher: its socket and its limits." },
	{ .name = "keep",
	    .type = &value_keep,
	    .words = schema_keep_words,
	    .offset = offsetof(struct settings, config.keep),
	    .second = offsetof(struct settings, config.keep_ms),
	    .min = 1 * SECONDS,
	    .max = 3650 * DAYS,
	    .derived = "what each account says",
	    .example = "none",
	    .help = "For every account, whatever it says itself: how long mail "
		    "stays at the provider after Postfix took it." },
	{ .name = "state_dir",
	    .type = &value_path,
	    .offset = offsetof(struct settings, config.state_dir),
	    .fallback = "/var/lib/mailhaul",
	    .help = "Where is remembered what was collected. systemd lets the "
		    "services write to the default folder only: another one "
		    "goes into ReadWritePaths= in a drop-in of both." },
	{ .name = "archive",
	    .type = &value_mapping,
	    .table = &archive_table,
	    .offset = offsetof(struct settings, config),
	    .help = "Copies of what was handed to Postfix, should it be unable "
		    "to deliver them." },
	{ .name = "account_defaults",
	    .type = &value_mapping,
	    .table = &schema_account_defaults,
	    .offset = offsetof(struct settings, account_defaults),
	    .help = "What holds for every account that does not say "
		    "otherwise." },
	{ .name = "accounts",
	    .type = &value_list,
	    .element = &value_mapping,
	    .table = &schema_account,
	    .offset = offsetof(struct settings, config.accounts),
	    .second = offsetof(struct settings, config.n_accounts),
	    .inherits = true,
	    .help = "The mailboxes at providers that mail is collected from." },
	{ .name = "proxy", .type = &value_reserved, .help = "Reserved." },
	{ .name = "services", .type = &value_reserved, .help = "Reserved." },
	{ .name = "smarthost", .type = &value_reserved, .help = "Reserved." },
	{ .name = "users", .type = &value_reserved, .help = "Reserved." },
	{ .name = "include", .type = &value_reserved, .help = "Reserved." },
	{ .name = NULL },
};
const struct schema_table schema_root = {
	.rows = root_rows,
	.size = sizeof(struct settings),
};
