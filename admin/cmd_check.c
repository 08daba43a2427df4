/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul check: every finding in the configuration, one a line; with --live
 * also what is around it.
 */
#include "admin/commands.h"
#include "admin/live.h"
#include "config/config.h"

#include <getopt.h>
#include <stdlib.h>
#include <sysexits.h>

static void
print_count(const char *lead, size_t n, const char *one, const char *many)
{
	printf("%s%zu %s", lead, n, n == 1 ? one : many);
}

static void
print_summary(const struct config *config)
{
	printf("%s: OK", config->path);
	print_count(": ", config->n_accounts, "account", "accounts");
	print_count(", ", config->n_domains, "domain", "domains");
	print_count(
	    ", ", config->n_directory, "directory source", "directory sources");
	putchar('\n');
}

static int
check_configuration(const char *path)
{
	struct config *config = config_load(path, stdout);

	if (config == NULL)
		return EX_CONFIG;
	print_summary(config);
	config_unref(config);
	return EX_OK;
}

int
cmd_check(int argc, char **argv)
{
	static const struct option options[] = {
		{ "live", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const char *path = CONFIG_DEFAULT_PATH;
	bool live = false, json = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'l':
			live = true;
			break;
		case 'j':
			json = true;
			break;
		default:
			return EX_USAGE;
		}
	if (optind != argc || (json && !live))
		return EX_USAGE;
	return live ? live_run(path, json) : check_configuration(path);
}
