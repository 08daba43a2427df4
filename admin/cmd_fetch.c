/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul fetch - have the running fetcher poll accounts now.
 */
#include "admin/commands.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/control_socket.h"
#include "config/config.h"

/* The fetcher keeps its own clock; this is for one that hangs. */
enum { ANSWER_MS = 61 * 60 * 1000 };

static int
judge(struct slice answer)
{
	if (slice_starts(answer, SLICE("OK")))
		return EX_OK;
	return slice_starts(answer, SLICE("WAIT")) ? EX_TEMPFAIL
						   : EX_UNAVAILABLE;
}

static int
fetch(const struct config *config, const char *account, const char *wait)
{
	char question[CONTROL_LINE_MAX];
	struct buf answer;
	struct error err;
	int status = EX_UNAVAILABLE;

	if (config_account(config, account) == NULL) {
		fprintf(stderr, "mailhaul fetch: no account %s in %s\n",
		    account, config->path);
		return EX_USAGE;
	}
	snprintf(question, sizeof(question), "FETCH %s%s%s", account,
	    wait == NULL ? "" : " wait=", wait == NULL ? "" : wait);
	buf_init(&answer, CONTROL_LINE_MAX + 2 * ERROR_TEXT_MAX);
	if (control_socket_ask(
		config->fetcher.control, question, ANSWER_MS, &answer, &err)) {
		status = judge(buf_slice(&answer));
		printf("%s: %s", account, buf_string(&answer));
	} else {
		fprintf(stderr, "mailhaul fetch: %s\n", err.text);
	}
	buf_clear(&answer);
	return status;
}

int
cmd_fetch(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "wait", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config_path = CONFIG_DEFAULT_PATH, *wait = NULL;
	struct config *config;
	int option, status = EX_OK;

	while ((option = getopt_long(argc, argv, "c:", known, NULL)) != -1) {
		if (option == 'c')
			config_path = optarg;
		else if (option == 'w')
			wait = optarg;
		else
			return EX_USAGE;
	}
	if (optind == argc)
		return EX_USAGE;
	config = config_load(config_path, stderr);
	if (config == NULL)
		return EX_CONFIG;
	for (int i = optind; i < argc; i++) {
		int one = fetch(config, argv[i], wait);

		if (status == EX_OK)
			status = one;
	}
	config_unref(config);
	return status;
}
