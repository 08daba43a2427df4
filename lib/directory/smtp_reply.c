/* SPDX-License-Identifier: Apache-2.0 */
#include "directory/smtp_reply.h"

#include "base/log.h"

enum smtp_more
smtp_reply_line(struct smtp_reply *r, struct slice line)
{
	struct slice rest = slice_from(line, 3), digits = slice_first(line, 3);
	uint64_t code;

	if (line.len < 3 || !slice_cut_number(&digits, 599, &code) ||
	    digits.len > 0 || code < 200 || (r->lines > 0 && code != r->code) ||
	    (rest.len > 0 && rest.data[0] != ' ' && rest.data[0] != '-'))
		return SMTP_REPLY_BROKEN;
	if (r->lines++ == 0) {
		r->code = (unsigned)code;
		log_safe(r->text, sizeof(r->text), slice_trim(line));
	}
	r->utf8 = r->utf8 || slice_equal_nocase(slice_trim(slice_from(rest, 1)),
				 SLICE("SMTPUTF8"));
	if (rest.len == 0 || rest.data[0] == ' ')
		return SMTP_REPLY_WHOLE;
	return r->lines < SMTP_REPLY_LINES_MAX ? SMTP_REPLY_MORE
					       : SMTP_REPLY_BROKEN;
}

/* The detail x of an enhanced status 5.1.x. */
static bool
addressing_detail(const struct smtp_reply *r, uint64_t *detail)
{
	struct slice text = slice_from(slice_of(r->text), 4);

	return slice_cut_prefix(&text, SLICE("5.1.")) &&
	       slice_cut_number(&text, 999, detail) &&
	       (text.len == 0 || text.data[0] == ' ');
}

enum existence
smtp_reply_judge(const struct smtp_reply *r)
{
	enum { BAD_SENDER_SYNTAX = 7, BAD_SENDER_SYSTEM = 8 };
	uint64_t detail;

	switch (r->code) {
	case 250:
	case 251:
		return EXISTS;
	case 550:
	case 551:
	case 553:
		if (addressing_detail(r, &detail) &&
		    detail != BAD_SENDER_SYNTAX && detail != BAD_SENDER_SYSTEM)
			return ABSENT;
		return UNKNOWN;
	default:
		return UNKNOWN;
	}
}
