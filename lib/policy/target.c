/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/target.h"

#include <string.h>

#include "base/mem.h"
#include "mail/extension.h"

/* A default Postfix relays victim%elsewhere@here, elsewhere!victim@here and
 * "victim@elsewhere"@here to elsewhere (measured, 3.7), and a leading "-" is
 * an option to many a program.  It discards without a word what is for
 * double-bounce in a domain of mydestination, and for mailer-daemon unless an
 * alias says otherwise (measured). */
bool
target_is_unsafe(const struct address *address)
{
	static const char *const discarded[] = { "double-bounce",
		"mailer-daemon" };
	struct slice local = slice_of(address->local);

	for (size_t i = 0; i < sizeof(discarded) / sizeof(discarded[0]); i++)
		if (slice_equal_nocase(local, slice_of(discarded[i])))
			return true;
	return address->local[0] == '-' ||
	       strpbrk(address->local, "%!@") != NULL;
}

struct target
target_of(const struct config *config, const struct address *address)
{
	struct target t = { .candidate = address,
		.domain = config_domain(config, address->domain),
		.address = *address,
		.usable = !target_is_unsafe(address) };

	if (t.domain == NULL || t.domain->map_to == NULL)
		return t;
	t.usable = t.usable &&
		   address_make(slice_of(address->local),
		       slice_of(t.domain->map_to), &t.address) == ADDRESS_OK;
	if (t.usable)
		t.mapped = t.address;
	t.domain = config_domain(config, t.domain->map_to);
	t.usable = t.usable && t.domain != NULL;
	return t;
}

/* The alias that an address is, as it stands or without its extension: *base
 * is the one of the two. */
static const struct alias *
alias_of(const struct config *config, const struct address *address,
    struct address *base)
{
	const struct alias *alias = config_alias(config, address);

	*base = *address;
	if (alias != NULL || config->n_aliases == 0 ||
	    !extension_remove(address, config->recipient_delimiter, base))
		return alias;
	return config_alias(config, base);
}

static void
add_people(const struct config *config, const struct target *t,
    const struct address *base, struct target *out)
{
	const struct alias *alias = t->alias;
	struct address person;

	for (size_t i = 0; i < alias->n_to; i++) {
		if (!extension_copy(&alias->to[i], &t->address, base, &person))
			person = alias->to[i];
		out[i] = target_of(config, &person);
		out[i].candidate = t->candidate;
		out[i].mapped = t->mapped;
		out[i].alias = alias;
	}
}

struct target *
targets_of(const struct config *config, const struct address *candidates,
    size_t n_candidates, size_t *n)
{
	struct target *all = mem_new_array(n_candidates, sizeof(*all)), t;
	size_t room = TARGETS_MAX - n_candidates;
	struct address base;

	*n = 0;
	for (size_t i = 0; i < n_candidates; i++) {
		t = target_of(config, &candidates[i]);
		if (t.domain != NULL && t.usable)
			t.alias = alias_of(config, &t.address, &base);
		if (t.alias == NULL || t.alias->n_to - 1 > room) {
			t.too_many = t.alias != NULL;
			t.usable = t.usable && !t.too_many;
			all[(*n)++] = t;
			continue;
		}
		room -= t.alias->n_to - 1;
		all = mem_resize(all, TARGETS_MAX - room, sizeof(*all));
		add_people(config, &t, &base, all + *n);
		*n += t.alias->n_to;
	}
	return all;
}
