/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imap_parse - takes IMAP responses apart (RFC 9051 9).  Pure, without
 * allocation or recursion; all slices point into what was given.
 *
 * A response is what lies between two line ends that are not part of a literal:
 * lines, and in between, after "{5}" and CRLF, the bytes of literals.  More
 * blanks than one are one: CommuniGate sends such.
 */
#ifndef FETCHER_IMAP_PARSE_H
#define FETCHER_IMAP_PARSE_H

#include "base/buf.h"
#include "base/slice.h"

enum { IMAP_DEPTH_MAX = 32 };

enum imap_token_kind {
	IMAP_ATOM,   /* also a number, a flag, "BODY[HEADER.FIELDS (TO)]" */
	IMAP_STRING, /* in quotes, or a literal */
	IMAP_NIL,
	IMAP_OPEN,
	IMAP_CLOSE,
};
struct imap_token {
	enum imap_token_kind kind;
	struct slice text; /* of a string: what is between its quotes */
	bool escaped;      /* with "\" before quotes and itself */
};
/* The next token, after blanks; false, and nothing taken, at the end and where
 * there is none. */
bool imap_cut_token(struct slice *, struct imap_token *);
/* A string, an atom, NIL, or a list with all that is in it. */
bool imap_skip_value(struct slice *);
/* The content of a string or atom, with its escapes undone. */
void imap_add_text(struct buf *, struct imap_token);

enum imap_announcement { IMAP_NO_LITERAL, IMAP_LITERAL, IMAP_BAD_LITERAL };
/* Whether a line ends in "{SIZE}", "{SIZE+}" or "~{SIZE}", which is taken off.
 * Bad: SIZE is missing, or more than INT64_MAX. */
enum imap_announcement imap_cut_literal(struct slice *line, uint64_t *size);

/* "OK [UIDVALIDITY 5] whatever", without tag or "*". */
struct imap_status {
	enum imap_condition {
		IMAP_OK,
		IMAP_NO,
		IMAP_BAD,
		IMAP_BYE,
		IMAP_PREAUTH,
	} condition;
	struct slice code;      /* "UIDVALIDITY"; empty: none */
	struct slice arguments; /* of it: "5" */
	struct slice words;     /* for people, the code included */
};
bool imap_read_status(struct slice, struct imap_status *);

/* What a FETCH response says that matters here. */
struct imap_fetch {
	uint32_t uid; /* 0: not said */
	bool sized;
	uint64_t size;
	enum imap_body {
		IMAP_NO_BODY,
		IMAP_EMPTY_BODY,  /* NIL, or a string without a byte */
		IMAP_STRING_BODY, /* in the response itself */
		IMAP_BODY_NEXT,   /* the text ends where it should begin */
	} body;
};
/* The "(": */
bool imap_open_fetch(struct slice *, struct imap_fetch *);
/* The items, up to the ")" that ends the text, or up to BODY[] if the text ends
 * there; call it again for what follows the body.  False: anything else. */
bool imap_read_fetch(struct slice *, struct imap_fetch *);

#endif
