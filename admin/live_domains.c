/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does Postfix know that the accepted domains are ours?  Mail for one that it
 * does not know goes where the MX record says: back to the provider.
 */
#include "admin/live.h"

#include "postfix/words.h"

#include <stdio.h>
#include <string.h>

enum { VALUE_MAX = 4096, TEXT_MAX = 1024 };

static const char *const lists[] = { "mydestination", "virtual_mailbox_domains",
	"virtual_alias_domains", "relay_domains" };
enum { N_LISTS = sizeof(lists) / sizeof(lists[0]) };

/* A word of a list: a domain, or a table; *unsure: a file or pattern that only
 * Postfix reads. */
static bool
matches(struct live *live, struct slice word, const char *domain, bool *unsure)
{
	char map[TEXT_MAX], postmap[TEXT_MAX];
	struct buf value;
	bool found;

	if (slice_equal_nocase(word, slice_of(domain)))
		return true;
	if (slice_find(word, '/') == word.len &&
	    slice_find(word, ':') == word.len)
		return false;
	if (slice_find(word, ':') == word.len) {
		*unsure = true;
		return false;
	}
	snprintf(map, sizeof(map), "%.*s", SLICE_ARG(word));
	snprintf(postmap, sizeof(postmap), "%s/postmap",
	    live_postfix(live, "command_directory"));
	buf_init(&value, VALUE_MAX);
	found = postmap_query(postmap, map, domain, &value);
	buf_clear(&value);
	return found;
}

static bool
is_in(struct live *live, const char *list, const char *domain, bool *unsure)
{
	struct slice rest = slice_of(live_postfix(live, list)), word;

	while (words_cut(&rest, &word))
		if (matches(live, word, domain, unsure))
			return true;
	return false;
}

static void
check_domain(struct live *live, const char *domain)
{
	char what[TEXT_MAX];
	bool unsure = false;

	snprintf(what, sizeof(what), "domain %s", domain);
	for (size_t i = 0; i < N_LISTS; i++)
		if (is_in(live, lists[i], domain, &unsure)) {
			live_say(live, LIVE_OK, what, "in %s", lists[i]);
			return;
		}
	live_say(live, unsure ? LIVE_WARNING : LIVE_ERROR, what,
	    "%s in mydestination, virtual_mailbox_domains or relay_domains: "
	    "Postfix would send mail for it out again; put it where mail for "
	    "it is delivered",
	    unsure ? "not seen" : "not");
}

void
live_check_domains(struct live *live)
{
	const struct config *config = live->config;

	if (!live->has_postfix)
		return;
	for (size_t i = 0; i < config->n_domains; i++)
		/* Of mapped and of sub-domains others are delivered. */
		if (config->domains[i].map_to == NULL &&
		    config->domains[i].name[0] != '.')
			check_domain(live, config->domains[i].name);
}
