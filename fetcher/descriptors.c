/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"

enum {
	/* The state, sockets for control, its clients, resolvers. */
	FOR_ITSELF = 100,
	/* The socket, and a spool file. */
	FOR_CONNECTION = 2,
	/* Pipes of a child and its file, or the socket to Postfix. */
	FOR_HAND_OVER = 6,
};

uint64_t
descriptors_needed(unsigned connections, unsigned parallel)
{
	return FOR_ITSELF + (uint64_t)FOR_HAND_OVER * parallel +
	       (uint64_t)FOR_CONNECTION * connections;
}

unsigned
descriptors_connections(uint64_t limit, unsigned parallel)
{
	uint64_t others = descriptors_needed(0, parallel);

	if (limit < others + FOR_CONNECTION)
		return 1;
	limit = (limit - others) / FOR_CONNECTION;
	return limit < UINT32_MAX ? (unsigned)limit : UINT32_MAX;
}

uint64_t
descriptors_provide(uint64_t needed)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur >= needed)
		return limit.rlim_cur;
	limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

unsigned
descriptors_allow(unsigned connections, unsigned parallel)
{
	uint64_t needed = descriptors_needed(connections, parallel);
	uint64_t limit = descriptors_provide(needed);
	unsigned possible = descriptors_connections(limit, parallel);

	if (limit >= needed)
		return connections;
	log_warning("fetcher.connections: %u need %llu file descriptors, and "
		    "this process may have %llu: there will be %u connections "
		    "at most (raise LimitNOFILE=)",
	    connections, (unsigned long long)needed, (unsigned long long)limit,
	    possible);
	return possible < connections ? possible : connections;
}

bool
descriptors_left(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}
