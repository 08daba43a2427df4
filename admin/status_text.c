/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/status.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/readable.h"

static long long
number(const json_t *object, const char *key)
{
	return (long long)json_integer_value(json_object_get(object, key));
}

static const char *
plural(const json_t *object, const char *key)
{
	return readable_plural((uint64_t)number(object, key));
}

static const char *
text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value == NULL ? "" : value;
}

/* "mailhaul-fetcher 0.1.0, up 5m 3s"; false when there is nothing more to
 * say. */
static bool
print_daemon(const char *name, const json_t *daemon)
{
	const char *error = text(daemon, "error");
	char span[READABLE_SIZE];

	if (!json_is_true(json_object_get(daemon, "running"))) {
		printf("%s  not running (%s)\n", name, error);
		return false;
	}
	if (error[0] != '\0') {
		printf("%s  does not answer (%s)\n", name, error);
		return false;
	}
	printf("%s  %s, up %s", name, text(daemon, "version"),
	    readable_span(number(daemon, "uptime_s") * 1000, span));
	return true;
}

static void
print_milter(const json_t *milter)
{
	const json_t *sources = json_object_get(milter, "sources");

	if (!print_daemon("mailhaul-milter ", milter))
		return;
	printf(", %s%s: %lld routed, %lld deferred, %lld passed\n",
	    json_is_true(json_object_get(milter, "ready")) ? "ready"
							   : "waiting: ",
	    text(milter, "reason"), number(milter, "routed"),
	    number(milter, "deferred"), number(milter, "passed"));
	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *s = json_array_get(sources, i);
		const char *fault = text(s, "last_fault");

		printf("    %s %s: %s, %lld look-up%s (%lld cached), %lld "
		       "fault%s, %.3f ms on average%s%s\n",
		    text(s, "kind"), text(s, "source"), text(s, "state"),
		    number(s, "lookups"), plural(s, "lookups"),
		    number(s, "cached"), number(s, "faults"),
		    plural(s, "faults"),
		    json_real_value(json_object_get(s, "mean_ms")),
		    fault[0] == '\0' ? "" : "; last fault: ", fault);
	}
}

static void
print_archive(const json_t *archive)
{
	char size[READABLE_SIZE], oldest[READABLE_SIZE];

	if (archive == NULL)
		return;
	printf("archive           %lld message%s, %s",
	    number(archive, "messages"), plural(archive, "messages"),
	    readable_size((uint64_t)number(archive, "bytes"), size));
	if (number(archive, "messages") > 0)
		printf(", the oldest of %s",
		    readable_time(number(archive, "oldest_ms"), oldest));
	putchar('\n');
}

/* "1,234" */
static const char *
grouped(long long n, char out[static READABLE_SIZE])
{
	char digits[READABLE_SIZE];
	int len = snprintf(digits, sizeof(digits), "%lld", n), at = 0;

	for (int i = 0; i < len && at < READABLE_SIZE - 2; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

/* "1,234 of 16,000 messages, 1.2G of 14.0G, 2.1M/s, 1h 40m left" */
static void
print_backlog(const json_t *a, int width)
{
	char done[READABLE_SIZE], todo[READABLE_SIZE];

	printf("%*s  %s of %s message%s", width, "",
	    grouped(number(a, "done_messages"), done),
	    grouped(number(a, "todo_messages"), todo),
	    plural(a, "todo_messages"));
	if (number(a, "todo_bytes") > 0)
		printf(", %s of %s",
		    readable_size((uint64_t)number(a, "done_bytes"), done),
		    readable_size((uint64_t)number(a, "todo_bytes"), todo));
	if (number(a, "rate_bytes") > 0)
		printf(", %s/s",
		    readable_size((uint64_t)number(a, "rate_bytes"), done));
	if (json_object_get(a, "left_s") != NULL)
		printf(", %s left",
		    readable_span(number(a, "left_s") * 1000, done));
	putchar('\n');
}

static void
print_last_pass(const json_t *a, int width)
{
	char span[READABLE_SIZE];

	printf("%*s  ", width, "");
	if (number(a, "ended_ms") > 0)
		printf("last pass %s ago: ",
		    readable_span(
			clock_wall_ms() - number(a, "ended_ms"), span));
	printf("%lld listed, %lld fetched, %lld injected, ",

	    number(a, "listed"), number(a, "fetched"), number(a, "injected"));
	if (number(a, "duplicates") > 0)
		printf("%lld duplicate%s, ", number(a, "duplicates"),
		    plural(a, "duplicates"));
	printf("%lld deleted; %lld injected since the start\n",
	    number(a, "deleted"), number(a, "total_injected"));
}

static void
print_account(const json_t *a, int width)
{
	static const char *const left[] = { "retry", "parked", "oversize" };
	const char *reason = text(a, "reason"), *notice = text(a, "notice");
	char span[READABLE_SIZE];

	printf("%-*s  %s", width, text(a, "account"), text(a, "state"));
	if (json_object_get(a, "next_ms") != NULL)
		printf(", next pass in %s",
		    readable_span(number(a, "next_ms"), span));
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++)
		if (number(a, left[i]) > 0)
			printf(", %lld %s", number(a, left[i]), left[i]);
	putchar('\n');
	if (reason[0] != '\0')
		printf("%*s  %s\n", width, "", reason);
	if (notice[0] != '\0')
		printf("%*s  %s\n", width, "", notice);
	if (json_object_get(a, "todo_messages") != NULL)
		print_backlog(a, width);
	if (json_object_get(a, "passes") != NULL)
		print_last_pass(a, width);
}

void
status_print(const json_t *root)
{
	const json_t *fetcher = json_object_get(root, "fetcher");
	const json_t *accounts = json_object_get(root, "accounts");
	const char *error = text(root, "state_error");
	int width = 0;

	if (print_daemon("mailhaul-fetcher", fetcher))
		printf(", %lld message%s on the way to Postfix (%s)%s\n",
		    number(fetcher, "in_flight"), plural(fetcher, "in_flight"),
		    text(fetcher, "method"),
		    number(fetcher, "spool_full") > 0
			? "; the spool is full, fetching pauses"
			: "");
	print_milter(json_object_get(root, "milter"));
	print_archive(json_object_get(root, "archive"));
	if (error[0] != '\0')
		printf("state             %s\n", error);
	putchar('\n');
	for (size_t i = 0; i < json_array_size(accounts); i++) {
		int len =
		    (int)strlen(text(json_array_get(accounts, i), "account"));

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < json_array_size(accounts); i++)
		print_account(json_array_get(accounts, i), width);
}
