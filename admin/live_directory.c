/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory: the addresses that the configuration names, and each LDAP or
 * SMTP server by itself.
 */
#include "admin/live.h"

#include "admin/credentials.h"
#include "base/clock.h"
#include "base/mem.h"
#include "directory/directory.h"
#include "directory/ldap_connection.h"
#include "directory/ldap_filter.h"
#include "directory/source.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHAT_MAX = 512, ROLE_MAX = 256, ADDRESSES_MAX = 500 };

/* What becomes of mail for one that the directory does not know. */
static const char undeliverable[] =
    "it gets mail all the same, so make sure that Postfix can deliver it";
static const char redirected[] =
    "its mail goes to catch_all, unknown_recipients or the fallback";

struct named_address {
	const struct address *address;
	char role[ROLE_MAX]; /* "fallback of account office" */
	const char *if_absent;
};
struct addresses {
	const struct config *config;
	struct named_address list[ADDRESSES_MAX];
	size_t n;
	bool more; /* than there is room for */
};

static bool
is_looked_up(const struct addresses *all, const struct address *address)
{
	if (address == NULL || address_is_null(address))
		return false;
	for (size_t i = 0; i < all->n; i++)
		if (address_equal(all->list[i].address, address))
			return false;
	return true;
}

static void
add(struct addresses *all, const struct address *address, const char *role,
    const char *of)
{
	struct named_address *n;

	if (!is_looked_up(all, address))
		return;
	if (all->n == ADDRESSES_MAX) {
		all->more = true;
		return;
	}
	n = &all->list[all->n++];
	n->address = address;
	n->if_absent = undeliverable;
	snprintf(n->role, sizeof(n->role), "%s%s", role, of);
}

static bool
is_asked_for(const struct config *config, const struct address *address)
{
	const struct accepted_domain *domain =
	    config_domain(config, address->domain);

	return domain != NULL && domain->map_to == NULL &&
	       config_alias(config, address) == NULL;
}

/* Of these the directory is asked, and mail goes elsewhere if need be. */
static void
add_people(struct addresses *all, const struct address *to, size_t n,
    const char *role, const char *of)
{
	for (size_t i = 0; i < n; i++) {
		size_t before = all->n;

		if (is_asked_for(all->config, &to[i]))
			add(all, &to[i], role, of);
		if (all->n > before)
			all->list[before].if_absent = redirected;
	}
}

static void
add_targets(struct addresses *all, const struct address *to, size_t n,
    const struct rule *rule)
{
	for (size_t i = 0; i < n; i++)
		if (is_asked_for(all->config, &to[i]))
			add(all, &to[i], "gets mail by the rule ",
			    rule->name == NULL ? "(without a name)"
					       : rule->name);
}

static void
gather_rules(struct addresses *all, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rule_actions *then = &rules[i].then;

		add_targets(all, then->replace, then->n_replace, &rules[i]);
		add_targets(all, then->add, then->n_add, &rules[i]);
	}
}

static void
gather_accounts(const struct config *config, struct addresses *all)
{
	for (size_t i = 0; i < config->n_accounts; i++) {
		const struct account *a = &config->accounts[i];

		add(all, &a->fallback, "fallback of account ", a->name);
		add(all, a->unknown_recipients,
		    "unknown_recipients of account ", a->name);
		add(all, &a->deliver_to, "deliver_to of account ", a->name);
		gather_rules(all, a->rules, a->n_rules);
	}
}

static void
gather(const struct config *config, struct addresses *all)
{
	char text[ADDRESS_TEXT_SIZE];

	all->config = config;
	add(all, &config->postmaster, "postmaster", "");
	for (size_t i = 0; i < config->n_domains; i++)
		add(all, config->domains[i].catch_all, "catch_all of ",
		    config->domains[i].name);
	gather_accounts(config, all);
	gather_rules(all, config->rules, config->n_rules);
	for (size_t i = 0; i < config->n_aliases; i++)
		add_people(all, config->aliases[i].to, config->aliases[i].n_to,
		    "one of the people of the alias ",
		    address_write(&config->aliases[i].address, text));
	for (size_t i = 0; i < config->n_lists; i++)
		add_people(all, config->lists[i].to, config->lists[i].n_to,
		    "one of the people of the list ", config->lists[i].name);
}

static void
say_address(struct live *live, const struct named_address *named,
    const struct directory_answer *answer)
{
	char what[WHAT_MAX], text[ADDRESS_TEXT_SIZE];

	snprintf(what, sizeof(what), "address %s",
	    address_write(named->address, text));
	if (answer->existence == EXISTS)
		live_say(
		    live, LIVE_OK, what, "%s; %s", named->role, answer->reason);
	else if (answer->existence == ABSENT)
		live_say(live, LIVE_WARNING, what,
		    "%s, but the directory does not know it (%s): %s",
		    named->role, answer->reason, named->if_absent);
	else
		live_say(live, LIVE_ERROR, what,
		    "%s; the directory cannot tell whether it exists: %s",
		    named->role, answer->reason);
}

