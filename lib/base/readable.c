/* SPDX-License-Identifier: Apache-2.0 */
#include "base/readable.h"

#include <stdio.h>
#include <time.h>

const char *
readable_time(int64_t wall_ms, char out[static READABLE_SIZE])
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm local;

	if (wall_ms == 0 || localtime_r(&seconds, &local) == NULL ||
	    strftime(out, READABLE_SIZE, "%Y-%m-%d %H:%M:%S", &local) == 0)
		snprintf(out, READABLE_SIZE, "-");
	return out;
}

const char *
readable_span(int64_t ms, char out[static READABLE_SIZE])
{
	static const struct {
		const char *unit, *rest;
		int64_t seconds, rest_seconds;
	} units[] = { { "d", "h", 86400, 3600 }, { "h", "m", 3600, 60 },
		{ "m", "s", 60, 1 } };
	int64_t s = ms < 0 ? 0 : ms / 1000;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (s >= units[i].seconds) {
			snprintf(out, READABLE_SIZE, "%lld%s %lld%s",
			    (long long)(s / units[i].seconds), units[i].unit,
			    (long long)(s % units[i].seconds /
					units[i].rest_seconds),
			    units[i].rest);
			return out;
		}
	snprintf(out, READABLE_SIZE, "%llds", (long long)s);
	return out;
}

const char *
readable_size(uint64_t bytes, char out[static READABLE_SIZE])
{
	static const char units[] = "KMGTPE";
	uint64_t tenths = bytes * 10 / 1024;
	unsigned i = 0;

	if (bytes < 1024) {
		snprintf(out, READABLE_SIZE, "%u", (unsigned)bytes);
		return out;
	}
	for (; tenths >= 10240; i++)
		tenths /= 1024;
	snprintf(out, READABLE_SIZE, "%u.%u%c", (unsigned)(tenths / 10),
	    (unsigned)(tenths % 10), units[i]);
	return out;
}

const char *
readable_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}
