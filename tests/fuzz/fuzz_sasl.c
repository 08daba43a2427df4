/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that says anything: the first byte chooses mechanism and the way of
 * its initial response, each line is a challenge; one that begins with "=" is
 * put into base64, and @ in it stands for our nonce.  What comes back must be
 * base64, and a SCRAM server that does not know the password is never believed.
 */
#include "fetcher/sasl.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_response(const struct buf *out)
{
	uint8_t bytes[SASL_RESPONSE_MAX];
	size_t len;

	if (!base64_read(buf_slice(out), bytes, sizeof(bytes), &len))
		abort();
}

/* The line in base64, so that the fuzzer need not find that. */
static void
encode(const struct sasl *s, struct slice line, struct buf *out)
{
	char text[SASL_RESPONSE_MAX];
	struct buf plain;

	buf_init(&plain, SASL_CHALLENGE_MAX);
	for (size_t i = 0; i < line.len; i++) {
		if (line.data[i] == '@')
			buf_add_string(&plain, s->nonce);
		else
			buf_add_byte(&plain, line.data[i]);
	}
	base64_write(buf_slice(&plain), text, sizeof(text));
	buf_add_string(out, text);
	buf_clear(&plain);
}

static bool
challenge(struct sasl *s, struct slice line)
{
	struct buf text, out;
	struct error err;
	bool ok;

	buf_init(&text, SASL_RESPONSE_MAX);
	buf_init(&out, SASL_RESPONSE_MAX);
	if (slice_cut_prefix(&line, SLICE("=")))
		encode(s, line, &text);
	else
		buf_add(&text, line);
	ok = sasl_respond(s, buf_slice(&text), &out, &err);
	if (ok)
		check_response(&out);
	buf_clear(&text);
	buf_clear(&out);
	return ok;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sasl_credentials credentials = { .user = "joe",
		.secret = SLICE("hunter2"),
		.host = "pop.isp.example",
		.port = 995 };
	struct slice in = { data, size }, line;
	struct error err;
	struct sasl s;
	struct buf out;

	if (size == 0)
		return 0;
	sasl_start(&s, data[0] % SASL_USER, &credentials);
	memset(s.nonce, 'n', sizeof(s.nonce) - 1);
	buf_init(&out, SASL_RESPONSE_MAX);
	if (!sasl_command(&s, data[0] & 0x80 ? 0 : SIZE_MAX, &out, &err))
		abort();
	in = slice_from(in, 1);
	while (slice_cut_line(&in, &line)) {
		if (!challenge(&s, line))
			break;
	}
	if (sasl_accept(&s, &err) && s.mechanism == SASL_SCRAM_SHA_256)
		abort();
	sasl_clear(&s);
	buf_clear(&out);
	return 0;
}
