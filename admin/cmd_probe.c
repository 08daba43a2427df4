/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul probe - log in to an account, or try a host, and suggest settings.
 *
 * The fetcher does it (mailhaul-fetcher --probe, --probe-host), so that what is
 * tried is what will be done.
 */
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/commands.h"
#include "admin/credentials.h"
#include "admin/fetcher_program.h"
#include "admin/options.h"
#include "admin/run_as.h"
#include "config/config.h"

/* These are the fetcher's, which judges them. */
static const char *const passed_on[] = { "--user", "--password-file",
	"--password-command", "--token-command", "--ca-file", "--fingerprint" };
enum {
	N_PASSED_ON = sizeof(passed_on) / sizeof(passed_on[0]),
	WORDS_MAX = 2 * N_PASSED_ON + 8,
};

struct request {
	const char *config_path, *host, *account;
	const char *passed[N_PASSED_ON]; /* the values; NULL: not there */
	bool json;
};

static bool
read_options(int argc, char **argv, struct request *r)
{
	struct command_option options[] = {
		[N_PASSED_ON] = { "config", 'c', &r->config_path, NULL },
		{ "host", 0, &r->host, NULL },
		{ "json", 0, NULL, &r->json },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments;

	for (size_t i = 0; i < N_PASSED_ON; i++)
		options[i] = (struct command_option){ passed_on[i] + 2, 0,
			&r->passed[i], NULL };
	arguments = options_read(argc, argv, options);
	if (arguments == NULL)
		return false;
	if (r->host != NULL)
		return arguments[0] == NULL;
	for (size_t i = 0; i < N_PASSED_ON; i++)
		if (r->passed[i] != NULL)
			return false;
	r->account = arguments[0];
	return arguments[0] != NULL && arguments[1] == NULL;
}

/* The fetcher's command line. */
static void
write_line(const struct request *r, const char *line[static WORDS_MAX])
{
	*line++ = "mailhaul-fetcher";
	*line++ = "-c";
	*line++ = r->config_path;
	if (r->json)
		*line++ = "--json";
	for (size_t i = 0; i < N_PASSED_ON; i++)
		if (r->passed[i] != NULL) {
			*line++ = passed_on[i];
			*line++ = r->passed[i];
		}
	*line++ = r->host != NULL ? "--probe-host" : "--probe";
	*line++ = r->host != NULL ? r->host : r->account;
	*line = NULL;
}

/* What talks to a provider, and what it runs for a password, has no rights of
 * root's.  What is wrong with the configuration the fetcher says. */
static bool
become_fetcher(const char *config_path)
{
	FILE *nowhere = fopen("/dev/null", "we");
	struct config *config =
	    nowhere == NULL ? NULL : config_load(config_path, nowhere);
	struct error err;
	bool ok;

	credentials_use(FETCHER_UNIT);
	ok = config == NULL || run_as_owner(config->state_dir, &err);
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
	struct request request = { .config_path = CONFIG_DEFAULT_PATH };
	const char *line[WORDS_MAX];
	char path[PATH_MAX];

	if (!read_options(argc, argv, &request))
		return EX_USAGE;
	if (!fetcher_program_find(path)) {
		fputs("mailhaul probe: mailhaul-fetcher is not installed "
		      "beside this program\n",
		    stderr);
		return EX_UNAVAILABLE;
	}
	if (request.host == NULL && !become_fetcher(request.config_path))
		return EX_CONFIG;
	write_line(&request, line);
	execv(path, (char *const *)(uintptr_t)line);
	perror(path);
	return EX_OSERR;
}
