/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any line on the fetcher's control socket: what is understood lies inside the
 * line and within the limits.
 */
#include "fetcher/command.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
within(struct slice part, const uint8_t *data, size_t size)
{
	return part.len == 0 ||
	       (part.data >= data && part.data + part.len <= data + size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command command;
	struct error err;

	if (!command_parse((struct slice){ data, size }, &command, &err))
		return 0;
	if (!within(command.account, data, size) ||
	    !within(command.message, data, size) || command.wait_ms < 0 ||
	    command.wait_ms > 60 * 60 * 1000 ||
	    (command.verb != COMMAND_STATUS) != (command.account.len > 0))
		abort();
	return 0;
}
