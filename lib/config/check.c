/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/check_rules.h"
#include "config/providers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const struct node *
check_node_of(const struct node *mapping, const void *field)
{
	const struct node *child, *found;

	for (child = mapping->first; child != NULL; child = child->next) {
		found = check_node_of(child, field);
		if (found != child || found->field == field)
			return found;
	}
	return mapping;
}

const struct node *
check_entries_of(const struct node *root, const void *array)
{
	const struct node *list = check_node_of(root, array);

	return list == root ? NULL : list->first;
}

static int
by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order != 0)
		return order;
	if (x->node->line != y->node->line)
		return x->node->line < y->node->line ? -1 : 1;
	return x->node->column < y->node->column ? -1 : 1;
}

void
names_add(struct names *names, const char *name, const struct node *node)
{
	if (name == NULL)
		return;
	/* Full at each power of two. */
	if ((names->n & (names->n - 1)) == 0)
		names->all = mem_resize(
		    names->all, 2 * names->n + 1, sizeof(*names->all));
	names->all[names->n++] = (struct named){ name, node };
}

void
check_unique(struct load *load, struct names *names)
{
	if (names->n > 1)
		qsort(names->all, names->n, sizeof(*names->all), by_name);
	for (size_t i = 1; i < names->n; i++)
		if (strcmp(names->all[i].name, names->all[i - 1].name) == 0)
			finding_error(load->findings, names->all[i].node,
			    "%s stands here already, in line %zu",
			    names->all[i].name, names->all[i - 1].node->line);
	free(names->all);
}

static void
check_domain_names(
    struct load *load, const struct config *config, const struct node *entry)
{
	struct names names = { 0 };

	for (size_t i = 0; i < config->n_domains; i++, entry = entry->next)
		names_add(&names, config->domains[i].name, entry);
	check_unique(load, &names);
}

static void
check_account_names(
    struct load *load, const struct config *config, const struct node *entry)
{
	const struct account *a = config->accounts;
	struct names names = { 0 };

	for (size_t i = 0; i < config->n_accounts; i++, entry = entry->next)
		names_add(&names, a[i].name, check_node_of(entry, &a[i].name));
	check_unique(load, &names);
}

/* A domain whose mail goes to a domain that goes elsewhere again. */
static void
check_maps(
    struct load *load, const struct config *config, const struct node *entry)
{
	const struct accepted_domain *d, *target;

	for (size_t i = 0; i < config->n_domains; i++, entry = entry->next) {
		d = &config->domains[i];
		target =
		    d->map_to == NULL ? NULL : config_domain(config, d->map_to);
		if (target != NULL && target->map_to != NULL)
			finding_error(load->findings,
			    check_node_of(entry, &d->map_to),
			    "%s is mapped to another domain itself", d->map_to);
	}
}

static bool
all_domains_known(const struct config *config)
{
	for (size_t i = 0; i < config->n_domains; i++)
		if (config->domains[i].name == NULL)
			return false;
	return config->n_domains > 0;
}

static void
check_accepted(
    struct load *load, const struct config *config, const struct node *node)
{
	const struct value_type *type = node->row->type;
	const struct address *address = node->field;
	const char *domain;

	if (type == &value_domain)
		domain = *(const char *const *)node->field;
	else if (type == &value_optional_address)
		domain = (*(const struct address *const *)node->field)->domain;
	else
		domain = address->domain;
	if (config_domain(config, domain) == NULL)
		finding_error(load->findings, node,
		    "%s is not one of the accepted_domains", domain);
}

/* Secrets belong to the one daemon that needs them, and each daemon loads
 * the whole file: what another may not even look at is not judged here. */
static void
check_file(struct load *load, const struct node *node)
{
	const char *path = *(const char *const *)node->field;
	unsigned flags = node->row->flags;
	struct error err;
	struct stat st;

	if (stat(path, &st) == 0) {
		if ((flags & ROW_SECRET_FILE) != 0 &&
		    ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0))
			finding_error(load->findings, node,
			    "%s may be read or changed by others; run: chmod "
			    "400 %s, and chown it to the daemon that needs it",
			    path, path);
	} else if (errno != EACCES) {
		error_errno(&err, ERROR_CONFIG, errno, "%s", path);
		if ((flags & ROW_SHOULD_EXIST) != 0)
			finding_warning(load->findings, node,
			    "%s; until it is there mail waits", err.text);
		else
			finding_error(load->findings, node, "%s", err.text);
	}
}

