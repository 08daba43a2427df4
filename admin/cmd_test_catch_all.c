/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul test-catch-all: does the account's setting find out whom each
 * message of its mailbox is for, and if not, which would?
 */
#include "admin/catch_all.h"
#include "admin/commands.h"
#include "admin/credentials.h"
#include "admin/mailbox_headers.h"
#include "admin/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

struct options {
	const char *config, *account;
	bool json;
};

static bool
read_options(int argc, char **argv, struct options *out)
{
	const struct command_option options[] = {
		{ "config", 'c', &out->config, NULL },
		{ "json", 0, NULL, &out->json },
		{ NULL, 0, NULL, NULL },
	};
	char **arguments;

	*out = (struct options){ .config = CONFIG_DEFAULT_PATH };
	arguments = options_read(argc, argv, options);
	if (arguments == NULL || arguments[0] == NULL || arguments[1] != NULL)
		return false;
	out->account = arguments[0];
	return true;
}

static int
look(const struct options *options, struct config *config,
    const struct account *account)
{
	/* setenv() leaves it where it is. */
	const char *own = getenv("CREDENTIALS_DIRECTORY");
	struct mailbox_headers headers;
	struct directory *directory;
	struct catch_all *found;
	int status;

	status = mailbox_headers_read(config, account->name, &headers);
	if (status == EX_OK) {
		/* The fetcher's are not for the directory. */
		credentials_use_instead(MILTER_UNIT, own);
		directory = directory_new(config);
		found = catch_all_new(
		    config, account, headers.blocks, headers.n, directory);
		if (!(options->json ? catch_all_print_json(found)
				    : catch_all_print_text(found)))
			status = EX_IOERR;
		catch_all_free(found);
		directory_free(directory);
	}
	mailbox_headers_clear(&headers);
	return status;
}

int
cmd_test_catch_all(int argc, char **argv)
{
	const struct account *account;
	struct options options;
	struct config *config;
	int status = EX_USAGE;

	if (!read_options(argc, argv, &options))
		return EX_USAGE;
	config = config_load_errors(options.config);
	if (config == NULL)
		return EX_CONFIG;
	account = config_account(config, options.account);
	if (account != NULL)
		status = look(&options, config, account);
	else
		fprintf(stderr,
		    "mailhaul test-catch-all: no account %s in %s\n",
		    options.account, options.config);
	config_unref(config);
	return status;
}
