/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul status - what the daemons do: asked on their control sockets, read
 * from the state and the archive.
 */
#include "admin/commands.h"
#include "admin/run_as.h"
#include "admin/status.h"

#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "admin/json_text.h"

int
cmd_status(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config_path = CONFIG_DEFAULT_PATH;
	struct config *config;
	struct error err;
	bool json = false;
	json_t *status;
	int option, code;

	while ((option = getopt_long(argc, argv, "c:", known, NULL)) != -1) {
		if (option == 'c')
			config_path = optarg;
		else if (option == 'j')
			json = true;
		else
			return EX_USAGE;
	}
	if (optind != argc)
		return EX_USAGE;
	config = config_load(config_path, stderr);
	if (config == NULL)
		return EX_CONFIG;
	if (!run_as_owner(config->state_dir, &err))
		fprintf(stderr, "mailhaul status: %s\n", err.text);
	status = status_gather(config);
	code = status_code(status);
	if (!json) {
		status_print(status);
		json_decref(status);
	} else if (!json_print(status)) {
		code = EX_IOERR;
	}
	config_unref(config);
	return code;
}
