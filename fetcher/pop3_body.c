/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/pop3.h"

#include <string.h>

/* Named after what was read last. */
enum { TEXT, CR, CRLF, CRLF_DOT, CRLF_DOT_CR };

void
pop3_body_init(struct pop3_body *b)
{
	/* The "+OK" line's end counts: an empty message is just the dot. */
	b->state = CRLF;
}

/* Copies what is before the next CR; returns its length. */
static size_t
copy_text(struct slice in, uint8_t *out)
{
	size_t len = slice_find(in, '\r');

	if (len > 0)
		memcpy(out, in.data, len);
	return len;
}

/* One byte after something that may be more than text.  Sets *taken when the
 * byte is used up; a CR is written once it is known not to begin a CRLF. */
static int
step(int state, uint8_t byte, bool *taken, uint8_t **out)
{
	*taken = true;
	switch (state) {
	case CR:
		*(*out)++ = byte == '\n' ? '\n' : '\r';
		if (byte == '\n')
			return CRLF;
		if (byte == '\r')
			return CR;
		break;
	case CRLF:
		if (byte == '.')
			return CRLF_DOT;
		break;
	case CRLF_DOT:
		if (byte == '\r')
			return CRLF_DOT_CR;
		break;
	default: /* CRLF_DOT_CR and no LF: the CR counts as any other */
		*taken = false;
		return CR;
	}
	*taken = false;
	return TEXT;
}

bool
pop3_body_feed(struct pop3_body *b, struct slice in, size_t *used, uint8_t *out,
    size_t *out_len)
{
	uint8_t *end = out;
	size_t at = 0;
	bool done = false, taken;

	while (at < in.len && !done) {
		if (b->state == TEXT) {
			size_t len = copy_text(slice_from(in, at), end);

			end += len;
			at += len;
			if (at < in.len) {
				b->state = CR;
				at++;
			}
		} else if (b->state == CRLF_DOT_CR && in.data[at] == '\n') {
			at++;
			done = true;
		} else {
			b->state = step(b->state, in.data[at], &taken, &end);
			at += taken;
		}
	}
	*used = at;
	*out_len = (size_t)(end - out);
	return done;
}
