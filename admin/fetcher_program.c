/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/fetcher_program.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const places[] = { "mailhaul-fetcher",
	"../sbin/mailhaul-fetcher" };

bool
fetcher_program_find(char path[static PATH_MAX])
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
