/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of check.h that is about aliases and lists.
 */
#include "config/check.h"

#include "mail/extension.h"

#include <stdlib.h>
#include <string.h>

static const char *
key_of(struct load *load, const struct address *address)
{
	char text[ADDRESS_TEXT_SIZE];

	return arena_string(load->arena, slice_of(address_key(address, text)));
}

static void
check_alias_names(
    struct load *load, const struct config *config, const struct node *entry)
{
	const struct alias *alias = config->aliases;
	struct names names = { 0 };

	for (size_t i = 0; i < config->n_aliases; i++, entry = entry->next)
		if (!address_is_null(&alias[i].address))
			names_add(&names, key_of(load, &alias[i].address),
			    node_child(entry, "address"));
	check_unique(load, &names);
}

static void
check_list_names(
    struct load *load, const struct config *config, const struct node *entry)
{
	struct names names = { 0 };

	for (size_t i = 0; i < config->n_lists; i++, entry = entry->next)
		names_add(
		    &names, config->lists[i].name, node_child(entry, "list"));
	check_unique(load, &names);
}

static int
by_address(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;

	return address_compare(&x->address, &y->address);
}

static int
by_name(const void *a, const void *b)
{
	const struct mailing_list *x = a, *y = b;

	/* Names that could not be read. */
	if (x->name == NULL || y->name == NULL)
		return (x->name != NULL) - (y->name != NULL);
	return strcmp(x->name, y->name);
}

/* A copy: the nodes know the places of the others. */
static const void *
sorted(struct load *load, const void *array, size_t n, size_t size,
    int (*order)(const void *, const void *))
{
	void *copy;

	if (n == 0)
		return NULL;
	copy = arena_new_array(load->arena, n, size);
	memcpy(copy, array, n * size);
	qsort(copy, n, size, order);

	return copy;
}

/* Mail for the address would never come by: it is taken as another one. */
static void
check_unmapped(
    struct load *load, const struct config *config, const struct node *node)
{
	const struct address *address = node->field;
	const struct accepted_domain *domain =
	    config_domain(config, address->domain);

	if (domain != NULL && domain->map_to != NULL)
		finding_error(load->findings, node,
		    "%s is mapped to %s: name the address there",
		    address->domain, domain->map_to);
}

/* Is it an alias, or without its extension, once map_to was applied? */
static bool
is_alias(const struct config *config, const struct address *as_written)
{
	const struct accepted_domain *domain =
	    config_domain(config, as_written->domain);
	const struct address *address = as_written;
	struct address mapped, base;

	if (domain != NULL && domain->map_to != NULL &&
	    address_make(slice_of(as_written->local), slice_of(domain->map_to),
		&mapped) == ADDRESS_OK)
		address = &mapped;
	return config_alias(config, address) != NULL ||
	       (extension_remove(address, config->recipient_delimiter, &base) &&
		   config_alias(config, &base) != NULL);
}

/* An alias may name itself: a copy for others, as in Postfix's virtual(5). */
static void
check_people(struct load *load, const struct config *config,
    const struct node *node, const struct address *self)
{
	for (node = node->first; node != NULL; node = node->next)
		if (node->field != NULL && is_alias(config, node->field) &&
		    (self == NULL || !address_equal(node->field, self)))
			finding_error(load->findings, node,
			    "%s is an alias itself: name its people here",
			    node->text);
}

void
check_alias(
    struct load *load, const struct config *config, const struct node *node)
{
	const struct address *address = node->field;

	if (node->row->type == &value_optional_address)
		address = *(const struct address *const *)node->field;
	if (is_alias(config, address))
		finding_warning(load->findings, node,
		    "%s is one of the aliases, which are not applied here: "
		    "Postfix must know it",
		    node->text);
}

void
check_aliases(struct load *load, struct config *config, const struct node *root)
{
	const struct node *aliases = check_entries_of(root, &config->aliases);
	const struct node *lists = check_entries_of(root, &config->lists);
	const struct node *address, *to;

	check_alias_names(load, config, aliases);
	check_list_names(load, config, lists);
	config->aliases = sorted(load, config->aliases, config->n_aliases,
	    sizeof(*config->aliases), by_address);
	config->lists = sorted(load, config->lists, config->n_lists,
	    sizeof(*config->lists), by_name);
	for (; aliases != NULL; aliases = aliases->next) {
		address = node_child(aliases, "address");
		to = node_child(aliases, "to");
		if (address != NULL && address->field != NULL)
			check_unmapped(load, config, address);
		if (to != NULL)
			check_people(load, config, to,
			    address == NULL ? NULL : address->field);
	}
}
