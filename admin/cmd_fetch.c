/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul fetch - have the running fetcher poll accounts now.
 */
#include "admin/commands.h"
#include "admin/options.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/control_socket.h"
#include "config/config.h"
#include "config/values.h"

enum {
	/* The fetcher keeps its own clock; this is for one that hangs. */
	ANSWER_MS = CONTROL_WAIT_MAX_MS + 60 * 1000,
	/* It serves CONTROL_CLIENTS_MAX (fetcher/control.h) at once. */
	SIDE_BY_SIDE = 16,
};

/* One account, asked for by a thread of its own. */
struct question {
	const char *socket, *account, *wait;
	pthread_t thread;
	bool answered;
	struct buf answer;
	struct error err;
};

static int
judge(struct slice answer)
{
	if (slice_starts(answer, SLICE("OK")))
		return EX_OK;
	return slice_starts(answer, SLICE("WAIT")) ? EX_TEMPFAIL
						   : EX_UNAVAILABLE;
}

static void *
ask(void *arg)
{
	struct question *q = arg;
	char line[CONTROL_LINE_MAX];

	snprintf(line, sizeof(line), "FETCH %s%s%s", q->account,
	    q->wait == NULL ? "" : " wait=", q->wait == NULL ? "" : q->wait);
	buf_init(&q->answer, CONTROL_LINE_MAX + 2 * ERROR_TEXT_MAX);
	q->answered =
	    control_socket_ask(q->socket, line, ANSWER_MS, &q->answer, &q->err);
	return NULL;
}

static int
tell(struct question *q)
{
	int status = EX_UNAVAILABLE;

	if (q->answered) {
		status = judge(buf_slice(&q->answer));
		printf("%s: %s", q->account, buf_string(&q->answer));
		fflush(stdout);
	} else {
		fprintf(stderr,
		    "mailhaul fetch: %s; does mailhaul-fetcher run?\n",
		    q->err.text);
	}
	buf_clear(&q->answer);
	return status;
}

/* At most SIDE_BY_SIDE of them.  The first that is not well decides. */
static int
fetch(struct question *questions, size_t n)
{
	int status = EX_OK;

	for (size_t i = 0; i < n; i++)
		if (pthread_create(
			&questions[i].thread, NULL, ask, &questions[i]) != 0)
			abort();
	for (size_t i = 0; i < n; i++) {
		int one;

		pthread_join(questions[i].thread, NULL);
		one = tell(&questions[i]);
		if (status == EX_OK)
			status = one;
	}
	return status;
}

static int
fetch_all(const struct config *config, char *const *names, const char *wait)
{
	struct question questions[SIDE_BY_SIDE];
	int status = EX_OK;
	size_t n;

	for (char *const *name = names; *name != NULL; name++)
		if (config_account(config, *name) == NULL) {
			fprintf(stderr, "mailhaul fetch: no account %s in %s\n",
			    *name, config->path);
			return EX_USAGE;
		}
	while (*names != NULL) {
		for (n = 0; n < SIDE_BY_SIDE && *names != NULL; n++)
			questions[n] = (struct question){
				.socket = config->fetcher.control,
				.account = *names++,
				.wait = wait,
			};
		if (status == EX_OK)
			status = fetch(questions, n);
		else
			fetch(questions, n);
	}
	return status;
}

static bool
is_wait(const char *word)
{
	int64_t ms;

	if (duration_parse(slice_of(word), &ms) && ms <= CONTROL_WAIT_MAX_MS)
		return true;
	fprintf(stderr,
	    "mailhaul fetch: --wait: expected a time such as 5s, at most 60m, "
	    "found \"%s\"\n",
	    word);
	return false;
}

int
cmd_fetch(int argc, char **argv)
{
	const char *config_path = CONFIG_DEFAULT_PATH, *wait = NULL;
	const struct command_option options[] = {
		{ "config", 'c', &config_path, NULL },
		{ "wait", 0, &wait, NULL },
		{ NULL, 0, NULL, NULL },
	};
	char **names = options_read(argc, argv, options);
	struct config *config;
	int status;

	if (names == NULL || names[0] == NULL ||
	    (wait != NULL && !is_wait(wait)))
		return EX_USAGE;
	config = config_load_errors(config_path);
	if (config == NULL)
		return EX_CONFIG;
	status = fetch_all(config, names, wait);
	config_unref(config);
	return status;
}
