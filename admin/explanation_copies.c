/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "recipients/explain.h"
#include "state/seen_original.h"

struct message {
	struct slice beginning;
	FILE *rest;
};

/* Without a state nothing was ever injected. */
static bool
has_state(const char *state_dir)
{
	char path[4096];
	struct stat st;
	int len = snprintf(path, sizeof(path), "%s/state.db", state_dir);

	return len < 0 || (size_t)len >= sizeof(path) || stat(path, &st) == 0 ||
	       (errno != ENOENT && errno != ENOTDIR);
}

static bool
find(const struct config *config, const struct account *account,
    const uint8_t *fingerprint, char *id, struct error *err)
{
	char group[FINGERPRINT_GROUP_SIZE];
	struct seen *seen;
	bool ok;

	id[0] = '\0';
	if (!has_state(config->state_dir))
		return true;
	seen = seen_open_readonly(config->state_dir, err);
	if (seen == NULL)
		return false;
	fingerprint_group(account, group);
	ok = seen_original_find(seen,
	    &(struct seen_original){
		.group = group, .fingerprint = fingerprint },
	    clock_wall_ms() - account->dedupe.window_ms, id, err);
	seen_close(seen);
	return ok;
}

static bool
read_body(struct digest *d, struct slice start, FILE *rest, struct error *err)
{
	uint8_t piece[4096];
	size_t n;

	fingerprint_add(d, start);
	while ((n = fread(piece, 1, sizeof(piece), rest)) > 0)
		fingerprint_add(d, (struct slice){ piece, n });
	return !ferror(rest) ||
	       error_errno(err, ERROR_LOCAL, errno, "the message");
}

static bool
look_up(struct explanation *e, const struct config *config,
    const struct message *message, char *id, struct error *err)
{
	uint8_t fingerprint[DIGEST_SIZE];
	struct slice body = message->beginning, line;
	struct digest *d;
	bool whole;

	id[0] = '\0';
	while (slice_cut_line(&body, &line) && line.len > 0)
		;
	d = fingerprint_begin(config, e->account,
	    slice_first(message->beginning, message->beginning.len - body.len),
	    &e->candidates);
	if (d == NULL)
		return true;
	whole = read_body(d, body, message->rest, err);
	digest_end(d, fingerprint);
	return whole && find(config, e->account, fingerprint, id, err);
}

/* This copy is for nobody. */
static void
forget_recipients(struct explanation *e)
{
	for (size_t i = 0; i < e->n_recipients; i++)
		free(e->recipients[i]);
	e->n_recipients = 0;
}

void
explanation_find_original(struct explanation *e, const struct config *config,
    struct slice beginning, FILE *rest)
{
	char id[SEEN_ID_SIZE];
	struct error err;

	if (e->verdict == EXPLAIN_PARK)
		return;
	if (!look_up(
		e, config, &(struct message){ beginning, rest }, id, &err)) {
		explain_warn(&e->candidates,
		    "whether it is a copy of a message that was delivered "
		    "cannot be known: %s",
		    err.text);
	} else if (id[0] != '\0') {
		e->verdict = EXPLAIN_DUPLICATE;
		snprintf(e->reason, sizeof(e->reason),
		    "a copy of %s, which was delivered", id);
		forget_recipients(e);
	}
}
