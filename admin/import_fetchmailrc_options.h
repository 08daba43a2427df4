/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import_fetchmailrc_options - what each option of a .fetchmailrc does to an
 * account: the table rc_keywords and its functions.
 *
 * Options come from the defaults, the server and the user, in this order; the
 * last one wins.  Lists grow; those of the defaults are replaced.
 */
#ifndef ADMIN_IMPORT_FETCHMAILRC_OPTIONS_H
#define ADMIN_IMPORT_FETCHMAILRC_OPTIONS_H

#include "admin/import_fetchmailrc_parse.h"

enum rc_list {
	RC_AKA = 1 << 0,
	RC_DOMAINS = 1 << 1,
	RC_LOCAL_NAMES = 1 << 2,
	RC_FOLDERS = 1 << 3,
};

/* One user of one server, on the way to an account. */
struct rc_target {
	struct import *import;
	struct rc *rc;
	struct import_account *account;
	const struct rc_server *server;
	bool shared; /* the option at hand is of others, too */
	bool in_defaults;
	unsigned inherited; /* the lists that are the defaults' */
	bool imap, pop3, ssl, sslproto, own_envelope;
	const char *user, *via;
	uint64_t interval, daemon_s;
	struct import_list remotes, locals, local_domains, aka;
	bool star;
	size_t names_line;
	const char *smtp_name;
};

/* Applies and reports; the same text is reported once for an option. */
void rc_apply(struct rc_target *, struct rc_option *);
/* The global options; `set daemon` into *daemon_s. */
void rc_apply_globals(
    struct import *, const struct rc_options *, uint64_t *daemon_s);

/* Puts the argument into the account, as rc_keyword.field says. */
void rc_apply_field(struct rc_target *, struct rc_option *);
/* One for each keyword that needs more than a word. */
void rc_apply_protocol(struct rc_target *, struct rc_option *),
    rc_apply_auth(struct rc_target *, struct rc_option *),
    rc_apply_via(struct rc_target *, struct rc_option *),
    rc_apply_aka(struct rc_target *, struct rc_option *),
    rc_apply_local_domains(struct rc_target *, struct rc_option *),
    rc_apply_port(struct rc_target *, struct rc_option *),
    rc_apply_interval(struct rc_target *, struct rc_option *),
    rc_apply_timeout(struct rc_target *, struct rc_option *),
    rc_apply_envelope(struct rc_target *, struct rc_option *),
    rc_apply_plugin(struct rc_target *, struct rc_option *),
    rc_apply_names(struct rc_target *, struct rc_option *),
    rc_apply_password(struct rc_target *, struct rc_option *),
    rc_apply_folder(struct rc_target *, struct rc_option *),
    rc_apply_keep(struct rc_target *, struct rc_option *),
    rc_apply_ssl(struct rc_target *, struct rc_option *),
    rc_apply_sslproto(struct rc_target *, struct rc_option *),
    rc_apply_sslcertck(struct rc_target *, struct rc_option *),
    rc_apply_limit(struct rc_target *, struct rc_option *),
    rc_apply_fetchlimit(struct rc_target *, struct rc_option *),
    rc_apply_idle(struct rc_target *, struct rc_option *),
    rc_apply_smtpaddress(struct rc_target *, struct rc_option *),
    rc_apply_smtpname(struct rc_target *, struct rc_option *),
    rc_apply_postmaster(struct rc_target *, struct rc_option *),
    rc_apply_daemon(struct rc_target *, struct rc_option *);

#endif
