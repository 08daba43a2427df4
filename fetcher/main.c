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

#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetcher/daemon.h"
#include "fetcher/probe_host.h"
#include "fetcher/unprivileged.h"

static const char usage_text[] =
    "usage: mailhaul-fetcher [-c FILE] [--once] [--account NAME]\n"
    "       mailhaul-fetcher [-c FILE] --probe NAME [--brief | --json | "
    "--headers]\n"
    "       mailhaul-fetcher --probe-host HOST [--json] [--ca-file FILE |\n"
    "           --fingerprint SHA256] [--user USER (--password-file FILE |\n"
    "           --password-command WORDS | --token-command WORDS)]\n"
    "  -c, --config FILE  default " CONFIG_DEFAULT_PATH "\n"
    "      --once         collect until nothing new is there, then end\n"
    "      --account NAME this account only, even if it is not enabled\n"
    "      --probe NAME   log in, say what is there, fetch nothing\n"
    "      --brief        in one line\n"
    "      --json         as JSON\n"
    "      --headers      the headers of the newest messages, nothing else\n"
    "      --probe-host HOST  try the ways to reach it, suggest an account\n"
    "      --debug        log more\n"
    "      --version\n";

enum {
	OPTION_ONCE = 256,
	OPTION_ACCOUNT,
	OPTION_PROBE,
	OPTION_BRIEF,
	OPTION_JSON,
	OPTION_HEADERS,
	OPTION_PROBE_HOST,
	OPTION_USER,
	OPTION_PASSWORD_FILE,
	OPTION_PASSWORD_COMMAND,
	OPTION_TOKEN_COMMAND,
	OPTION_CA_FILE,
	OPTION_FINGERPRINT,
	OPTION_DEBUG,
	OPTION_VERSION,
	OPTION_HELP
};
static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "once", no_argument, NULL, OPTION_ONCE },
	{ "account", required_argument, NULL, OPTION_ACCOUNT },
	{ "probe", required_argument, NULL, OPTION_PROBE },
	{ "brief", no_argument, NULL, OPTION_BRIEF },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "headers", no_argument, NULL, OPTION_HEADERS },
	{ "probe-host", required_argument, NULL, OPTION_PROBE_HOST },
	{ "user", required_argument, NULL, OPTION_USER },
	{ "password-file", required_argument, NULL, OPTION_PASSWORD_FILE },
	{ "password-command", required_argument, NULL,
	    OPTION_PASSWORD_COMMAND },
	{ "token-command", required_argument, NULL, OPTION_TOKEN_COMMAND },
	{ "ca-file", required_argument, NULL, OPTION_CA_FILE },
	{ "fingerprint", required_argument, NULL, OPTION_FINGERPRINT },
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

struct command {
	struct daemon_settings daemon;
	struct probe_host host;
};

enum { WORDS_MAX = 32, PASSWORD_MAX = 8192 };

/* As long as this process. */
static const char *
absolute(const char *path)
{
	const char *found = realpath(path, NULL);

	return found != NULL ? found : path;
}

/* No shell: words are what blanks part. */
static struct secret_source
secret_command(const char *text)
{
	const char **argv = mem_new_array(WORDS_MAX + 1, sizeof(*argv));
	struct slice rest = slice_of(text), word;

	for (size_t n = 0; n < WORDS_MAX && slice_cut_word(&rest, &word); n++)
		argv[n] = mem_string_len(word.data, word.len);
	return (struct secret_source){ .kind = SECRET_COMMAND, .argv = argv };
}

static bool
read_fingerprint(const char *text, struct tls_settings *tls)
{
	tls->pinned =
	    hex_read(slice_of(text), tls->fingerprint_sha256, DIGEST_SIZE);
	return tls->pinned;
}

/* False when it is none of these, or cannot be. */
static bool
read_host_option(int option, struct probe_host *host)
{
	switch (option) {
	case OPTION_PROBE_HOST:
		host->host = optarg;
		return true;
	case OPTION_USER:
		host->user = optarg;
		return true;
	case OPTION_PASSWORD_FILE:
		host->password = (struct secret_source){ .kind = SECRET_FILE,
			.name = absolute(optarg) };
		return true;
	case OPTION_PASSWORD_COMMAND:
		host->password = secret_command(optarg);
		return host->password.argv[0] != NULL;
	case OPTION_TOKEN_COMMAND:
		host->token = secret_command(optarg);
		return host->token.argv[0] != NULL;
	case OPTION_CA_FILE:
		host->tls.ca_file = absolute(optarg);
		return true;
	case OPTION_FINGERPRINT:
		return read_fingerprint(optarg, &host->tls);
	default:
		return false;
	}
}

/* Takes the command line apart; -1 to go on, else the exit status. */
static int
read_options(int argc, char **argv, struct command *command)
{
	struct daemon_settings *settings = &command->daemon;
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
		case OPTION_BRIEF:
			settings->probe = PROBE_BRIEF;
			break;
		case OPTION_JSON:
			settings->probe = PROBE_JSON;
			break;
		case OPTION_HEADERS:
			settings->probe = PROBE_HEADERS;
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
			if (!read_host_option(option, &command->host))
				return usage();
		}
	return optind < argc ? usage() : -1;
}

/* A file may be root's only.  A command is run later, as the fetcher will. */
static bool
hold_password(struct secret_source *source, struct buf *held, struct error *err)
{
	if (source->kind != SECRET_FILE)
		return true;
	if (!secret_read(source, held, err))
		return false;
	source->held = buf_slice(held);
	return true;
}

static int
probe_host(struct command *command)
{
	struct probe_host *host = &command->host;
	struct error err;
	struct buf held;
	int status = EX_CONFIG;

	if (!probe_host_check(host, &err)) {
		log_error("%s", err.text);
		return EX_USAGE;
	}
	buf_init(&held, PASSWORD_MAX);
	if (hold_password(&host->password, &held, &err) &&
	    unprivileged_become(&err)) {
		/* Another user: the kernel forgot. */
		protect_memory();
		status = probe_host_run(host, command->daemon.probe);
	} else {
		log_error("%s", err.text);
	}
	buf_wipe(&held);
	return status;
}

int
main(int argc, char **argv)
{
	struct command command = {
		.daemon = { .config_path = CONFIG_DEFAULT_PATH,
		    .probe = PROBE_TEXT },
	};
	struct daemon_settings settings;
	int status = read_options(argc, argv, &command);

	if (status >= 0)
		return status;
	settings = command.daemon;
	log_open("mailhaul-fetcher",
	    settings.mode != DAEMON_PROBE && command.host.host == NULL);
	signal(SIGPIPE, SIG_IGN);
	umask(0027);
	protect_memory();
	if (command.host.host != NULL)
		return probe_host(&command);
	daemon_hold_signals();
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
