/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul status - what the daemons do: asked on their control sockets, read
 * from the state and the archive.
 */
#include "admin/commands.h"
#include "admin/run_as.h"
#include "admin/status.h"

#include <stdio.h>
#include <sysexits.h>

#include "admin/json_text.h"
#include "admin/options.h"

int
cmd_status(int argc, char **argv)
{
	const char *config_path = CONFIG_DEFAULT_PATH;
	struct config *config;
	struct error err;
	bool json = false;
	const struct command_option options[] = {
		{ "config", 'c', &config_path, NULL },
		{ "json", 0, NULL, &json },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments = options_read(argc, argv, options);
	json_t *status;
	int code;

	if (arguments == NULL || arguments[0] != NULL)
		return EX_USAGE;
	config = config_load_errors(config_path);
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
