/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul check: every finding in the configuration, one a line.
 */
#include "admin/commands.h"
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

int
cmd_check(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	struct config *config;
	int option;

	while ((option = getopt(argc, argv, "c:")) != -1) {
		if (option != 'c')
			return EX_USAGE;
		path = optarg;
	}
	if (optind != argc)
		return EX_USAGE;
	config = config_load(path, stdout);
	if (config == NULL)
		return EX_CONFIG;
	print_summary(config);
	config_unref(config);
	return EX_OK;
}
