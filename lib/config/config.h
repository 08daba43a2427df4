/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - what the administrator wants: the YAML file as C structures.
 *
 * Immutable after loading and free of pointers into anything else, so that
 * threads may read it without a lock; reload makes a new one.  All strings and
 * arrays belong to the configuration and live until config_unref() of the
 * last reference.  Names, defaults and ranges stand in config/schema*.c and
 * nowhere else.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"
#include "config/rule.h"
#include "mail/address.h"
#include "mail/ticket.h"

struct accepted_domain {
	const char *name; /* normalised; ".example.org" for subdomains */
	const struct address *catch_all; /* NULL: none */
	const char *map_to;              /* normalised; NULL: none */
};

/* An address that stands for people. */
struct alias {
	struct address address;
	const struct address *to;
	size_t n_to;
};

/* A mailing list, and who here gets what it sends. */
struct mailing_list {
	const char *name; /* its List-Id, or address_key() of its address;
			     in lower case */
	const struct address *to;
	size_t n_to;
};

/* Where a password comes from; never the password itself, but for `held`. */
struct secret_source {
	enum secret_kind {
		SECRET_NONE,
		SECRET_FILE,       /* name: path */
		SECRET_CREDENTIAL, /* name: file in $CREDENTIALS_DIRECTORY */
		SECRET_COMMAND,    /* argv, NULL at the end */
	} kind;
	const char *name;
	const char *const *argv;
	struct slice held; /* SECRET_FILE: read while we still might; data
			      NULL: it was not */
};

struct tls_settings {
	enum tls_mode {
		TLS_REQUIRED, /* TLS from the start, or STLS/STARTTLS */
		TLS_NEVER,    /* clear text; only pop3 and imap */
	} mode;
	const char *ca_file;     /* NULL: the system's */
	const char *server_name; /* NULL: the host */
	bool pinned;             /* fingerprint replaces chain and name check */
	uint8_t fingerprint_sha256[32];
	const char *client_certificate; /* PEM; NULL: none */
	const char *client_key;         /* PEM; NULL: in client_certificate */
};

struct directory_source {
	enum directory_kind {
		DIRECTORY_FILE,
		DIRECTORY_LDAP,
		DIRECTORY_SMTP,
		DIRECTORY_POSTFIX,
	} kind;
	const char *const *domains; /* that it is asked for, as names of
				       accepted domains, NULL at the end;
				       NULL: all */
	const char *file;           /* absolute path */
	struct ldap_source {
		const char *const *uris; /* NULL at the end */
		const char *base;
		const char *filter;  /* with {address} {local} {domain}; from
				     * the schema preset when not given */
		const char *bind_dn; /* NULL: anonymous, or EXTERNAL on ldapi */
		struct secret_source password;
		const char *ca_file;    /* NULL: the system's */
		bool start_tls;         /* on ldap:// */
		int64_t timeout_ms;     /* of a search, all servers together */
		const char *rewrite_to; /* attribute; NULL: none */
		const struct address *canary; /* must exist; NULL: none */
	} ldap;
	struct smtp_source {
		const char *host;
		uint16_t port;
		int64_t timeout_ms; /* of each address */
		const struct address *canary;
	} smtp;
	struct postfix_source {
		const char *table; /* "hash:/etc/postfix/virtual" */
		enum table_key { TABLE_KEY_ADDRESS, TABLE_KEY_LOCAL } key;
		const char *postmap; /* absolute path */
		int64_t timeout_ms;  /* of a question */
		const struct address *canary;
	} postfix;
};

enum { OCCURRENCE_ALL = 0, OCCURRENCE_LAST = -1 };

struct recipient_settings {
	enum tier tiers[3];
	size_t n_tiers;                      /* 0: fallback only */
	const char *const *envelope_headers; /* NULL-terminated; NULL: the
						known list (config/providers) */
	int occurrence; /* 1 = topmost …, OCCURRENCE_ALL, OCCURRENCE_LAST */
	bool position_bottom;
	/* Of the local part; "": none. */
	const char *strip_prefix, *strip_suffix;
	const char *const *trusted_hosts; /* NULL-terminated, normalised, may
					     begin with a dot; empty: unknown */
	const char *const *headers;       /* NULL-terminated */
};

struct provider;

struct account {
	const char *name; /* the key of its state */
	bool enabled;
	const struct provider *provider; /* config/providers; NULL: none */
	enum account_protocol {
		PROTOCOL_POP3,
		PROTOCOL_POP3S,
		PROTOCOL_IMAP,
		PROTOCOL_IMAPS,
	} protocol;
	struct tls_settings tls;
	const char *host;
	uint16_t port;
	const char *user;
	enum auth {
		AUTH_AUTO,
		AUTH_PLAIN,
		AUTH_LOGIN,
		AUTH_USER, /* USER and PASS, or IMAP's LOGIN */
		AUTH_SCRAM_SHA_256,
		AUTH_XOAUTH2,
		AUTH_OAUTHBEARER,
		AUTH_EXTERNAL,
	} auth;
	struct secret_source password, token; /* one of them, or none */
	const char *const *folders;           /* NULL-terminated, UTF-8; with
					       * * and % (RFC 9051 6.3.9) */
	const char *const *exclude_folders;   /* NULL-terminated */
	enum mailbox_kind { MAILBOX_CATCH_ALL, MAILBOX_SINGLE } mailbox;
	struct address deliver_to;       /* of a single mailbox */
	const struct address *addresses; /* the mailbox's own */
	size_t n_addresses;
	struct address fallback;
	const struct address *unknown_recipients; /* NULL: none */
	enum sender_policy {
		SENDER_ORIGINAL,
		SENDER_POSTMASTER,
		SENDER_NULL
	} sender;
	struct recipient_settings recipients;
	const struct rule *rules; /* before those for all */
	size_t n_rules;
	struct dedupe_settings { /* of messages with guessed recipients */
		bool on;
		const char *group; /* NULL: the account alone */
		int64_t window_ms;
	} dedupe;
	enum keep_kind { KEEP_NONE, KEEP_FOREVER, KEEP_TIME } keep;
	int64_t keep_ms; /* of KEEP_TIME, counted from injection */
	struct disposal {
		enum disposal_kind {
			DISPOSE_DELETE,
			DISPOSE_MOVE, /* into the folder */
			DISPOSE_FLAG, /* with the keyword */
		} kind;
		const char *text;
	} dispose;
	bool full_expunge; /* without UIDPLUS: EXPUNGE whatever is \Deleted */
	bool idle;
	int64_t idle_renew_ms;
	int64_t every_ms;   /* 0: on demand */
	int64_t timeout_ms; /* silence */
	enum fetch_order {
		ORDER_OLDEST,
		ORDER_NEWEST,
		ORDER_SMALLEST,
	} order;
	uint32_t max_messages_per_pass;
	uint64_t max_bytes_per_pass, max_message_size; /* 0: no limit */
};