static void
check_command(struct load *load, const struct node *node)
{
	const struct node *program = node->first;

	if (program != NULL && program->kind == NODE_SCALAR &&
	    program->text[0] != '/')
		finding_error(load->findings, program,
		    "the path of a command must be absolute");
}

/* What the flags of the rows ask for, wherever they were used. */
static void
check_rows(
    struct load *load, const struct config *config, const struct node *node)
{
	const unsigned files =
	    ROW_MUST_EXIST | ROW_SHOULD_EXIST | ROW_SECRET_FILE;
	unsigned flags = node->row == NULL ? 0 : node->row->flags;

	if (node->kind == NODE_SCALAR && node->field != NULL) {
		if ((flags & ROW_ACCEPTED) != 0 && all_domains_known(config))
			check_accepted(load, config, node);
		if ((flags & files) != 0)
			check_file(load, node);
		if ((flags & ROW_ENVELOPE_FIELD) != 0)
			check_envelope_field(load, node);
		if ((flags & ROW_AS_IS) != 0)
			check_alias(load, config, node);
		if (all_domains_known(config))
			check_rule_value(load, config, node, flags);
	}
	if (node->kind == NODE_LIST && node->field != NULL &&
	    (flags & ROW_COMMAND) != 0)
		check_command(load, node);
	for (node = node->first; node != NULL; node = node->next)
		check_rows(load, config, node);
}

/* Defaults that follow from other keys. */
static void
complete_account(
    struct load *load, const struct config *config, struct account *a)
{
	struct address *own;

	if (a->host == NULL && a->provider != NULL)
		a->host = provider_host(a->provider, a->protocol);
	if (a->port == 0)
		a->port = schema_port(a->protocol);
	if (load->keep_for_all) {
		a->keep = config->keep;
		a->keep_ms = config->keep_ms;
	}
	if (address_is_null(&a->fallback))
		a->fallback = config->postmaster;
	if (a->addresses != NULL || a->user == NULL)
		return;
	own = arena_new(load->arena, sizeof(*own));
	a->addresses = own;
	a->n_addresses = address_parse(slice_of(a->user), own) == ADDRESS_OK &&
			 config_domain(config, own->domain) == NULL;
}

static void
check_inject(
    struct load *load, const struct config *config, const struct node *root)
{
	const struct smtp_target *smtp = &config->inject.smtp;
	struct findings *f = load->findings;

	if (smtp->socket != NULL && smtp->host != NULL)
		finding_warning(f, check_node_of(root, &smtp->host),
		    "not used, since there is a socket");
	if (config->inject.method == METHOD_SMTP && smtp->socket == NULL &&
	    smtp->host == NULL)
		finding_error(f, check_node_of(root, &config->inject.method),
		    "needs inject.smtp: {socket: PATH} or {host: NAME, port: "
		    "NUMBER}");
}

static void
check_host(struct load *load, const struct account *a, const struct node *node)
{
	if (a->host != NULL || node_child(node, "host") != NULL)
		return;
	if (a->provider == NULL && node_child(node, "provider") != NULL)
		return;
	if (a->provider == NULL)
		finding_missing(load->findings, node, "host",
		    "missing: The provider's server.");
	else
		finding_missing(load->findings, node, "host",
		    "missing: %s is reached through a program of its own: "
		    "protocol: imap, host: 127.0.0.1, port: %u",
		    a->provider->title, (unsigned)a->provider->bridge_port);
}

static void
check_provider(
    struct load *load, const struct account *a, const struct node *node)
{
	const struct node *place = check_node_of(node, &a->provider);
	const struct provider *p = a->provider;
	char least[32];

	if (p->remedy != NULL && a->mailbox == MAILBOX_CATCH_ALL &&
	    a->recipients.envelope_headers == NULL)
		finding_warning(load->findings, place,
		    "%s records nowhere whom a message is for: To and Cc are "
		    "all there is, so mail by Bcc and from lists goes to the "
		    "fallback; %s",
		    p->title, p->remedy);
	if (!account_is_imap(a) && a->every_ms > 0 &&
	    a->every_ms < p->pop3_every_ms)
		finding_warning(load->findings,
		    check_node_of(node, &a->every_ms),
		    "%s lets nobody ask more often by POP3; set every: %s",
		    p->title, duration_write(p->pop3_every_ms, least));
}

