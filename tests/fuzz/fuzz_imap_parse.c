/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a response, and as the name of a folder: what is taken must lie
 * in what was given, get shorter, and a name must come back as it was.
 */
#include "base/buf.h"
#include "fetcher/imap_name.h"
#include "fetcher/imap_parse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_tokens(struct slice in)
{
	const uint8_t *end = in.data + in.len;
	struct imap_token token;
	size_t before = in.len;

	while (imap_cut_token(&in, &token)) {
		if (in.len >= before ||
		    (in.len > 0 && in.data + in.len != end) ||
		    token.text.len > before)
			abort();
		before = in.len;
	}
}

static void
check_fetch(struct slice in)
{
	struct imap_fetch fetch;

	if (imap_open_fetch(&in, &fetch) && imap_read_fetch(&in, &fetch) &&
	    fetch.body == IMAP_BODY_NEXT && in.len > 0)
		abort();
}

static void
check_status(struct slice in)
{
	struct imap_status status;

	if (imap_read_status(in, &status) &&
	    (status.code.len > in.len || status.words.len > in.len ||
		status.arguments.len > in.len))
		abort();
}

static void
check_literal(struct slice in)
{
	size_t before = in.len;
	uint64_t size;

	if (imap_cut_literal(&in, &size) == IMAP_LITERAL &&
	    (size > INT64_MAX || in.len >= before))
		abort();
}

static void
check_name(struct slice in)
{
	struct buf once, twice;

	buf_init(&once, 8 * IMAP_NAME_MAX);
	buf_init(&twice, 8 * IMAP_NAME_MAX);
	if (imap_name_encode(in, &once) && once.len <= IMAP_NAME_MAX &&
	    (!imap_name_decode(buf_slice(&once), &twice) ||
		!slice_equal(buf_slice(&twice), in)))
		abort();
	buf_reset(&once);
	buf_reset(&twice);
	if (imap_name_decode(in, &once) &&
	    (!imap_name_encode(buf_slice(&once), &twice) ||
		!slice_equal(buf_slice(&twice), in)))
		abort();
	buf_clear(&once);
	buf_clear(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = { data, size };

	check_tokens(in);
	check_fetch(in);
	check_status(in);
	check_literal(in);
	check_name(in);
	imap_skip_value(&in);
	return 0;
}
