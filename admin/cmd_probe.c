/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul probe - log in to an account, or try a host, and suggest settings.
 *
 * The fetcher does it (mailhaul-fetcher --probe, --probe-host), so that what is
 * tried is what will be done.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/commands.h"
#include "admin/fetcher_program.h"
#include "admin/run_as.h"
#include "config/config.h"

enum { ARGUMENTS_MAX = 32, OPTION_HOST = 256, OPTION_JSON, OPTION_PASSED };

static const struct option options[] = {
	{ "host", required_argument, NULL, OPTION_HOST },
	{ "json", no_argument, NULL, OPTION_JSON },
	/* These are the fetcher's, which judges them. */
	{ "user", required_argument, NULL, OPTION_PASSED },
	{ "password-file", required_argument, NULL, OPTION_PASSED },
	{ "password-command", required_argument, NULL, OPTION_PASSED },
	{ "token-command", required_argument, NULL, OPTION_PASSED },
	{ "ca-file", required_argument, NULL, OPTION_PASSED },
	{ "fingerprint", required_argument, NULL, OPTION_PASSED },
	{ NULL, 0, NULL, 0 },
};

/* The fetcher's command line. */
struct line {
	char words[ARGUMENTS_MAX / 2][32]; /* "--user" */
	const char *argv[ARGUMENTS_MAX + 1];
	int n;
	const char *config_path, *host;
	bool passed;
};

static bool
add(struct line *line, const char *option, const char *value)
{
	if (line->n + 2 > ARGUMENTS_MAX)
		return false;
	line->argv[line->n++] = option;
	if (value != NULL)
		line->argv[line->n++] = value;
	return true;
}

static bool
take(struct line *line, int option, int index)
{
	char *word = line->words[line->n / 2];

	switch (option) {
	case 'c':
		line->config_path = optarg;
		return add(line, "-c", optarg);
	case OPTION_JSON:
		return add(line, "--json", NULL);
	case OPTION_HOST:
		line->host = optarg;
		return true;
	case OPTION_PASSED:
		if (line->n + 2 > ARGUMENTS_MAX)
			return false;
		snprintf(
		    word, sizeof(line->words[0]), "--%s", options[index].name);
		line->passed = true;
		return add(line, word, optarg);
	default:
		return false;
	}
}

static bool
finish(struct line *line, char *const *names, int n_names)
{
	if (line->host != NULL)
		return n_names == 0 && add(line, "--probe-host", line->host);
	return n_names == 1 && !line->passed && add(line, "--probe", names[0]);
}

/* A command that prints the password runs with the rights that it will have.
 * What is wrong with the configuration the fetcher says. */
static bool
become_fetcher(const struct line *line)
{
	FILE *nowhere = fopen("/dev/null", "we");
	struct config *config =
	    nowhere == NULL ? NULL : config_load(line->config_path, nowhere);
	struct error err;
	bool ok = config == NULL || run_as_owner(config->state_dir, &err);

	if (!ok)
		fprintf(stderr, "mailhaul probe: %s\n", err.text);
	config_unref(config);
	if (nowhere != NULL)
		fclose(nowhere);
	return ok;
}

int
cmd_probe(int argc, char **argv)
{
	struct line line = { .argv = { "mailhaul-fetcher" },
		.n = 1,
		.config_path = CONFIG_DEFAULT_PATH };
	char path[PATH_MAX];
	int option, at = 0;

	while ((option = getopt_long(argc, argv, "c:", options, &at)) != -1)
		if (!take(&line, option, at))
			return EX_USAGE;
	if (!finish(&line, argv + optind, argc - optind))
		return EX_USAGE;
	if (!fetcher_program_find(path)) {
		fputs("mailhaul probe: mailhaul-fetcher is not installed "
		      "beside this program\n",
		    stderr);
		return EX_UNAVAILABLE;
	}
	if (line.host == NULL && !become_fetcher(&line))
		return EX_CONFIG;
	execv(path, (char *const *)(uintptr_t)line.argv);
	perror(path);
	return EX_OSERR;
}
