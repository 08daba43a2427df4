/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pop3 - the client side of one POP3 session (RFC 1939; CAPA, PIPELINING,
 * LOGIN-DELAY, EXPIRE: RFC 2449; STLS: RFC 2595; AUTH: RFC 5034; response
 * codes: RFC 2449, RFC 3206; UTF8: RFC 6856): the machine behind pop3_protocol
 * (protocol.h).
 *
 * Pure: no socket, no clock.  While it logs in it has memory for what it says,
 * since a token may be long; it is wiped and freed when the login is done.
 *
 * Login: greeting, CAPA, [STLS, CAPA], [UTF8], AUTH or USER and PASS.  CAPA may
 * be refused.  UTF8 is asked for only where Postfix takes such mail; a server
 * that refuses it sends it downgraded.
 *
 * Opening the one folder there is: STAT, UIDL, LIST; at once with PIPELINING.
 * With it, up to POP3_WINDOW commands are under way, else one.  They are so
 * short that no server has to stop reading them while it sends.
 *
 * A server that has no UIDL lists without UIDs (DO_LISTED with an empty .text)
 * if the account keeps nothing there, else that fails with ERROR_CONFIG.  One
 * whose CAPA names UIDL has it, and refuses it only for now.
 *
 * Both listings must name the messages 1, 2, … up to STAT's count, in this
 * order, as all servers send them; anything else is ERROR_PROTOCOL.  That
 * bounds them, and finds repeated and missing numbers, without memory.  A UID
 * that names several messages is passed on as it is.
 */
#ifndef FETCHER_POP3_H
#define FETCHER_POP3_H

#include "fetcher/protocol.h"

enum {
	POP3_WINDOW = 64,
	POP3_COMMAND_MAX = 64, /* once the login is done */
};

/*
 * The lines of a message as raw bytes, in pieces of any size: takes away the
 * dot-stuffing (after CRLF only), turns CRLF into LF, and finds the end, which
 * is CRLF "." CRLF and nothing else (RFC 1939 3; a bare CR or LF never ends
 * anything).  Constant memory.
 */
struct pop3_body {
	int state;
};
void pop3_body_init(struct pop3_body *);
/* Consumes up to `in.len` bytes: *used of them, writes *out_len bytes to `out`,
 * which holds at least in.len + 4.  Returns true at the end of the message;
 * bytes after it are not used. */
bool pop3_body_feed(struct pop3_body *, struct slice in, size_t *used,
    uint8_t *out, size_t *out_len);

/* A reply that is due: of which command, and about which message. */
struct pop3_reply {
	int state;
	uint32_t number;
};

struct pop3 {
	const struct protocol_login *login;
	struct pop3_exchange *exchange; /* NULL but while logging in */
	int state;
	bool secured;
	struct protocol_facts facts;
	uint32_t listed;                    /* lines of the list under way */
	uint32_t expected;                  /* what STAT said */
	struct pop3_reply due[POP3_WINDOW]; /* a ring */
	unsigned first_due, n_due;
	struct pop3_body body;
	char command[POP3_COMMAND_MAX];
};

#endif
