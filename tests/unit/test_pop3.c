/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/play.h"

#include "fetcher/pop3.h"

static void
plays_as_written(void **state)
{
	play_file(&pop3_protocol, *state);
}

int
main(void)
{
	return each_file("tests/data/pop3/*.txt", plays_as_written);
}
