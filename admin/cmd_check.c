/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul check: every finding in the configuration, one a line; with --live
 * also what is around it.
 */
#include "admin/commands.h"
#include "admin/live.h"
#include "admin/options.h"
#include "config/config.h"

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
	const char *path = CONFIG_DEFAULT_PATH;
	bool live = false, json = false;
	const struct command_option options[] = {
		{ "config", 'c', &path, NULL },
		{ "live", 0, NULL, &live },
		{ "json", 0, NULL, &json },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments = options_read(argc, argv, options);

	if (arguments == NULL || arguments[0] != NULL || (json && !live))
		return EX_USAGE;
	return live ? live_run(path, json) : check_configuration(path);
}
