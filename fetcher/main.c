/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul-fetcher - collect mail by POP3 and hand it to Postfix.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "fetcher/daemon.h"

static const char usage_text[] =
    "usage: mailhaul-fetcher [-c FILE] [--once] [--account NAME]\n"
    "       mailhaul-fetcher [-c FILE] --probe NAME\n"
    "  -c, --config FILE  default " CONFIG_DEFAULT_PATH "\n"
    "      --once         collect until nothing new is there, then end\n"
    "      --account NAME this account only, even if it is not enabled\n"
    "      --probe NAME   log in, say what is there, fetch nothing\n"
    "      --debug        log more\n"
    "      --version\n";

enum {
	OPTION_ONCE = 256,
	OPTION_ACCOUNT,
	OPTION_PROBE,
	OPTION_DEBUG,
	OPTION_VERSION,
	OPTION_HELP
};
static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "account", required_argument, NULL, OPTION_ACCOUNT },
	{ "probe", required_argument, NULL, OPTION_PROBE },
	{ "debug", no_argument, NULL, OPTION_DEBUG },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

static int
usage(void)
{
	fputs(usage_text, stderr);
	return EX_USAGE;
}

/* Passwords pass through this process: no core files, no tracing by others
 * of the same user. */
static void
protect_memory(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Takes the command line apart; -1 to go on, else the exit status. */
static int
read_options(int argc, char **argv, struct daemon_settings *settings)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1)
		switch (option) {
		case 'c':
			settings->config_path = optarg;
			break;
		case OPTION_ONCE:
			settings->mode = DAEMON_ONCE;
			break;
		case OPTION_ACCOUNT:
			settings->only = optarg;
			break;
		case OPTION_PROBE:
			settings->mode = DAEMON_PROBE;
			settings->only = optarg;
			break;
		case OPTION_DEBUG:
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		case OPTION_VERSION:
			puts("mailhaul-fetcher " MAILHAUL_VERSION);
			return 0;
		case OPTION_HELP:
			fputs(usage_text, stdout);
			return 0;
		default:
			return usage();
		}
	return optind < argc ? usage() : -1;
}

int
main(int argc, char **argv)
{
	struct daemon_settings settings = {
		.config_path = CONFIG_DEFAULT_PATH,
	};
	int status = read_options(argc, argv, &settings);

	if (status >= 0)
		return status;
	log_open("mailhaul-fetcher", settings.mode != DAEMON_PROBE);
	signal(SIGPIPE, SIG_IGN);
	daemon_hold_signals();
	umask(0027);
	protect_memory();
	if (geteuid() == 0 && settings.mode != DAEMON_PROBE) {
		log_error("not as root: run it as the user mailhaul "
			  "(its state must not belong to root)");
		return EX_USAGE;
	}
	settings.config = config_load(settings.config_path, stderr);
	if (settings.config == NULL)
		return EX_CONFIG;
	if (settings.only != NULL &&
	    config_account(settings.config, settings.only) == NULL) {
		log_error("%s has no account named \"%s\"",
		    settings.config_path, settings.only);
		config_unref(settings.config);
		return EX_USAGE;
	}
	return daemon_run(&settings);
}