void
live_check_addresses(struct live *live)
{
	struct addresses *all = mem_new(sizeof(*all));
	struct directory *directory;
	struct directory_answer answer;

	/* A server that hangs up is a reply, not a reason to die. */
	signal(SIGPIPE, SIG_IGN);
	credentials_use_instead(MILTER_UNIT, live->credentials);
	directory = directory_new(live->config);
	gather(live->config, all);
	for (size_t i = 0; i < all->n; i++) {
		directory_lookup(directory, all->list[i].address, &answer);
		say_address(live, &all->list[i], &answer);
	}
	if (all->more)
		live_say(live, LIVE_OK, "addresses",
		    "the configuration names more than %d: of the others the "
		    "directory was not asked",
		    ADDRESSES_MAX);
	free(all);
	directory_free(directory);
}

static bool
ask_server(const struct ldap_source *settings, const char *uri,
    const struct address *address, int *entries, struct error *err)
{
	int64_t deadline_ms = clock_monotonic_ms() + settings->timeout_ms;
	struct ldap_search search = { .deadline_ms = deadline_ms };
	struct ldap_connection *link;
	struct buf filter;
	bool ok;

	if (!ldap_filter_check(settings->filter, err))
		return false;
	link = ldap_connection_open(settings, uri, deadline_ms, err);
	if (link == NULL)
		return false;
	buf_init(&filter, LDAP_FILTER_MAX);
	ldap_filter_write(settings->filter, address, &filter);
	search.filter = buf_string(&filter);
	ok = ldap_connection_search(link, &search, err);
	*entries = search.entries;
	buf_clear(&filter);
	ldap_connection_close(link);
	return ok;
}

static void
check_server(
    struct live *live, const struct ldap_source *settings, const char *uri)
{
	const struct address *address = settings->canary != NULL
					    ? settings->canary
					    : &live->config->postmaster;
	int64_t start_ms = clock_monotonic_ms();
	char what[WHAT_MAX], text[ADDRESS_TEXT_SIZE];
	struct error err;
	struct slice why;
	int entries = 0;

	snprintf(what, sizeof(what), "ldap %s", uri);
	address_write(address, text);
	if (!ask_server(settings, uri, address, &entries, &err)) {
		why = slice_of(err.text);
		if (slice_cut_prefix(&why, slice_of(uri)))
			slice_cut_prefix(&why, SLICE(": "));
		live_say(live, LIVE_ERROR, what, "%.*s", SLICE_ARG(why));
	} else if (entries == 0 && settings->canary != NULL)
		live_say(live, LIVE_ERROR, what,
		    "logged in, but does not find the canary %s: look at base, "
		    "filter and the rights of bind_dn",
		    text);
	else
		live_say(live, LIVE_OK, what,
		    "logged in and asked for %s in %lld ms: %s", text,
		    (long long)(clock_monotonic_ms() - start_ms),
		    entries > 0 ? "found" : "no entry");
}

static void
check_smtp(struct live *live, const struct directory_source *source)
{
	void *state = source_smtp.open(live->config, source);
	struct directory_answer answer;
	char what[WHAT_MAX];
	bool ready;

	source_smtp.ready(state, INT64_MAX, &answer);
	source_smtp.close(state);
	ready = answer.existence != UNKNOWN;
	snprintf(what, sizeof(what), "smtp %s", source->smtp.host);
	live_say(live, ready ? LIVE_OK : LIVE_ERROR, what, "%s",
	    ready ? "answers, and does not take mail for everybody"
		  : answer.reason);
}

/* Asked as the user who looks; live_files.c knows what the milter may read. */
static void
check_table(struct live *live, const struct directory_source *source)
{
	const struct address *address = source->postfix.canary != NULL
					    ? source->postfix.canary
					    : &live->config->postmaster;
	const struct directory_question question = { address, 1, INT64_MAX };
	void *state = source_postfix.open(live->config, source);
	struct directory_answer answer;
	char what[WHAT_MAX], text[ADDRESS_TEXT_SIZE];

	source_postfix.lookup(state, &question, &answer);
	source_postfix.close(state);
	snprintf(what, sizeof(what), "table %s", source->postfix.table);
	address_write(address, text);
	if (answer.existence == UNKNOWN)
		live_say(live, LIVE_ERROR, what, "%s", answer.reason);
	else if (answer.existence == ABSENT && source->postfix.canary != NULL)
		live_say(
		    live, LIVE_ERROR, what, "the canary %s is not in it", text);
	else
		live_say(live, LIVE_OK, what, "asked for %s: %s", text,
		    existence_name(answer.existence));
}

void
live_check_servers(struct live *live)
{
	const struct config *config = live->config;

	for (size_t i = 0; i < config->n_directory; i++) {
		const struct directory_source *source = &config->directory[i];

		if (source->kind == DIRECTORY_SMTP)
			check_smtp(live, source);
		if (source->kind == DIRECTORY_POSTFIX)
			check_table(live, source);
		for (size_t k = 0; source->kind == DIRECTORY_LDAP &&
				   source->ldap.uris[k] != NULL;
		     k++)
			check_server(live, &source->ldap, source->ldap.uris[k]);
	}
}
