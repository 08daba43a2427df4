/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/smtp.h"

void
smtp_body_init(struct smtp_body *b)
{
	*b = (struct smtp_body){ .in_line = false };
}

static void
end_line(struct smtp_body *b, struct buf *out)
{
	buf_add(out, b->after_cr ? SLICE("\n") : SLICE("\r\n"));
	b->in_line = false;
	b->after_cr = false;
}

void
smtp_body_feed(struct smtp_body *b, struct slice in, struct buf *out)
{
	while (in.len > 0) {
		size_t len = slice_find(in, '\n');

		if (len > 0) {
			if (!b->in_line && in.data[0] == '.')
				buf_add_byte(out, '.');
			buf_add(out, slice_first(in, len));
			b->in_line = true;
			b->after_cr = in.data[len - 1] == '\r';
		}
		if (len < in.len)
			end_line(b, out);
		in = slice_from(in, len + 1);
	}
}

void
smtp_body_end(struct smtp_body *b, struct buf *out)
{
	if (b->in_line)
		end_line(b, out);
	buf_add(out, SLICE(".\r\n"));
}
