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
