/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul-milter - gives collected mail its recipients, inside Postfix or
 * Sendmail.  See mailhaul-milter(8).
 */
#include <getopt.h>
#include <libmilter/mfapi.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/notify.h"
#include "milter/callbacks.h"
#include "milter/control.h"
#include "milter/service.h"
#include "milter/statistics.h"
#include "milter/watchdog.h"
#include "state/ticket_key.h"

enum { STOP_SECONDS = 10, KEPT_BYTES = 1024 * 1024 };

static const char usage[] =
    "usage: mailhaul-milter [-c FILE]\n"
    "  -c, --config FILE  the configuration (" CONFIG_DEFAULT_PATH ")\n"
    "      --version      print the version\n"
    "      --help         print this\n";

/* -1: go on; else the exit code. */
static int
read_options(int argc, char **argv, const char **config_path)
{
	enum { OPTION_VERSION = 256, OPTION_HELP };
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, OPTION_VERSION },
		{ "help", no_argument, NULL, OPTION_HELP },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			*config_path = optarg;
			break;
		case OPTION_VERSION:
			puts("mailhaul-milter " MAILHAUL_VERSION);
			return 0;
		case OPTION_HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	return -1;
}

static void
signals_of_ours(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
}

/* What one message needed is there for the next: by default what a hundred
 * recipients take goes back to the kernel each time, and is a third of what they
 * cost (tests/bench/policy). */
static void
keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES);
}

/* Before the first thread, which all inherit it. */
static void
block_signals(void)
{
	sigset_t blocked;

	signals_of_ours(&blocked);
	pthread_sigmask(SIG_BLOCK, &blocked, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* libmilter's own thread waits for HUP, TERM and INT as well, so reloading has
 * USR1.  The kernel prefers the first thread, this one. */
static void
reload_until_stopped(struct service *service)
{
	sigset_t awaited;
	int number;

	signals_of_ours(&awaited);
	while (sigwait(&awaited, &number) == 0 && number == SIGUSR1)
		service_reload(service);
}

/* A thread of its own, so that the first one can lose patience. */
struct filter {
	pthread_t thread, first;
	int code;
};

static void *
run_libmilter(void *argument)
{
	struct filter *filter = argument;

	filter->code = smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
	pthread_kill(filter->first, SIGHUP);
	return NULL;
}

static bool
start_filter(struct filter *filter)
{
	filter->first = pthread_self();
	return pthread_create(&filter->thread, NULL, run_libmilter, filter) ==
	       0;
}

/* libmilter waits for its threads for up to five seconds, and for ever when a
 * message comes at the wrong moment: it destroys a mutex that others want
 * (8.17, seen with mail from four clients). */
static int
stop_filter(struct filter *filter)
{
	struct timespec until;

	smfi_stop();
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	if (pthread_timedjoin_np(filter->thread, NULL, &until) == 0)
		return filter->code;
	log_warning("libmilter does not stop; ended without it");
	return EX_OK;
}

static void
answer_control(void *service, struct slice line, struct buf *reply)
{
	char reason[ERROR_TEXT_MAX];

	if (slice_equal(line, SLICE("STATS")))
		statistics_write(service, reply);
	else if (!slice_equal(line, SLICE("READY")))
		buf_printf(reply, "ERROR unknown command\n");
	else if (service_ready(service, reason))
		buf_printf(reply, "OK\n");
	else
		buf_printf(reply, "WAIT %s\n", reason);
}

/* Only a warning: the fetcher may be the one that makes the key, and until it
 * is there READY says why mail has to wait. */
static void
warn_of_keys(const struct config *config)
{
	struct ticket_keys keys;
	struct error err;

	if (!ticket_keys_load(config->state_dir, &keys, &err))
		log_warning(
		    "%s; collected mail waits until that is mended", err.text);
	explicit_bzero(&keys, sizeof(keys));
}

static bool
open_socket(const struct config *config, struct service *service)
{
	char *where = mem_string(config->milter.socket);
	bool ok = callbacks_register(service) &&
		  smfi_setconn(where) == MI_SUCCESS &&
		  /* true: a file left from a crash is removed; control_start()
		   * has made sure that we do not run already */
		  smfi_opensocket(true) == MI_SUCCESS;

	if (!ok)
		log_error("milter.socket: cannot listen at %s: %s",
		    config->milter.socket,
		    strncmp(where, "unix:", 5) == 0
			? "is its folder there, and may this user write to it?"
			: "is the port free, and above 1023, and the address "
			  "one of this host?");
	free(where);
	return ok;
}

static int
run(struct config *config)
{
	struct service *service = service_new(config);
	struct control *control;
	struct error err;
	struct filter filter;
	int code = EX_OSERR;

	warn_of_keys(config);
	control = control_start(
	    config->milter.control, answer_control, service, &err);
	if (control == NULL) {
		log_error("%s", err.text);
		return EX_OSERR;
	}
	if (open_socket(config, service) &&
	    watchdog_start(config->milter.control) && start_filter(&filter)) {
		log_info("mailhaul-milter " MAILHAUL_VERSION " listens at %s",
		    config->milter.socket);
		notify_send("READY=1");
		reload_until_stopped(service);
		notify_send("STOPPING=1");
		code = stop_filter(&filter);
		log_info("stopped");
	}
	control_stop(control);
	/* A worker of libmilter may still be at a message: the service stays,
	 * and the libraries' exit handlers do not take their locks away from
	 * under it (ThreadSanitizer saw them do so). */
	_exit(code);
}

int
main(int argc, char **argv)
{
	const char *config_path = CONFIG_DEFAULT_PATH;
	int code = read_options(argc, argv, &config_path);
	struct config *config;

	if (code >= 0)
		return code;
	if (geteuid() == 0) {
		fputs("mailhaul-milter: refuses to run as root; start it as "
		      "the user mailhaul-milter\n",
		    stderr);
		return EX_USAGE;
	}
	config = config_load(config_path, stderr);
	if (config == NULL)
		return EX_CONFIG;
	umask(0007);
	keep_memory();
	log_open("mailhaul-milter", true);
	block_signals();
	return run(config);
}
