/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "config/schema.h"
#include "mail/domain.h"

#include <stdlib.h>
#include <string.h>

static struct settings *
settings_of(const struct config *config)
{
	/* The first member; see schema.h. */
	return (struct settings *)(uintptr_t)config;
}

struct config *
config_ref(struct config *config)
{
	atomic_fetch_add(&settings_of(config)->references, 1);
	return config;
}

void
config_unref(struct config *config)
{
	struct settings *settings = settings_of(config);

	if (config == NULL || atomic_fetch_sub(&settings->references, 1) != 1)
		return;
	arena_clear(&settings->arena);
	free(settings);
}

const struct account *
config_account(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->n_accounts; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	return NULL;
}

bool
account_is_imap(const struct account *account)
{
	return account->protocol == PROTOCOL_IMAP ||
	       account->protocol == PROTOCOL_IMAPS;
}

const struct accepted_domain *
config_domain(const struct config *config, const char *domain)
{
	const struct accepted_domain *best = NULL, *d;

	for (size_t i = 0; i < config->n_domains; i++) {
		d = &config->domains[i];
		if (d->name == NULL || !domain_matches(d->name, domain))
			continue;
		if (d->name[0] != '.')
			return d;
		if (best == NULL || strlen(d->name) > strlen(best->name))
			best = d;
	}
	return best;
}

static int
compare_alias(const void *address, const void *alias)
{
	return address_compare(
	    address, &((const struct alias *)alias)->address);
}

const struct alias *
config_alias(const struct config *config, const struct address *address)
{
	if (config->n_aliases == 0)
		return NULL;
	return bsearch(address, config->aliases, config->n_aliases,
	    sizeof(*config->aliases), compare_alias);
}

static int
compare_list(const void *name, const void *list)
{
	return strcmp(name, ((const struct mailing_list *)list)->name);
}

const struct mailing_list *
config_list(const struct config *config, const char *name)
{
	if (config->n_lists == 0)
		return NULL;
	return bsearch(name, config->lists, config->n_lists,
	    sizeof(*config->lists), compare_list);
}

bool
config_allows_external(
    const struct config *config, const struct address *address)
{
	for (size_t i = 0; i < config->n_allow_external; i++)
		if (address_equal(&config->allow_external[i], address))
			return true;
	return false;
}

bool
source_covers(const struct directory_source *source, const char *domain)
{
	const char *const *name = source->domains;

	while (name != NULL && *name != NULL && strcmp(*name, domain) != 0 &&
	       !domain_matches(*name, domain))
		name++;
	return name == NULL || *name != NULL;
}
