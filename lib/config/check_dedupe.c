/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of check.h that is about accounts which share what was delivered.
 */
#include "config/check.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct member {
	const struct account *account;
	const struct node *entry;
};

static int
by_group(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->account->dedupe.group, y->account->dedupe.group);

	/* Then as in the file. */
	return order != 0 ? order : (x->account > y->account) * 2 - 1;
}

/* Mail of single mailboxes is no guess; what could not be read has been told. */
static bool
takes_part(const struct account *account)
{
	return account->dedupe.on && account->mailbox == MAILBOX_CATCH_ALL &&
	       account->name != NULL && !address_is_null(&account->fallback);
}

/* Of copies for nobody known one account's fallback gets one. */
static void
check_fallbacks(
    struct load *load, const struct member *members, size_t n_members)
{
	char own[ADDRESS_TEXT_SIZE], others[ADDRESS_TEXT_SIZE];
	const struct account *first = NULL;

	for (size_t i = 0; i < n_members; i++) {
		const struct account *a = members[i].account;
		const struct node *at =
		    check_node_of(members[i].entry, &a->fallback);

		if (!takes_part(a))
			continue;
		if (first == NULL)
			first = a;
		if (address_equal(&a->fallback, &first->fallback))
			continue;
		if (at == members[i].entry)
			at = check_node_of(at, &a->dedupe.group);
		finding_warning(load->findings, at,
		    "the fallback is %s here and %s in %s, which is of the "
		    "group %s, too: which of them gets mail for nobody known "
		    "depends on the copy that comes first; give both accounts "
		    "one fallback",
		    address_write(&a->fallback, own),
		    address_write(&first->fallback, others), first->name,
		    a->dedupe.group);
	}
}

/* A group that only one account names is mostly another one's, mistyped. */
static void
check_alone(struct load *load, const struct member *member)
{
	const struct node *at =
	    check_node_of(member->entry, &member->account->dedupe.group);

	if (at->kind == NODE_SCALAR)
		finding_warning(load->findings, at,
		    "no other account names the group %s",
		    member->account->dedupe.group);
}

static size_t
count_of_group(const struct member *members, size_t n)
{
	const char *group = members[0].account->dedupe.group;
	size_t same = 1;

	while (
	    same < n && strcmp(members[same].account->dedupe.group, group) == 0)
		same++;
	return same;
}

void
check_groups(
    struct load *load, const struct config *config, const struct node *entry)
{
	struct member *members =
	    mem_new_array(config->n_accounts + 1, sizeof(*members));
	size_t n = 0;

	for (size_t i = 0; i < config->n_accounts; i++, entry = entry->next)
		if (config->accounts[i].dedupe.group != NULL)
			members[n++] =
			    (struct member){ &config->accounts[i], entry };
	if (n > 0)
		qsort(members, n, sizeof(*members), by_group);
	for (size_t i = 0, same; i < n; i += same) {
		same = count_of_group(members + i, n - i);
		if (same > 1)
			check_fallbacks(load, members + i, same);
		else if (config->n_accounts > 1)
			check_alone(load, members + i);
	}
	free(members);
}
