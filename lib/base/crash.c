/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"

#ifdef MAILHAUL_CRASH_POINTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
crash_point(const char *name)
{
	static atomic_int visits;
	const char *wanted = getenv("MAILHAUL_CRASH");
	size_t len = strlen(name);
	long nth = 1;

	if (wanted == NULL || strncmp(wanted, name, len) != 0)
		return;
	if (wanted[len] == ':')
		nth = strtol(wanted + len + 1, NULL, 10);
	else if (wanted[len] != '\0')
		return;
	if (++visits >= nth)
		kill(getpid(), SIGKILL);
}
#else
typedef int crash_points_are_not_built;
#endif
