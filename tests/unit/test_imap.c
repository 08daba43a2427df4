/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/play.h"

#include "fetcher/imap.h"

static void
plays_as_written(void **state)
{
	play_file(&imap_protocol, *state);
}

int
main(void)
{
	return each_file("tests/data/imap/*.txt", plays_as_written);
}
