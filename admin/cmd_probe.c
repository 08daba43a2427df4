/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailhaul probe - log in to an account and say what is there.
 *
 * The fetcher does it (mailhaul-fetcher --probe), so that what is tried is what
 * will be done; this command only finds it: beside itself (a build folder), in
 * the sbin beside its bin, else where packages put it.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin/commands.h"
#include "config/config.h"

static const char *const places[] = { "mailhaul-fetcher",
	"../sbin/mailhaul-fetcher" };

static bool
find_fetcher(char path[static PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len < 0)
		return false;
	self[len] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(path, PATH_MAX, "%s/%s", self, places[i]);

		if (n > 0 && n < PATH_MAX && access(path, X_OK) == 0)
			return true;
	}
	snprintf(path, PATH_MAX, "/usr/sbin/mailhaul-fetcher");
	return access(path, X_OK) == 0;
}

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
	if (!find_fetcher(path)) {
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
