/* SPDX-License-Identifier: Apache-2.0 */
/*
 * smtp - the client side of one SMTP session with our own MTA (RFC 5321;
 * PIPELINING: RFC 2920; SIZE: RFC 1870; 8BITMIME: RFC 6152; DSN: RFC 3461;
 * SMTPUTF8: RFC 6531; XCLIENT: Postfix's XCLIENT_README).
 *
 * Pure: no socket, no clock, no allocation.  The driver (inject_smtp) feeds one
 * server line at a time, without CRLF, and does what the returned action says.
 *
 * Order: greeting, EHLO, READY; then for each message [XCLIENT, greeting, EHLO]
 * MAIL RCPT DATA (in one write when the server offers PIPELINING), the message,
 * its reply, READY.  There is one recipient, with NOTIFY=NEVER where DSN is
 * offered.  After a refusal the session is over, since Postfix slows down, and
 * then drops, a session with errors.
 *
 * With `xclient`, and where the server offers XCLIENT, every message names the
 * client that its origin names, or an unknown one.  An origin that the server
 * refuses (an IPv6 address where inet_protocols = ipv4) counts as unknown.
 */
#ifndef FETCHER_SMTP_H
#define FETCHER_SMTP_H

#include "base/buf.h"
#include "base/error.h"
#include "mail/address.h"
#include "recipients/candidates.h"

enum {
	SMTP_LINE_MAX = 2048,       /* RFC 5321: 512 */
	SMTP_REPLY_LINES_MAX = 100, /* of one reply */
	SMTP_WORDS_MAX = 400,       /* of a reply that are kept */
	SMTP_COMMANDS_MAX = 2048,
	SMTP_QUEUE_ID_SIZE = 64,
};

enum smtp_do {
	SMTP_WAIT,  /* feed the next line */
	SMTP_SEND,  /* send .text, then feed lines */
	SMTP_READY, /* call smtp_mail() */
	SMTP_BODY,  /* send the message through a smtp_body, its end included,
		     * then call smtp_body_done(); lines may come before */
	SMTP_DONE,  /* .verdict on the message: accepted, and READY again; or
		     * *err says why not, and the connection is to be closed */
	SMTP_FAIL,  /* close the connection; *err says why */
};

enum smtp_verdict {
	SMTP_ACCEPTED,
	SMTP_DEFERRED,    /* 4xx, about this message */
	SMTP_REFUSED,     /* 5xx, about this message */
	SMTP_OVERSIZE,    /* the message is larger than the server's limit */
	SMTP_UNAVAILABLE, /* the server's trouble, or its configuration: the
			   * next message would fare the same */
};

struct smtp_action {
	enum smtp_do todo;
	enum smtp_verdict verdict;
	struct slice text; /* borrowed: valid until the next call */
};

struct smtp_settings { /* borrowed while the session lives */
	const char *helo;
	bool xclient;
};

struct smtp_mail { /* borrowed until SMTP_DONE or SMTP_FAIL */
	const struct address *sender, *recipient;
	const struct origin *origin;
	uint64_t size;
};

struct smtp {
	const struct smtp_settings *settings;
	const struct smtp_mail *mail; /* under way */
	int state;
	bool pipelining, size, eightbit, dsn, utf8, xclient; /* offered */
	bool pretending;      /* XCLIENT was accepted: */
	struct origin origin; /* this is who it named */
	bool origin_refused;  /* of the mail under way */
	bool decided;
	enum smtp_verdict verdict;
	struct error why;
	char queue_id[SMTP_QUEUE_ID_SIZE]; /* of the last message accepted; ""
					    * when the reply named none */
	/* The reply under way. */
	unsigned code, lines;
	char words[SMTP_WORDS_MAX];
	size_t words_len;
	char commands[SMTP_COMMANDS_MAX];
};

void smtp_init(struct smtp *, const struct smtp_settings *);
/* The server's next line, of SMTP_LINE_MAX bytes at most.  *err is ERROR_REFUSED
 * with SMTP_DONE; with SMTP_FAIL ERROR_LOCAL, since the server is our own. */
struct smtp_action smtp_line(struct smtp *, struct slice, struct error *);
/* False when this session cannot name that origin any more: Postfix lets a
 * client that pretends to be another one not do so again, unless
 * smtpd_authorized_xclient_hosts holds that one too. */
bool smtp_takes(const struct smtp *, const struct origin *);
struct smtp_action smtp_mail(struct smtp *, const struct smtp_mail *);
void smtp_body_done(struct smtp *);
/* True when the message under way has been refused, and only the replies to the
 * commands behind that are missing: what an end of the session does not change. */
bool
smtp_was_refused(const struct smtp *, enum smtp_verdict *, struct error *why);
/* Some of the message may have been sent. */
bool smtp_body_begun(const struct smtp *);
/* The name of the reply awaited ("greeting", "end of message", …). */
const char *smtp_state_name(const struct smtp *);

/* What a negative reply to the command of this name says of the message: the
 * code and its words, enhanced status (RFC 3463) first.  In smtp_verdict.c */
struct smtp_refusal {
	enum { SMTP_AT_MAIL, SMTP_AT_RCPT, SMTP_AT_DATA } stage;
	unsigned code;
	struct slice words;
};
enum smtp_verdict smtp_judge(const struct smtp_refusal *);

/*
 * A message on its way out: LF becomes CRLF, a dot that begins a line is
 * doubled, and nothing within can end the message early.  In smtp_body.c
 */
struct smtp_body {
	bool in_line, after_cr;
};
void smtp_body_init(struct smtp_body *);
/* Appends at most 2 * in.len bytes. */
void smtp_body_feed(struct smtp_body *, struct slice in, struct buf *out);
/* CRLF "." CRLF: only when the message is complete. */
void smtp_body_end(struct smtp_body *, struct buf *out);

#endif