/* Where the MTA listens: the socket, or host and port. */
struct smtp_target {
	const char *socket; /* absolute path; NULL: host and port */
	const char *host;
	uint16_t port;
	const char *helo;
	bool xclient;
};

struct inject_settings {
	enum injection { METHOD_SENDMAIL, METHOD_SMTP } method;
	struct smtp_target smtp;
	const char *sendmail; /* absolute paths */
	const char *postconf;
	uint32_t parallel;
	int64_t timeout_ms; /* of one message's hand-over */
	int64_t retry_ms;   /* first pause of a message that was refused;
				doubled each time up to 1 h */
	uint32_t max_tries; /* then parked */
	bool require_milter;
};

struct config {
	const char *path;
	struct address postmaster;
	const struct accepted_domain *domains;
	size_t n_domains;
	const char *recipient_delimiter; /* Postfix's set of characters; "" */
	const struct alias *aliases;     /* sorted by address_compare() */
	size_t n_aliases;
	const struct mailing_list *lists; /* sorted by strcmp() */
	size_t n_lists;
	const struct directory_source *directory;
	size_t n_directory;
	const struct rule *rules; /* for all accounts */
	size_t n_rules;
	/* Where rules may send to besides the accepted domains. */
	const struct address *allow_external;
	size_t n_allow_external;
	/* What some rule asks for: header fields (NULL-terminated, each once;
	 * NULL: none), and the size. */
	const char *const *rule_fields;
	bool rule_size;
	struct {
		int64_t found_ms, absent_ms, stale_ms;
	} cache;
	struct inject_settings inject;
	struct {
		const char *socket;  /* "unix:/…", "inet:port@host" */
		const char *control; /* absolute path */
		enum milter_smtp {   /* what ordinary SMTP mail meets */
			MILTER_SMTP_OFF,
			MILTER_SMTP_REJECT,
			MILTER_SMTP_CATCH_ALL,
		} smtp;
	} milter;
	struct {
		const char *control; /* absolute path */
		uint32_t connections, connections_per_host;
		uint64_t max_spool;
	} fetcher;
	enum keep_kind keep; /* has overridden every account's, if it is set */
	int64_t keep_ms;
	const char *state_dir; /* absolute */
	struct {
		int64_t keep_ms; /* 0: no archive */
		uint64_t max_bytes;
	} archive;
	const struct account *accounts;
	size_t n_accounts;
};

#define CONFIG_DEFAULT_PATH "/etc/mailhaul/mailhaul.yaml"

/* Loads and checks the file.  Every finding is written to `findings` as
 * "FILE:LINE:COL: error|warning: path: text", all in one run, in the order of
 * the file.  NULL when there was an error (exit 78); warnings alone do not
 * fail.  `findings` may be NULL. */
struct config *config_load(const char *path, FILE *findings);
/* As config_load(), for a command that is about something else: to standard
 * error, and only when there was an error. */
struct config *config_load_errors(const char *path);
/* As config_load(), each finding a line of the log: for a daemon that runs. */
struct config *config_load_logged(const char *path);
struct config *config_ref(struct config *);
void config_unref(struct config *);

/* By name, or NULL; disabled accounts are found too. */
const struct account *config_account(const struct config *, const char *name);
bool account_is_imap(const struct account *);
/* The accepted domain that a normalised name falls into (an exact entry wins
 * over ".sub"; of those the longest), or NULL. */
const struct accepted_domain *
config_domain(const struct config *, const char *domain);
/* The alias that an address is, as it stands, or NULL. */
const struct alias *config_alias(const struct config *, const struct address *);
/* The list of this name, as struct mailing_list has it, or NULL. */
const struct mailing_list *config_list(const struct config *, const char *name);
/* May rules send to it although it is in no accepted domain? */
bool config_allows_external(const struct config *, const struct address *);
/* Is it asked for addresses in this normalised domain, or for all in those that
 * a pattern stands for? */
bool source_covers(const struct directory_source *, const char *domain);

/* Reads the secret now (files and credentials are re-read each time, a command
 * runs at most 10 s).  Append to `out` (ceiling: 4 KiB is plenty), wipe it
 * after use.  ERROR_CONFIG or ERROR_LOCAL. */
bool secret_read(const struct secret_source *, struct buf *out, struct error *);
/* Appends the secret in what a password command printed: without its line end,
 * and only if it can go into a protocol line.  ERROR_CONFIG. */
bool secret_take(struct slice printed, struct buf *out, struct error *);

#endif
