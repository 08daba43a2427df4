/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pop3 - the client side of one POP3 session (RFC 1939; CAPA: RFC 2449; STLS:
 * RFC 2595; AUTH PLAIN: RFC 5034; response codes: RFC 2449, RFC 3206).
 *
 * Pure: no socket, no clock, no allocation.  The driver (session) feeds one
 * server line at a time, without CRLF, and does what the returned action says.
 * Which messages to fetch, and when one is safe enough to be deleted, is the
 * driver's decision, never this module's.
 *
 * Order: greeting, CAPA, [STLS, CAPA], AUTH PLAIN (when offered) or USER and
 * PASS, STAT, UIDL, LIST, then READY.  CAPA may be refused.  STLS refused or
 * not offered where it is required ends the session: there is no falling back
 * to clear text.  Without UIDL the session fails with ERROR_CONFIG.  A refused
 * login is never tried another way, since providers lock accounts.
 *
 * Both listings must name the messages 1, 2, … up to STAT's count, in this
 * order, as all servers send them; anything else is ERROR_PROTOCOL.  That
 * bounds them, and finds repeated and missing numbers, without memory.
 */
#ifndef FETCHER_POP3_H
#define FETCHER_POP3_H

#include "base/error.h"
#include "base/slice.h"

enum {
	POP3_LINE_MAX = 4096, /* RFC 2449: 512; some servers talk more */
	POP3_COMMAND_MAX = 1024,
	POP3_MESSAGES_MAX = 1000000,
	POP3_UID_MAX = 255, /* RFC 1939: 70; Exchange sends more */
};

enum pop3_do {
	POP3_WAIT,      /* feed the next line */
	POP3_SEND,      /* send .text (it ends with CRLF), then feed a line */
	POP3_START_TLS, /* conn_start_tls(), then pop3_secured() */
	POP3_LOGGED_IN, /* as POP3_SEND, and tell: the login is done */
	POP3_LISTED,    /* message .number has UID .text; feed the next line */
	POP3_SIZED,     /* message .number has .size octets; feed on */
	POP3_READY,     /* call pop3_retrieve, _delete, _noop or _quit */
	POP3_BODY,      /* the message follows as raw bytes: feed them to a
			 * pop3_body, then call pop3_body_done() */
	POP3_REFUSED,   /* RETR or DELE of .number was refused with -ERR; *err
			 * says so; the session is READY again */
	POP3_DELETED,   /* DELE of .number was accepted; READY again */
	POP3_CLOSE,     /* QUIT was answered: deletions are done */
	POP3_FAIL,      /* close the connection; *err says why */
};

struct pop3_action {
	enum pop3_do todo;
	uint32_t number;
	uint64_t size;
	struct slice text; /* borrowed: valid until the next call */
	bool secret;       /* .text holds a password: conn_send_secret() */
};

struct pop3_login { /* borrowed until the login is done */
	const char *user;
	struct slice password;
	bool starttls; /* STLS must be used */
};

struct pop3 {
	const struct pop3_login *login;
	int state;
	bool secured, capa_stls, capa_plain;
	uint32_t number;   /* of the command under way */
	uint32_t listed;   /* lines of the list under way */
	uint32_t expected; /* what STAT said */
	char command[POP3_COMMAND_MAX];
};

void pop3_init(struct pop3 *, const struct pop3_login *);
/* The name of the reply awaited ("greeting", "PASS", …), for errors. */
const char *pop3_state_name(const struct pop3 *);
struct pop3_action pop3_line(struct pop3 *, struct slice, struct error *);
/* After the handshake: sends CAPA again; what was offered before it is
 * forgotten. */
struct pop3_action pop3_secured(struct pop3 *, struct error *);
struct pop3_action
pop3_retrieve(struct pop3 *, uint32_t number, struct error *);
struct pop3_action pop3_body_done(struct pop3 *, struct error *);
struct pop3_action pop3_delete(struct pop3 *, uint32_t number, struct error *);
struct pop3_action pop3_noop(struct pop3 *, struct error *);
struct pop3_action pop3_quit(struct pop3 *, struct error *);
/* Wipes the command buffer. */
void pop3_clear(struct pop3 *);

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

#endif
