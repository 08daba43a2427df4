/* SPDX-License-Identifier: Apache-2.0 */
#include "recipients/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mail/header.h"

void
fingerprint_group(
    const struct account *account, char out[FINGERPRINT_GROUP_SIZE])
{
	if (account->dedupe.group == NULL)
		account_key(account, out, FINGERPRINT_GROUP_SIZE);
	else
		snprintf(out, FINGERPRINT_GROUP_SIZE, "group:%s",
		    account->dedupe.group);
}

/* Servers fold as they like: only the words count. */
static void
add_words(struct digest *d, struct slice text)
{
	struct slice word;

	while (slice_cut_word(&text, &word)) {
		digest_add(d, word);
		digest_add(d, SLICE("\n"));
	}
	digest_add(d, SLICE("\n"));
}

static bool
add_fields(struct digest *d, struct slice header)
{
	static const struct {
		const char *name;
		bool required;
	} fields[] = {
		{ "Message-ID", true },
		{ "Date", true },
		{ "From", false },
		{ "Resent-Message-ID", false },
		{ "Resent-Date", false },
	};
	struct header_field f;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		bool found = header_find(header, fields[i].name, &f);
		struct slice body = found ? slice_trim(f.body) : SLICE("");

		if (fields[i].required && body.len == 0)
			return false;
		add_words(d, body);
	}
	return true;
}

static bool
same_group(const struct account *a, const struct account *b)
{
	char group[2][FINGERPRINT_GROUP_SIZE];

	fingerprint_group(a, group[0]);
	fingerprint_group(b, group[1]);
	return strcmp(group[0], group[1]) == 0;
}

/* Each account of a group takes only its own for nobody's. */
static bool
is_own_of_group(const struct config *config, const struct account *account,
    const struct address *address)
{
	for (size_t i = 0; i < config->n_accounts; i++) {
		const struct account *other = &config->accounts[i];

		for (size_t j = 0; j < other->n_addresses; j++)
			if (address_equal(&other->addresses[j], address) &&
			    same_group(other, account))
				return true;
	}
	return false;
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_candidates(struct digest *d, const struct config *config,
    const struct account *account, const struct candidates *c)
{
	char **texts = mem_new_array(c->n + 1, sizeof(*texts));
	char text[ADDRESS_TEXT_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct candidate *one = &c->all[i];

		if (one->kind == CANDIDATE_USABLE ||
		    (one->kind == CANDIDATE_FOREIGN &&
			!is_own_of_group(config, account, &one->address)))
			texts[n++] =
			    mem_string(address_key(&one->address, text));
	}
	if (n > 0)
		qsort(texts, n, sizeof(*texts), compare_texts);
	for (size_t i = 0; i < n; i++) {
		/* A quoted local part may hold blanks, but no control. */
		digest_add(d, slice_of(texts[i]));
		digest_add(d, SLICE("\n"));
		free(texts[i]);
	}
	digest_add(d, SLICE("\n"));
	free(texts);
}

struct digest *
fingerprint_begin(const struct config *config, const struct account *account,
    struct slice header, const struct candidates *candidates)
{
	struct digest *d;

	if (!account->dedupe.on || candidates->tier != TIER_HEADERS ||
	    candidates->traces.here || header.len >= HEADER_HELD_MAX)
		return NULL;
	d = digest_new();
	if (!add_fields(d, header)) {
		digest_end(d, NULL);
		return NULL;
	}
	add_candidates(d, config, account, candidates);
	return d;
}

void
fingerprint_add(struct digest *d, struct slice body)
{
	while (body.len > 0) {
		size_t len = slice_find(body, '\r');

		digest_add(d, slice_first(body, len));
		body = slice_from(body, len + 1);
	}
}
