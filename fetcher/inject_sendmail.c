/* SPDX-License-Identifier: Apache-2.0 */
/*
 * By sendmail(1): `sendmail -G -i -N never -f SENDER -- FALLBACK` with standard
 * input = the spool file.  Success is exit 0 and the shared file offset at the
 * end of the file.  No message data reaches argv but the re-serialised sender.
 */
#include "base/crash.h"
#include "base/mem.h"
#include "fetcher/child.h"
#include "fetcher/inject_run.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a shell, or env(1), says when the program it should become is missing or
 * not executable: a wrapper's fault, never the message's. */
enum { EXIT_NOT_EXECUTABLE = 126, EXIT_NOT_FOUND = 127 };

struct state {
	struct loop *loop;
	char *sendmail;
	int64_t timeout_ms;
};

struct attempt {
	const struct state *state;
	struct inject_run *run;
};

static void *
open_sendmail(struct loop *loop)
{
	struct state *state = mem_new(sizeof(*state));

	state->loop = loop;
	return state;
}

static void
close_sendmail(void *arg)
{
	struct state *state = arg;

	free(state->sendmail);
	free(state);
}

static void
configure(void *arg, const struct inject_settings *settings)
{
	struct state *state = arg;

	free(state->sendmail);
	state->sendmail = mem_string(settings->sendmail);
	state->timeout_ms = settings->timeout_ms;
}

/* A wrapper may exit 0 without having read it all; the file offset is shared
 * with the child. */
static enum inject_outcome
judge_reading(const struct inject_run *run, struct error *err)
{
	off_t offset = lseek(run->fd, 0, SEEK_CUR);

	if (offset >= 0 && (uint64_t)offset == run->job.size) {
		CRASH_POINT("injected");
		return INJECT_ACCEPTED;
	}
	error_set(err, ERROR_LOCAL,
	    "sendmail exited 0 but read only %lld of %llu bytes",
	    (long long)offset, (unsigned long long)run->job.size);
	return INJECT_FAILED;
}

static enum inject_outcome
judge(const struct attempt *attempt, const struct child_result *result,
    struct error *err)
{
	int status = result->wait_status;

	if (result->started && !result->timed_out && status == 0)
		return judge_reading(attempt->run, err);
	child_describe(result, err);
	if (result->started)
		error_prefix(err, "%s", attempt->state->sendmail);
	if (!result->started || result->timed_out ||
	    (WIFEXITED(status) && (WEXITSTATUS(status) == EXIT_NOT_EXECUTABLE ||
				      WEXITSTATUS(status) == EXIT_NOT_FOUND)))
		return INJECT_LOCAL;
	err->kind = ERROR_REFUSED;
	return INJECT_FAILED;
}

static void
on_child(void *arg, const struct child_result *child)
{
	struct attempt *attempt = arg;
	struct inject_result *result = &attempt->run->result;

	result->outcome = judge(attempt, child, &result->error);
	inject_run_end(attempt->run);
	free(attempt);
}

static void
start(void *arg, struct inject_run *run)
{
	const struct state *state = arg;
	char sender[ADDRESS_TEXT_SIZE], recipient[ADDRESS_TEXT_SIZE];
	/* -G: add no header; -i: a lone dot is text; -N never: no bounce to a
	 * forgeable sender. */
	const char *argv[] = { state->sendmail, "-G", "-i", "-N", "never", "-f",
		address_write(&run->job.sender, sender), "--",
		address_write(&run->job.recipient, recipient), NULL };
	struct child_job child = {
		.argv = argv, .in = run->fd, .timeout_ms = state->timeout_ms
	};
	struct attempt *attempt = mem_new(sizeof(*attempt));

	*attempt = (struct attempt){ state, run };
	CRASH_POINT("before-inject");
	child_run(state->loop, &child, on_child, attempt);
	CRASH_POINT("injecting");
}

const struct inject_method inject_sendmail = { open_sendmail, close_sendmail,
	configure, start };
