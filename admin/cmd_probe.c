/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul probe - log in to an account and say what is there.
 *
 * The fetcher does it (mailhaul-fetcher --probe), so that what is tried is what
 * will be done.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/commands.h"
#include "admin/fetcher_program.h"
#include "config/config.h"

int
cmd_probe(int argc, char **argv)
{
	const char *config_path = CONFIG_DEFAULT_PATH;
	char path[PATH_MAX];
	int option;

	while ((option = getopt(argc, argv, "c:")) != -1) {
		if (option != 'c')
			return EX_USAGE;
		config_path = optarg;
	}
	if (optind + 1 != argc)
		return EX_USAGE;
	if (!fetcher_program_find(path)) {
		fputs("mailhaul probe: mailhaul-fetcher is not installed "
		      "beside this program\n",
		    stderr);
		return EX_UNAVAILABLE;
	}
	execl(path, "mailhaul-fetcher", "-c", config_path, "--probe",
	    argv[optind], (char *)NULL);
	perror(path);
	return EX_OSERR;
}
