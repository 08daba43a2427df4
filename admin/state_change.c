/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/state_change.h"

#include <stdio.h>
#include <string.h>

#include "base/control_socket.h"
#include "recipients/candidates.h"
#include "state/lock.h"

enum { ANSWER_MS = 30 * 1000, IMPORT_MS = 10 * 60 * 1000 };

/* "OK N M": so many numbers as are wanted. */
static bool
understand(struct slice answer, uint64_t *numbers, size_t n, struct error *err)
{
	struct slice words = answer;
	bool ok = slice_cut_prefix(&words, SLICE("OK"));

	for (size_t i = 0; ok && i < n; i++)
		ok = slice_cut_prefix(&words, SLICE(" ")) &&
		     slice_cut_number(&words, UINT64_MAX, &numbers[i]);
	if (ok)
		return true;
	words = slice_trim(answer);
	slice_cut_prefix(&words, SLICE("ERROR "));
	return error_set(
	    err, ERROR_LOCAL, "mailhaul-fetcher: %.*s", SLICE_ARG(words));
}

struct question {
	char text[CONTROL_LINE_MAX];
	int64_t wait_ms;
	uint64_t *numbers; /* of the answer */
	size_t n;
};

/* ERROR_REFUSED: no fetcher runs. */
static bool
ask(const struct config *config, const struct question *q, struct error *err)
{
	struct buf answer;
	bool ok;

	buf_init(&answer, CONTROL_LINE_MAX + ERROR_TEXT_MAX);
	ok = control_socket_ask(
	    config->fetcher.control, q->text, q->wait_ms, &answer, err);
	if (ok && !understand(buf_slice(&answer), q->numbers, q->n, err)) {
		err->kind = ERROR_LOCAL;
		ok = false;
	}
	buf_clear(&answer);
	return ok;
}

static struct seen *
open_here(const struct config *config, struct error *err)
{
	return lock_take(config->state_dir, err)
		   ? seen_open(config->state_dir, err)
		   : NULL;
}

static void
count(struct state_changed *changed, uint64_t rows, const char *message)
{
	changed->rows += rows;
	if (rows == 0 && message != NULL && changed->missing == NULL)
		changed->missing = message;
}

static bool
revise_here(const struct config *config, const struct state_change *change,
    struct state_changed *changed, struct error *err)
{
	const char *const *message = change->messages;
	char key[ACCOUNT_KEY_SIZE];
	struct seen_revision revision = { .account = key,
		.action = change->action };
	struct seen *seen = open_here(config, err);
	uint64_t rows;
	bool ok = seen != NULL && seen_begin(seen, err);

	account_key(
	    &(struct account){ .name = change->account }, key, sizeof(key));
	do {
		revision.message = slice_of(*message);
		ok = ok && seen_revise(seen, &revision, &rows, err);
		if (ok)
			count(changed, rows, *message);
	} while (*message != NULL && *++message != NULL);
	ok = ok && seen_commit(seen, err);
	seen_close(seen);
	return ok;
}

static bool
revise_there(const struct config *config, const struct state_change *change,
    struct state_changed *changed, struct error *err)
{
	static const char *const verbs[] = {
		[REVISE_RETRY] = "RETRY",
		[REVISE_DROP] = "DROP",
		[REVISE_FORGET] = "FORGET",
		[REVISE_BASELINE] = "BASELINE",
		[REVISE_ADOPT] = "ADOPT",
	};
	const char *const *message = change->messages;
	uint64_t rows = 0;
	struct question q = { .wait_ms = ANSWER_MS, .numbers = &rows, .n = 1 };

	do {
		snprintf(q.text, sizeof(q.text), "%s %s %s",
		    verbs[change->action], change->account,
		    *message == NULL ? "" : *message);
		if (!ask(config, &q, err))
			return false;
		count(changed, rows, *message);
	} while (*message != NULL && *++message != NULL);
	return true;
}

bool
state_revise(const struct config *config, const struct state_change *change,
    struct state_changed *changed, struct error *err)
{
	*changed = (struct state_changed){ .rows = 0 };
	return revise_there(config, change, changed, err) ||
	       (err->kind == ERROR_REFUSED &&
		   revise_here(config, change, changed, err));
}

static bool
import_here(
    const struct config *config, struct seen_import *import, struct error *err)
{
	struct seen *seen = open_here(config, err);
	bool ok = seen != NULL;

	while (ok && !import->done)
		ok = seen_begin(seen, err) &&
		     seen_import_some(seen, import, err) &&
		     seen_commit(seen, err);
	seen_close(seen);
	return ok;
}

bool
state_import(
    const struct config *config, struct seen_import *import, struct error *err)
{
	const char *slash = strrchr(import->path, '/');
	uint64_t numbers[2];
	struct question q = {
		.wait_ms = IMPORT_MS, .numbers = numbers, .n = 2
	};

	snprintf(q.text, sizeof(q.text), "IMPORT %s",
	    slash == NULL ? import->path : slash + 1);
	if (!ask(config, &q, err))
		return err->kind == ERROR_REFUSED &&
		       import_here(config, import, err);
	import->added = numbers[0];
	import->known = numbers[1];
	import->done = true;
	return true;
}
