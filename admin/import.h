/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import - what the configuration of another program says, in words that are
 * neither its nor ours: a list of accounts, and a report in which each
 * statement of the source is taken, changed, dropped or refused.
 *
 * One reader per program (import_fetchmailrc.c, ...) fills a struct import;
 * import_yaml.c, import_secrets.c and import_seen.c write it out.  The readers
 * are pure: no file is opened, no name is looked up, nothing is run.
 * Everything lives in the arena until import_clear().
 *
 * A source is somebody's file and may be hostile: at most IMPORT_SOURCE_MAX
 * bytes and IMPORT_ACCOUNTS_MAX accounts.  Passwords are in `password` alone
 * and never in a report.
 */
#ifndef ADMIN_IMPORT_H
#define ADMIN_IMPORT_H

#include <stdio.h>

#include "base/arena.h"

enum {
	IMPORT_SOURCE_MAX = 1024 * 1024,
	IMPORT_ACCOUNTS_MAX = 2000,
	IMPORT_LIST_MAX = 10000,
};

/* Stands for a domain that the source does not tell.  No domain can be spelt
 * so: the configuration is not valid until it is replaced. */
#define IMPORT_NO_DOMAIN "<your-domain>"

enum import_verdict {
	IMPORT_TAKEN,   /* means the same here */
	IMPORT_CHANGED, /* has an equivalent that is not quite the same */
	IMPORT_DROPPED, /* has none, and mail is collected without it */
	IMPORT_REFUSED, /* must not, or cannot, be carried over */
};

/* Strings in the order of the source. */
struct import_list {
	const char **items;
	size_t n, room;
};

enum import_protocol {
	IMPORT_POP3,
	IMPORT_POP3S,
	IMPORT_IMAP,
	IMPORT_IMAPS,
};

/* NULL, 0, false and empty: the source says nothing, and our default holds. */
struct import_account {
	struct import *import;
	size_t line;      /* in the source */
	const char *name; /* valid and unique */
	bool refused;     /* not written at all */
	bool disabled;
	enum import_protocol protocol;
	const char *host, *user;
	unsigned port;

	const char *password; /* the secret itself */
	size_t password_line;
	const char *password_file;  /* where it is, or is to be */
	struct import_list command; /* prints it */
	bool token;                 /* it is an OAuth 2.0 token */
	const char *auth;

	bool clear_text;
	const char *ca_file, *server_name, *fingerprint;
	const char *client_certificate, *client_key;

	const char *deliver_to; /* NULL: a catch-all mailbox */
	const char *fallback;
	const char *from; /* the tiers, as YAML */
	struct import_list envelope_headers, trusted_hosts;
	unsigned occurrence;
	const char *strip_prefix;

	struct import_list folders;
	const char *keep, *move_to; /* as the configuration spells keep */
	bool no_idle;
	bool on_demand;
	uint64_t every_s, timeout_s;
	uint64_t max_messages, max_bytes, max_message_size;

	/* How the state file calls it (import_seen.c). */
	const char *state_host, *state_user, *state_file;
	unsigned state_port;
	size_t n_seen; /* messages found there */
};

struct import_finding {
	const char *file; /* NULL: the source */
	size_t line;      /* 0: none */
	size_t number;
	enum import_verdict verdict;
	const struct import_account *account; /* that it is about, or NULL */
	const char *text;
};

struct import {
	struct arena arena;
	/* Before reading. */
	const char *domain; /* of names without one; NULL: see domains */
	const char *owner;  /* of the source file; NULL: unknown */
	const char *home;   /* of the owner, absolute; NULL: unknown */
	const char *folder; /* of the source file, absolute; NULL: unknown */
	/* After reading. */
	struct import_account **accounts;
	size_t n_accounts, accounts_room;
	struct import_finding *findings;
	size_t n_findings, findings_room;
	struct import_list domains; /* accepted */
	struct import_list users;   /* the only ones, where there are any */
	/* Who stands for whom: pairs, told by one account.  As with users the
	 * domain may be missing. */
	struct import_list aliases, people;
	const struct import_account *aliases_of; /* NULL: none */
	const char *postmaster;                  /* without a domain, perhaps */
	size_t work;     /* done by a reader that limits it */
	bool overflowed; /* a list was cut: told at the end */
};

void import_init(struct import *);
void import_clear(struct import *);

/* An account named after `wish`, made valid and unique; NULL when there are
 * too many (told). */
struct import_account *
import_add_account(struct import *, const char *wish, size_t line);
void import_add(struct import *, struct import_list *, const char *);
/* The same, unless it is there already (ASCII, case-blind). */
void import_add_once(struct import *, struct import_list *, const char *);

/* Reports a statement.  The text may hold foreign bytes. */
void import_say(struct import *, size_t line, enum import_verdict,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* As import_say(), about an account: when that is refused in the end, so is
 * this statement. */
void
import_say_of(const struct import_account *, size_t line, enum import_verdict,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* About another file than the source. */
struct import_place {
	const char *file;
	size_t line; /* 0: the whole */
};
void import_say_in(struct import *, struct import_place, enum import_verdict,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Mail is delivered to this name here: its domain, if it has one, is an
 * accepted one. */
void import_accept_domain_of(struct import *, const char *name);
/* The name as an address: completed by `domain`, else by the first accepted
 * domain, else by IMPORT_NO_DOMAIN. */
const char *import_address(struct import *, const char *name);
/* The command that prints the password: TAKEN, its words, if it is plain; else
 * CHANGED, by way of a shell: see IMPORT_SHELL_TEXT. */
enum import_verdict import_command(struct import_account *, struct slice text);
#define IMPORT_SHELL_TEXT                                                      \
	"it runs in a shell, as the user mailhaul and with his key rings and " \
	"$HOME; a program with its absolute path is better"
/* That domain; NULL: none is known yet. */
const char *import_own_domain(const struct import *);
/* Can the name be an address, once it is completed? */
bool import_is_recipient(const char *name);
/* With the home of the owner for ~, and absolute. */
const char *import_path(struct import *, const char *);
/* A mailbox of one person: whose, an address in the command says that delivers
 * (or an empty one), else it is the owner's. */
void import_deliver_to_owner(
    struct import_account *, struct slice command, size_t line);
/* SHA-256 as 64 digits, whatever stood between and before them; NULL when it is
 * no such thing. */
const char *import_fingerprint(struct import *, struct slice text);
/* A duration as the configuration spells it, of at least a second. */
bool import_duration(struct slice text, uint64_t *seconds);
/* Nothing but a number, below 4 G. */
bool import_number(struct slice text, uint64_t *);

/* Writes "FILE:LINE: taken|changed|dropped|refused: text" for each statement,
 * in the order of the source.  The exit status: 0, 1 (something was dropped)
 * or EX_DATAERR (something was refused). */
int import_report(struct import *, const char *file, FILE *out);

/* The readers. */
typedef void import_reader(struct import *, struct slice source);
import_reader import_fetchmailrc, import_getmailrc, import_mpoprc, import_csv;

/* Reads the source, and refuses accounts that no configuration can hold. */
void import_read(struct import *, import_reader *, struct slice source);

/* The usual port of a protocol, and its name in the configuration. */
unsigned import_port(enum import_protocol);
const char *import_protocol_name(enum import_protocol);

#endif
