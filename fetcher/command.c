/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/command.h"

#include "base/control_socket.h"
#include "config/values.h"

static const struct {
	const char *name;
	bool needs_account, may_name_message, may_wait;
} verbs[] = {
	[COMMAND_STATUS] = { "STATUS", false, false, false },
	[COMMAND_FETCH] = { "FETCH", true, false, true },
	[COMMAND_RETRY] = { "RETRY", true, true, false },
	[COMMAND_DROP] = { "DROP", true, true, false },
	[COMMAND_FORGET] = { "FORGET", true, true, false },
	[COMMAND_BASELINE] = { "BASELINE", true, false, false },
	[COMMAND_ADOPT] = { "ADOPT", true, false, false },
	[COMMAND_IMPORT] = { "IMPORT", true, false, false },
};
enum { N_VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static bool
read_wait(struct slice word, int64_t *wait_ms)
{
	return slice_cut_prefix(&word, SLICE("wait=")) &&
	       duration_parse(word, wait_ms) && *wait_ms <= CONTROL_WAIT_MAX_MS;
}

static bool
read_verb(struct slice word, enum command_verb *verb)
{
	for (size_t i = 0; i < N_VERBS; i++)
		if (slice_equal(word, slice_of(verbs[i].name))) {
			*verb = (enum command_verb)i;
			return true;
		}
	return false;
}

bool
command_parse(struct slice line, struct command *out, struct error *err)
{
	struct slice word;

	*out = (struct command){ .wait_ms = 0 };
	if (!slice_cut_word(&line, &word) || !read_verb(word, &out->verb))
		return error_set(err, ERROR_PROTOCOL, "unknown command");
	if (verbs[out->verb].needs_account &&
	    !slice_cut_word(&line, &out->account))
		return error_set(err, ERROR_PROTOCOL, "of what?");
	if (slice_cut_word(&line, &word)) {
		if (verbs[out->verb].may_name_message)
			out->message = word;
		else if (!verbs[out->verb].may_wait ||
			 !read_wait(word, &out->wait_ms))
			return error_set(
			    err, ERROR_PROTOCOL, "argument not understood");
	}
	return !slice_cut_word(&line, &word) ||
	       error_set(err, ERROR_PROTOCOL, "too many arguments");
}