static void
check_login(struct load *load, const struct account *a, const struct node *node)
{
	struct findings *f = load->findings;
	bool password = a->password.kind != SECRET_NONE;
	bool token = a->token.kind != SECRET_NONE;
	bool for_token = a->auth == AUTH_XOAUTH2 || a->auth == AUTH_OAUTHBEARER;

	if (password && token)
		finding_error(f, check_node_of(node, &a->token),
		    "a password and a token: it must be one of them");
	else if (token && a->auth != AUTH_AUTO && !for_token)
		finding_error(f, check_node_of(node, &a->auth),
		    "a token is for auth: xoauth2 or oauthbearer");
	else if (password && for_token)
		finding_error(f, check_node_of(node, &a->auth),
		    "needs a token instead of a password");
	else if (a->auth == AUTH_EXTERNAL && a->tls.client_certificate == NULL)
		finding_error(f, check_node_of(node, &a->auth),
		    "needs tls.client_certificate");
	else if (a->auth != AUTH_EXTERNAL &&
		 node_child(node, "password") == NULL &&
		 node_child(node, "token") == NULL)
		finding_missing(f, node, "password",
		    "missing: Where the password is, never the password "
		    "itself: {file: PATH}, {credential: NAME} or {command: "
		    "[...]}; or a token.");
	if (a->tls.client_key != NULL && a->tls.client_certificate == NULL)
		finding_error(f, check_node_of(node, &a->tls.client_key),
		    "a key without tls.client_certificate");
}

/* RFC 9051 9: flag; and not \Deleted, which is not to stay. */
static bool
is_flag(struct slice text)
{
	static const char *const system_flags[] = { "\\Seen", "\\Answered",
		"\\Flagged", "\\Draft" };

	for (size_t i = 0; i < sizeof(system_flags) / sizeof(*system_flags);
	     i++)
		if (slice_equal_nocase(text, slice_of(system_flags[i])))
			return true;
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f ||
		    slice_find(SLICE("(){%*\"\\]"), text.data[i]) < 8)
			return false;
	return text.len > 0;
}

static bool
is_same_folder(const char *a, const char *b)
{
	return strcmp(a, b) == 0 ||
	       (strcasecmp(a, "INBOX") == 0 && strcasecmp(b, "INBOX") == 0);
}

static void
check_dispose(
    struct load *load, const struct account *a, const struct node *parent)
{
	struct findings *f = load->findings;
	const struct node *node = check_node_of(parent, &a->dispose);
	const char *const *folder = a->folders;

	if (a->dispose.kind == DISPOSE_FLAG &&
	    !is_flag(slice_of(a->dispose.text)))
		finding_error(f, node,
		    "\"%s\" is no keyword: graphic ASCII without ( ) { %% * "
		    "\" \\ and ], or one of \\Seen, \\Answered, \\Flagged and "
		    "\\Draft",
		    a->dispose.text);
	if (a->dispose.kind != DISPOSE_DELETE && node != parent &&
	    a->keep == KEEP_FOREVER && !load->keep_for_all)
		finding_warning(f, node,
		    "not used: with keep: forever nothing is done to mail at "
		    "the provider");
	for (; a->dispose.kind == DISPOSE_MOVE && *folder != NULL; folder++)
		if (is_same_folder(*folder, a->dispose.text))
			finding_error(f, node,
			    "mail is collected from the folder %s, and cannot "
			    "be moved there as well",
			    *folder);
}

/* What POP3 has not. */
static void
check_unused(
    struct findings *f, const struct account *a, const struct node *node)
{
	const struct {
		const void *setting;
		const char *why;
	} unused[] = {
		{ &a->folders, "POP3 has no folders" },
		{ &a->exclude_folders, "POP3 has no folders" },
		{ &a->full_expunge,
		    "POP3 deletes what was collected, and nothing else" },
		{ &a->idle, "POP3 has no IDLE; every is for it" },
		{ &a->idle_renew_ms, "POP3 has no IDLE; every is for it" },
	};

	for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++) {
		const struct node *at = check_node_of(node, unused[i].setting);

		if (at != node)
			finding_warning(f, at, "not used: %s", unused[i].why);
	}
}

