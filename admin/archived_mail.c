/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/archived_mail.h"

#include <errno.h>
#include <unistd.h>

#include "mail/header.h"
#include "mail/ticket.h"

enum { TRACE_MAX = 1024 };

static bool
read_head(int fd, struct buf *head, struct error *err)
{
	uint8_t piece[16 * 1024];

	while (head->len < head->max) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(
			    err, ERROR_LOCAL, errno, "a file in the archive");
		if (n == 0)
			break;
		buf_add(head, slice_first((struct slice){ piece, (size_t)n },
				  head->max - head->len));
	}
	return true;
}

/* "account=office; id=…; source=envelope" */
static struct slice
trace_word(struct slice trace, struct slice name)
{
	struct slice part, none = { NULL, 0 };

	while (trace.len > 0) {
		if (!slice_cut_until(&trace, ';', &part)) {
			part = trace;
			trace.len = 0;
		}
		part = slice_trim(part);
		if (slice_cut_prefix(&part, name))
			return part;
	}
	return none;
}

bool
archived_mail_read(int fd, struct archived_mail *m, struct error *err)
{
	struct header header;
	struct header_field field;

	*m = (struct archived_mail){ .ticket_end = 0 };
	buf_init(&m->head, TICKET_MAX + TRACE_MAX + HEADER_HELD_MAX);
	if (!read_head(fd, &m->head, err)) {
		archived_mail_clear(m);
		return false;
	}
	header_init(&header, buf_slice(&m->head));
	while (header_next(&header, &field)) {
		size_t end =
		    (size_t)(field.whole.data - m->head.data) + field.whole.len;

		if (m->header_end == 0 && header_is(&field, TICKET_FIELD)) {
			m->ticket = field.body;
			m->ticket_end = m->trace_end = end;
		} else if (m->header_end == m->ticket_end &&
			   header_is(&field, "X-Mailhaul")) {
			m->account = trace_word(field.body, SLICE("account="));
			m->source = trace_word(field.body, SLICE("source="));
			m->trace_end = end;
		}
		m->header_end = end;
	}
	return true;
}

void
archived_mail_clear(struct archived_mail *m)
{
	buf_clear(&m->head);
}

struct slice
archived_mail_header(const struct archived_mail *m)
{
	return slice_from(
	    slice_first(buf_slice(&m->head), m->header_end), m->trace_end);
}
