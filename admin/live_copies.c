/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies that Postfix makes of all mail for a fallback: each collected mail
 * enters Postfix addressed to it, so that each would be copied.
 */
#include "admin/live.h"

#include "postfix/words.h"

#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 4096, MAP_MAX = 1024 };

struct copies {
	struct live *live;
	char postmap[MAP_MAX];
	bool found;
};

static void
ask_map(struct copies *c, const char *map, const char *account,
    const struct address *fallback)
{
	char whole[ADDRESS_TEXT_SIZE], domain[ADDRESS_TEXT_SIZE];
	const char *const keys[] = { whole, domain };
	struct buf value;

	address_write(fallback, whole);
	snprintf(domain, sizeof(domain), "@%s", fallback->domain);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		buf_init(&value, ANSWER_MAX);
		if (postmap_query(c->postmap, map, keys[i], &value)) {
			c->found = true;
			live_say(c->live, LIVE_WARNING, "recipient_bcc_maps",
			    "%s copies mail for %s, the fallback of account "
			    "%s, to %.*s: that is a copy of every mail "
			    "collected there; name another fallback",
			    map, whole, account,
			    SLICE_ARG(slice_trim(buf_slice(&value))));
		}
		buf_clear(&value);
	}
}

static bool
same_fallback(const struct account *a, const struct account *b)
{
	char x[ADDRESS_TEXT_SIZE], y[ADDRESS_TEXT_SIZE];

	return strcmp(address_write(&a->fallback, x),
		   address_write(&b->fallback, y)) == 0;
}

/* Many accounts have one fallback. */
static bool
is_new(const struct config *config, size_t account)
{
	for (size_t i = 0; i < account; i++)
		if (same_fallback(
			&config->accounts[i], &config->accounts[account]))
			return false;
	return true;
}

static void
ask_maps(struct copies *c)
{
	const struct config *config = c->live->config;
	struct slice maps =
	    slice_of(live_postfix(c->live, "recipient_bcc_maps"));
	struct slice word;
	char map[MAP_MAX];

	while (words_cut(&maps, &word)) {
		snprintf(map, sizeof(map), "%.*s", SLICE_ARG(word));
		for (size_t i = 0; i < config->n_accounts; i++)
			if (is_new(config, i))
				ask_map(c, map, config->accounts[i].name,
				    &config->accounts[i].fallback);
	}
}

void
live_check_copies(struct live *live)
{
	const char *always = live_postfix(live, "always_bcc");
	struct copies c = { .live = live };

	if (!live->has_postfix)
		return;
	snprintf(c.postmap, sizeof(c.postmap), "%s/postmap",
	    live_postfix(live, "command_directory"));
	ask_maps(&c);
	if (!c.found)
		live_say(live, LIVE_OK, "recipient_bcc_maps",
		    "no copies of mail for a fallback");
	if (always[0] != '\0')
		live_say(live, LIVE_WARNING, "always_bcc",
		    "%s gets a copy of every collected mail", always);
}