/* A server that waits for TLS while we wait for its greeting says nothing. */
static void
check_port(struct findings *f, const struct account *a, const struct node *node)
{
	static const char *const names[] = {
		[PROTOCOL_POP3] = "pop3",
		[PROTOCOL_POP3S] = "pop3s",
		[PROTOCOL_IMAP] = "imap",
		[PROTOCOL_IMAPS] = "imaps",
	};

	for (enum account_protocol p = PROTOCOL_POP3; p <= PROTOCOL_IMAPS; p++)
		if (p != a->protocol && a->port == schema_port(p))
			finding_warning(f, check_node_of(node, &a->port),
			    "%u is the usual port of %s, not of %s",
			    (unsigned)a->port, names[p], names[a->protocol]);
}

/* What only one of the protocols has. */
static void
check_protocol(
    struct load *load, const struct account *a, const struct node *node)
{
	struct findings *f = load->findings;
	bool imap = account_is_imap(a);

	check_port(f, a, node);
	if (a->tls.mode == TLS_NEVER && a->protocol == PROTOCOL_POP3S)
		finding_error(f, check_node_of(node, &a->tls.mode),
		    "pop3s is always encrypted; clear text needs protocol: "
		    "pop3");
	if (a->tls.mode == TLS_NEVER && a->protocol == PROTOCOL_IMAPS)
		finding_error(f, check_node_of(node, &a->tls.mode),
		    "imaps is always encrypted; clear text needs protocol: "
		    "imap");
	if (!imap && a->dispose.kind != DISPOSE_DELETE)
		finding_error(f, check_node_of(node, &a->dispose),
		    "POP3 can only delete; move and flag need imap or imaps");
	if (imap)
		check_dispose(load, a, node);
	else
		check_unused(f, a, node);
}

static void
check_account(
    struct load *load, const struct account *a, const struct node *node)
{
	struct findings *f = load->findings;
	bool single = a->mailbox == MAILBOX_SINGLE;
	bool delivered = check_node_of(node, &a->deliver_to) != node;

	check_host(load, a, node);
	if (a->provider != NULL)
		check_provider(load, a, node);
	check_login(load, a, node);
	check_protocol(load, a, node);
	if (single && address_is_null(&a->deliver_to))
		finding_error(f, check_node_of(node, &a->mailbox),
		    "a single mailbox needs deliver_to: whose mail it is");
	if (!single && delivered)
		finding_error(f, check_node_of(node, &a->deliver_to),
		    "deliver_to is for mailbox: single; this one is "
		    "catch_all");
	check_recipients(load, a, node);
}

static void
check_accounts(
    struct load *load, const struct config *config, const struct node *entry)
{
	/* They are the loader's own array, const for everybody else. */
	struct account *accounts =
	    (struct account *)(uintptr_t)config->accounts;

	for (size_t i = 0; i < config->n_accounts; i++, entry = entry->next) {
		if (entry->kind != NODE_MAPPING)
			continue;
		complete_account(load, config, &accounts[i]);
		check_account(load, &accounts[i], entry);
	}
}

/* What is allowed and hardly ever meant. */
static void
warn_about_whole(
    struct load *load, const struct config *config, const struct node *root)
{
	struct findings *f = load->findings;

	if (check_node_of(root, &config->directory) == root)
		finding_missing_warning(f, root, "directory",
		    "missing: every address in an accepted domain is taken to "
		    "exist");
	if (config->accounts == NULL)
		finding_missing_warning(
		    f, root, "accounts", "missing: nothing is collected");
	if (!config->inject.require_milter)
		finding_warning(f,
		    check_node_of(root, &config->inject.require_milter),
		    "mail is handed to Postfix even when no milter routes it; "
		    "all of it then goes to the fallback");
	if (config->archive.keep_ms == 0)
		finding_warning(f,
		    check_node_of(root, &config->archive.keep_ms),
		    "no archive: mail that Postfix cannot deliver is lost");
}

void
check_settings(
    struct load *load, struct settings *settings, const struct node *root)
{
	const struct config *config = &settings->config;

	if (root->kind != NODE_MAPPING)
		return;
	check_aliases(load, &settings->config, root);
	check_rows(load, config, root);
	check_domain_names(
	    load, config, check_entries_of(root, &config->domains));
	check_maps(load, config, check_entries_of(root, &config->domains));
	check_directory(load, config, root);
	check_account_names(
	    load, config, check_entries_of(root, &config->accounts));
	load->keep_for_all = check_node_of(root, &config->keep) != root;
	check_accounts(load, config, check_entries_of(root, &config->accounts));
	check_groups(load, config, check_entries_of(root, &config->accounts));
	check_inject(load, config, root);
	check_rules(load, &settings->config, root);
	warn_about_whole(load, config, root);
}
