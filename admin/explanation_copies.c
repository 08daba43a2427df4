/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/explanation.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "admin/run_as.h"
#include "base/clock.h"
#include "base/readable.h"
#include "recipients/explain.h"
#include "state/seen_original.h"

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

bool
explanation_open_state(
    const struct config *config, struct seen **seen, struct error *err)
{
	*seen = NULL;
	if (!has_state(config->state_dir))
		return true;
	if (!run_as_owner(config->state_dir, err))
		return false;
	*seen = seen_open_readonly(config->state_dir, err);
	return *seen != NULL;
}

static bool
find(const struct config *config, const struct account *account,
    const uint8_t *fingerprint, char *id, struct error *err)
{
	char group[FINGERPRINT_GROUP_SIZE];
	struct seen *seen;
	bool ok;

	id[0] = '\0';
	if (!explanation_open_state(config, &seen, err))
		return false;
	if (seen == NULL)
		return true;
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

/* Leaves "not sought" if there is nothing to look for. */
static bool
look_up(struct explanation *e, const struct config *config,
    const struct explained_message *message, char *id, struct error *err)
{
	uint8_t fingerprint[DIGEST_SIZE];
	struct slice body = message->header, line;
	struct digest *d;
	bool whole;

	id[0] = '\0';
	while (slice_cut_line(&body, &line) && line.len > 0)
		;
	d = fingerprint_begin(config, e->account,
	    slice_first(message->header, message->header.len - body.len),
	    &e->candidates);
	if (d == NULL)
		return true;
	e->copies = COPIES_NONE;
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

static void say(struct explanation *, enum explanation_copies, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

static void
say(struct explanation *e, enum explanation_copies copies, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(e->copies_text, sizeof(e->copies_text), fmt, ap) < 0)
		e->copies_text[0] = '\0';
	va_end(ap);
	e->copies = copies;
}

static void
say_not_sought(struct explanation *e)
{
	say(e, COPIES_NOT_SOUGHT, "no copies are looked for: %s",
	    !e->account->dedupe.on ? "the account's dedupe is off"
	    : e->candidates.tier != TIER_HEADERS
		? "its recipients are no guess"
		: "it has no Message-ID, no Date, or too long a header");
}

void
explanation_find_original(struct explanation *e, const struct config *config,
    const struct explained_message *message)
{
	char id[SEEN_ID_SIZE], span[READABLE_SIZE];
	struct error err;

	if (e->verdict == EXPLAIN_PARK) {
		say(e, COPIES_NOT_SOUGHT, "no copies are looked for");
		return;
	}
	readable_span(e->account->dedupe.window_ms, span);
	if (!look_up(e, config, message, id, &err)) {
		say(e, COPIES_UNKNOWN,
		    "whether it is a copy of a message that was delivered "
		    "cannot be known: %s",
		    err.text);
		explain_warn(&e->candidates, "%s", e->copies_text);
	} else if (e->copies == COPIES_NOT_SOUGHT) {
		say_not_sought(e);
	} else if (id[0] == '\0') {
		say(e, COPIES_NONE,
		    "no copy of it was delivered in the last %s (dedupe)",
		    span);
	} else if (strcmp(id, message->id) == 0) {
		say(e, COPIES_ITSELF,
		    "it was delivered itself; a copy that comes within %s of "
		    "that is not (dedupe)",
		    span);
	} else {
		say(e, COPIES_FOUND, "a copy of %s, which was delivered", id);
		e->verdict = EXPLAIN_DUPLICATE;
		snprintf(e->reason, sizeof(e->reason),
		    "a copy of %s, which was delivered", id);
		forget_recipients(e);
	}
}
