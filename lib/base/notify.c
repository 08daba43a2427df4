/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/slice.h"

void
notify_send(const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* Linux's name space without files */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* The result changes nothing for the service. */
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (const struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

static uint64_t
number_in_environment(const char *name)
{
	const char *value = getenv(name);
	uint64_t number;
	struct slice rest;

	if (value == NULL)
		return 0;
	rest = slice_of(value);
	if (!slice_cut_number(&rest, INT64_MAX, &number) || rest.len > 0)
		return 0;
	return number;
}

int64_t
notify_watchdog_ms(void)
{
	uint64_t usec = number_in_environment("WATCHDOG_USEC");
	int64_t half_ms = (int64_t)(usec / 2 / 1000);

	/* A child inherits the variables of its parent, not the duty. */
	if (getenv("WATCHDOG_PID") != NULL &&
	    number_in_environment("WATCHDOG_PID") != (uint64_t)getpid())
		return 0;
	return usec > 0 && half_ms == 0 ? 1 : half_ms;
}
