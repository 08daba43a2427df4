/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error - why something failed: what the caller can do, and one line.
 *
 * A function that can fail returns bool and takes a struct error as its last
 * argument; the content is defined only after it returned false.  The text
 * is printable ASCII whatever went into it: bytes from outside
 * are made safe here (\xNN) and cut, so nobody else has to.  No allocation,
 * no global, thread-safe.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum { ERROR_TEXT_MAX = 512 };

enum error_kind {
	ERROR_RETRY,    /* may go away by itself: network, timeout, busy */
	ERROR_REFUSED,  /* the peer said no to this request */
	ERROR_LOGIN,    /* the peer refused name or password */
	ERROR_TLS,      /* no verified connection; nothing secret was sent */
	ERROR_PROTOCOL, /* the peer broke its protocol */
	ERROR_CONFIG,   /* only the administrator can mend it */
	ERROR_LOCAL,    /* this machine: disk, memory, processes, Postfix */
	ERROR_KINDS
};

struct error {
	enum error_kind kind;
	char text[ERROR_TEXT_MAX];
};

/* Fills *err and returns false, so that `return error_set(…)` reads well. */
bool error_set(struct error *err, enum error_kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* As error_set(), with ": " and the words for the errno value appended. */
bool error_errno(struct error *err, enum error_kind, int errno_value,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Puts "words: " before the text that is there; returns false. */
bool error_prefix(struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
