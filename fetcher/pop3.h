/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pop3 - the client side of one POP3 session (RFC 1939; CAPA: RFC 2449; STLS:
 * RFC 2595; AUTH PLAIN: RFC 5034; response codes: RFC 2449, RFC 3206): the
 * machine behind pop3_protocol (protocol.h).
 *
 * Pure: no socket, no clock, no allocation.
 *
 * Login: greeting, CAPA, [STLS, CAPA], AUTH PLAIN (when offered) or USER and
 * PASS.  CAPA may be refused.  Opening the one folder there is: STAT, UIDL,
 * LIST.  Without UIDL that fails with ERROR_CONFIG.
 *
 * Both listings must name the messages 1, 2, … up to STAT's count, in this
 * order, as all servers send them; anything else is ERROR_PROTOCOL.  That
 * bounds them, and finds repeated and missing numbers, without memory.
 */
#ifndef FETCHER_POP3_H
#define FETCHER_POP3_H

#include "fetcher/protocol.h"

enum { POP3_COMMAND_MAX = 1024 };

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

struct pop3 {
	const struct protocol_login *login;
	int state;
	bool secured, capa_plain;
	struct protocol_facts facts;
	uint32_t number;   /* of the command under way */
	uint32_t listed;   /* lines of the list under way */
	uint32_t expected; /* what STAT said */
	struct pop3_body body;
	char command[POP3_COMMAND_MAX];
};

#endif
