/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp_reply - what an SMTP server answers, line by line, and what its answer
 * to RCPT says about the address (RFC 5321 4.2, RFC 3463).  Pure.
 *
 * Only two answers are clear.  250 and 251: the address exists.  550, 551 or 553
 * with an enhanced status 5.1.x about the recipient: it does not.  A 550 without
 * one may be anything ("command rejected for policy reasons"), 4xx is a
 * matter of time, 554 5.7.1 is a server that is not responsible.
 */
#ifndef DIRECTORY_SMTP_REPLY_H
#define DIRECTORY_SMTP_REPLY_H

#include "directory/directory.h"

enum {
	SMTP_REPLY_LINE_MAX = 2048, /* RFC 5321: 512 */
	SMTP_REPLY_LINES_MAX = 100,
	SMTP_REPLY_TEXT_SIZE = 160,
};

struct smtp_reply {
	unsigned code; /* 200 to 599 */
	unsigned lines;
	bool utf8; /* a line offered SMTPUTF8 (of the reply to EHLO) */
	char text[SMTP_REPLY_TEXT_SIZE]; /* the first line, printable */
};

enum smtp_more { SMTP_REPLY_MORE, SMTP_REPLY_WHOLE, SMTP_REPLY_BROKEN };
/* Begins with a zeroed struct; lines come without CRLF. */
enum smtp_more smtp_reply_line(struct smtp_reply *, struct slice line);
enum existence smtp_reply_judge(const struct smtp_reply *);

#endif
