/* SPDX-License-Identifier: Apache-2.0 */
#include "admin/archived_mail.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mail/header.h"
#include "mail/ticket.h"

enum { TRACE_MAX = 2048, PIECE = 16 * 1024 };

/* The empty line may lie across two pieces. */
static bool
has_header_end(const struct buf *head, size_t before)
{
	struct slice fresh =
	    slice_from(buf_slice(head), before > 0 ? before - 1 : 0);

	return head->data[0] == '\n' ||
	       memmem(fresh.data, fresh.len, "\n\n", 2) != NULL;
}

static bool
read_head(int fd, struct buf *head, struct error *err)
{
	uint8_t piece[PIECE];

	while (head->len < head->max) {
		ssize_t n = read(fd, piece, sizeof(piece));
		size_t before = head->len;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(
			    err, ERROR_LOCAL, errno, "a file in the archive");
		if (n == 0)
			break;
		buf_add(head, slice_first((struct slice){ piece, (size_t)n },
				  head->max - head->len));
		if (has_header_end(head, before))
			break;
	}
	return true;
}

bool
archived_mail_read(int fd, struct archived_mail *m, struct error *err)
{
	struct header_field field;
	struct header header;

	*m = (struct archived_mail){ .header_end = 0 };
	buf_init(&m->head, TICKET_MAX + TRACE_MAX + HEADER_HELD_MAX);
	if (!read_head(fd, &m->head, err)) {
		archived_mail_clear(m);
		return false;
	}
	mail_trace_find(buf_slice(&m->head), &m->trace);
	if (m->trace.begin > 0)
		m->trace = (struct mail_trace){ .begin = 0 };
	header_init(&header, buf_slice(&m->head));
	while (header_next(&header, &field))
		m->header_end =
		    (size_t)(field.whole.data - m->head.data) + field.whole.len;
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
	    slice_first(buf_slice(&m->head), m->header_end), m->trace.end);
}
