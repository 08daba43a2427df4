/* SPDX-License-Identifier: Apache-2.0 */
#include "config/check.h"

#include "mail/domain.h"

#include <string.h>

static bool
any_uri(const struct ldap_source *ldap, const char *scheme)
{
	for (size_t i = 0; ldap->uris[i] != NULL; i++)
		if (slice_starts_nocase(
			slice_of(ldap->uris[i]), slice_of(scheme)))
			return true;
	return false;
}

static void
check_ldap(
    struct load *load, const struct ldap_source *ldap, const struct node *entry)
{
	bool password = check_node_of(entry, &ldap->password) != entry;

	if (ldap->uris == NULL)
		return;
	if (password && ldap->bind_dn == NULL)
		finding_error(load->findings,
		    check_node_of(entry, &ldap->password),
		    "a password without bind_dn: nobody to log in as");
	if (!password && ldap->bind_dn != NULL)
		finding_error(load->findings,
		    check_node_of(entry, &ldap->bind_dn),
		    "bind_dn without a password; servers take that for an "
		    "anonymous login");
	if (ldap->start_tls &&
	    (any_uri(ldap, "ldaps://") || any_uri(ldap, "ldapi://")))
		finding_error(load->findings,
		    check_node_of(entry, &ldap->start_tls),
		    "start_tls is for ldap:// only; ldaps:// is encrypted from "
		    "the start, ldapi:// is local");
	if (password && !ldap->start_tls && any_uri(ldap, "ldap://"))
		finding_error(load->findings, check_node_of(entry, ldap->uris),
		    "no password is sent in clear text: use ldaps:// or "
		    "start_tls: required");
}

/* Tables that have the part before the @ on the left: aliases(5), also in NIS,
 * and the users of the system. */
static bool
is_of_local_parts(const char *table)
{
	static const char *const names[] = { "aliases", "mail.aliases",
		"passwd.byname" };
	const char *colon = strchr(table, ':'), *slash = strrchr(table, '/');
	const char *name = slash != NULL ? slash + 1 : colon + 1;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Whoever writes `key` knows what the table has. */
static void
check_table(struct load *load, const struct postfix_source *postfix,
    const struct node *entry)
{
	const struct node *at = check_node_of(entry, &postfix->table);

	if (postfix->table == NULL || node_child(at->parent, "key") != NULL ||
	    !is_of_local_parts(postfix->table))
		return;
	finding_warning(load->findings, at,
	    "by its name it has the part before the @ on the left, as in "
	    "aliases(5): no whole address would be found there, so everybody "
	    "would be absent; write key: local, or key: address if it has "
	    "whole addresses");
}

/* Has a source's name of a domain anything to do with an accepted one? */
static bool
is_related(const char *name, const char *accepted)
{
	return strcmp(name, accepted) == 0 || domain_matches(accepted, name) ||
	       domain_matches(name, accepted);
}

static const struct accepted_domain *
accepted_for(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_domains; i++)
		if (config->domains[i].name != NULL &&
		    is_related(name, config->domains[i].name))
			return &config->domains[i];
	return NULL;
}

/* Names of domains that can never be asked for. */
static void
check_names(struct load *load, const struct config *config,
    const struct directory_source *source, const struct node *entry)
{
	const struct node *list = check_node_of(entry, &source->domains), *node;
	const struct accepted_domain *accepted;

	for (node = list == entry ? NULL : list->first; node != NULL;
	     node = node->next) {
		const char *name = source->domains[node->index];

		if (name == NULL)
			continue;
		accepted = accepted_for(config, name);
		if (accepted == NULL)
			finding_error(load->findings, node,
			    "%s is not one of the accepted_domains", name);
		else if (accepted->map_to != NULL &&
			 strcmp(accepted->name, name) == 0)
			finding_warning(load->findings, node,
			    "never asked for: %s is mapped to %s", name,
			    accepted->map_to);
	}
}

static bool
any_covers(const struct config *config, const char *domain)
{
	for (size_t i = 0; i < config->n_directory; i++)
		if (source_covers(&config->directory[i], domain))
			return true;
	return config->n_directory == 0;
}

/* Each accepted domain should be somebody's. */
static void
check_covered(
    struct load *load, const struct config *config, const struct node *list)
{
	for (size_t i = 0; i < config->n_domains; i++) {
		const struct accepted_domain *d = &config->domains[i];

		if (d->name != NULL && d->map_to == NULL &&
		    !any_covers(config, d->name))
			finding_warning(load->findings, list,
			    "no source is for %s: every address there is taken "
			    "to exist",
			    d->name);
	}
}

void
check_directory(
    struct load *load, const struct config *config, const struct node *root)
{
	const struct node *list = check_node_of(root, &config->directory);
	const struct node *entry = list == root ? NULL : list->first;

	for (size_t i = 0; i < config->n_directory && entry != NULL;
	     i++, entry = entry->next) {
		const struct directory_source *source = &config->directory[i];

		if (source->kind == DIRECTORY_LDAP)
			check_ldap(load, &source->ldap, entry);
		if (source->kind == DIRECTORY_POSTFIX)
			check_table(load, &source->postfix, entry);
		if (config->n_domains > 0)
			check_names(load, config, source, entry);
	}
	check_covered(load, config, list);
}
