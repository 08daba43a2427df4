/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/import_fetchmailrc_names.h"

#include "mail/address_set.h"
#include "mail/domain.h"

#include <strings.h>

struct names {
	struct import *import;
	const struct rc_names *all;
	/* Of the left sides: all, those that another name stands for, and those
	 * that were looked at. */
	struct address_set known, mapped, passed;
	bool alone;
};

static bool
is_mapped(const struct rc_names *n, size_t i)
{
	return strcasecmp(n->remotes.items[i], n->locals.items[i]) != 0;
}

static bool
is_whole(const char *name)
{
	struct slice text = slice_of(name);

	return slice_find(text, '@') < text.len;
}

static bool
is_accepted(const struct import *import, const char *domain)
{
	if (import->domain != NULL && domain_matches(import->domain, domain))
		return true;
	for (size_t i = 0; i < import->domains.n; i++)
		if (domain_matches(import->domains.items[i], domain))
			return true;
	return false;
}

/* Else nobody knows in which of them a bare name was mapped. */
static bool
has_one_domain(const struct import *import)
{
	const char *own = import_own_domain(import);

	for (size_t i = 0; i < import->domains.n; i++)
		if (own == NULL ||
		    strcasecmp(import->domains.items[i], own) != 0)
			return false;
	return true;
}

/* As it will be written, with a domain in place of one that is still to be
 * filled in; false when it can be no address that we accept. */
static bool
read_name(
    const struct import *import, const char *name, struct address *address)
{
	const char *domain = import_own_domain(import);

	if (!import_is_recipient(name))
		return false;
	if (is_whole(name))
		return address_parse(slice_of(name), address) == ADDRESS_OK &&
		       is_accepted(import, address->domain);
	return address_make(slice_of(name),
		   slice_of(domain == NULL ? "domain.invalid" : domain),
		   address) == ADDRESS_OK;
}

/* Does it mean the same as one of the aliases, which are followed once?
 * `first`: no pair that fetchmail finds before it has this left side. */
static bool
is_alias(const struct names *n, size_t i, bool first)
{
	struct address people;

	return n->alone && first &&
	       (is_whole(n->all->remotes.items[i]) ||
		   (!n->all->local_domains && has_one_domain(n->import))) &&
	       read_name(n->import, n->all->locals.items[i], &people) &&
	       address_set_find(&n->mapped, &people) == n->mapped.n;
}

/* Parsed and written anew: a source may have any comment in it. */
static const char *
plain(struct import *import, const char *name)
{
	char text[ADDRESS_TEXT_SIZE];
	struct address address;

	if (!is_whole(name) ||
	    address_parse(slice_of(name), &address) != ADDRESS_OK)
		return name;
	return arena_string(
	    &import->arena, slice_of(address_write(&address, text)));
}

static void
add_alias(const struct names *n, size_t i)
{
	const struct rc_names *all = n->all;
	const char *remote = all->remotes.items[i],
		   *local = all->locals.items[i];
	struct import *import = n->import;
	bool passes = all->star || all->local_domains;
	struct address people;

	import->aliases_of = all->account;
	import_add(import, &import->aliases, plain(import, remote));
	import_add(import, &import->people, plain(import, local));
	if (passes || (read_name(import, local, &people) &&
			  address_set_find(&n->known, &people) < n->known.n))
		import_say_of(all->account, all->line, IMPORT_TAKEN,
		    "%s=%s: aliases", remote, local);
	else
		import_say_of(all->account, all->line, IMPORT_CHANGED,
		    "%s=%s: aliases; %s gets mail under that name, too", remote,
		    local, local);
}

static void
say_dropped(const struct rc_names *all, size_t i)
{
	const char *remote = all->remotes.items[i],
		   *local = all->locals.items[i];

	import_say_of(all->account, all->line, IMPORT_DROPPED,
	    "%s=%s: Postfix maps addresses, by virtual_alias_maps: %s %s",
	    remote, local, remote, local);
}

/* Those without which nobody would get mail. */
static void
add_user(const struct names *n, const char *name)
{
	if (!n->all->star && !n->all->local_domains)
		import_add_once(n->import, &n->import->users, name);
}

static void
know_names(struct names *n)
{
	struct address address;

	for (size_t i = 0; i < n->all->remotes.n; i++) {
		if (!read_name(n->import, n->all->remotes.items[i], &address))
			continue;
		address_set_add(&n->known, &address);
		if (is_mapped(n->all, i))
			address_set_add(&n->mapped, &address);
	}
}

static void
finish_pairs(struct names *n, bool whole)
{
	const struct rc_names *all = n->all;
	struct address address;

	for (size_t i = 0; i < all->remotes.n; i++) {
		const char *remote = all->remotes.items[i];
		bool first;

		if (is_whole(remote) != whole)
			continue;
		first = read_name(n->import, remote, &address) &&
			address_set_add(&n->passed, &address);
		if (is_mapped(all, i) && is_alias(n, i, first)) {
			add_alias(n, i);
			add_user(n, all->locals.items[i]);
			continue;
		}
		if (is_mapped(all, i))
			say_dropped(all, i);
		add_user(n, remote);
	}
}

static void
finish_names(struct names *n)
{
	know_names(n);
	finish_pairs(n, true);
	finish_pairs(n, false);
	if (!n->all->star && !n->all->local_domains)
		import_say_of(n->all->account, n->all->line, IMPORT_CHANGED,
		    "only these names get mail: they belong into users.txt");
	address_set_clear(&n->known);
	address_set_clear(&n->mapped);
	address_set_clear(&n->passed);
}

void
rc_finish_names(struct import *import, const struct rc_names *first)
{
	bool alone = first != NULL && first->next == NULL;

	for (; first != NULL; first = first->next)
		finish_names(&(struct names){
		    .import = import, .all = first, .alone = alone });
}
