/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a configuration file: no crash, no leak, and every finding is
 * one printable line.
 */
#include "config/config.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_lines(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && (text[i] < 0x20 || text[i] > 0x7e))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], *text = NULL;
	struct config *config;
	size_t len = 0;
	FILE *sink;
	int fd;

	fd = memfd_create("config", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	sink = open_memstream(&text, &len);
	config = config_load(path, sink);
	fclose(sink);
	if (config == NULL && len == 0)
		abort();
	check_lines(text, len);
	config_unref(config);
	free(text);
	close(fd);
	return 0;
}
