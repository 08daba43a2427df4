/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check.h"

#include "config/check_rules.h"
#include "config/providers.h"

#include <errno.h>
#include <sys/stat.h>

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
