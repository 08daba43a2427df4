/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imap - the client side of one IMAP session (RFC 3501, RFC 9051; IDLE: RFC
 * 2177; UIDPLUS: RFC 4315; MOVE: RFC 6851; SASL-IR: RFC 4959; LITERAL+ and
 * LITERAL-: RFC 7888; ID: RFC 2971; response codes: RFC 5530), as protocol.h
 * wants it: `imap_protocol`.
 *
 * Messages are named by UID only: sequence numbers move when somebody else
 * expunges.  Commands about messages are pipelined, IMAP_WINDOW of them, and
 * replies are told apart by their tags.
 *
 * A listing must name the sequence numbers 1, 2, … without a gap, up to what
 * EXISTS said, with ascending UIDs, as all servers do; anything else is
 * ERROR_PROTOCOL.  That finds what is missing, without memory.
 *
 * A message is taken only from a literal in a response that also has the UID that
 * was asked for.  NIL, "" or OK without a word (Exchange, Yahoo, Zimbra) is a
 * refusal, never an empty message; so is a quoted string, which cannot hold a
 * line end and thus no message.
 *
 * Deleted is with UID EXPUNGE (UIDPLUS) only.  EXPUNGE would also remove what
 * others marked: without UIDPLUS messages are only marked, and expunged before
 * the folder is left if the account says full_expunge.  SELECT and LOGOUT leave
 * marked messages alone, CLOSE would not.
 *
 * Allocates only what is being sent, and responses that hold literals; both are
 * bounded.
 */
#ifndef FETCHER_IMAP_H
#define FETCHER_IMAP_H

#include "fetcher/protocol.h"

enum {
	IMAP_WINDOW = 64,             /* as POP3_WINDOW */
	IMAP_LITERAL_MAX = 64 * 1024, /* of what is no message */
	IMAP_RESPONSE_MAX = 128 * 1024,
};

#endif
