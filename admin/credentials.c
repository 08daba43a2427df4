/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_ROOM = 256 };

bool
credentials_use(const char *unit)
{
	char folder[PATH_ROOM];

	snprintf(folder, sizeof(folder), "/run/credentials/%s", unit);
	return access(folder, X_OK) == 0 &&
	       setenv("CREDENTIALS_DIRECTORY", folder, 1) == 0;
}

void
credentials_use_instead(const char *unit, const char *own)
{
	if (credentials_use(unit))
		return;
	if (own != NULL)
		setenv("CREDENTIALS_DIRECTORY", own, 1);
	else
		unsetenv("CREDENTIALS_DIRECTORY");
}
