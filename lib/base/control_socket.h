/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_socket - the control sockets of the daemons: both ends, and what is
 * spoken there.
 *
 * A client sends lines of at most CONTROL_LINE_MAX bytes: a command in capitals
 * and its arguments, with single blanks between.  The next may follow when the
 * answer is there.  An answer is one line,
 *
 *	OK | OK text | WAIT reason | ERROR reason
 *
 * or a report: lines "key value", ended by an empty line.  Keys are small
 * letters, digits and underscores.  Where a report has several of a kind, the
 * key that names one ("account office") begins it.  Everything is printable
 * ASCII.  Access is by file permission (0660).
 */
#ifndef BASE_CONTROL_SOCKET_H
#define BASE_CONTROL_SOCKET_H

#include "base/buf.h"
#include "base/error.h"

/* Of the files that IMPORT may name. */
#define IMPORT_PREFIX "import."

enum {
	CONTROL_LINE_MAX = 512,
	CONTROL_ANSWER_MAX = 4 * 1024 * 1024,
	/* Of FETCH: wait=. */
	CONTROL_WAIT_MAX_MS = 60 * 60 * 1000,
};

/* A listening socket, non-blocking.  A file that nobody answers at is left from
 * a crash and replaced; ERROR_CONFIG when somebody does, or when it is no
 * socket.  ERROR_LOCAL when it cannot be made. */
bool control_socket_listen(const char *path, int *fd, struct error *);
/* One question without its LF; the whole answer is appended to `answer`, whose
 * ceiling is the limit.  Blocks for at most timeout_ms.  ERROR_REFUSED: nobody
 * listens there.  ERROR_CONFIG: not for this user.  ERROR_RETRY: no answer in
 * time.  ERROR_PROTOCOL: half an answer. */
bool control_socket_ask(const char *path, const char *question,
    int64_t timeout_ms, struct buf *answer, struct error *);
/* The length of the first whole answer in these bytes, or 0. */
size_t control_answer_end(struct slice);
/* Takes the next "key value" off a report; false at its end. */
bool
control_cut_pair(struct slice *report, struct slice *key, struct slice *value);

#endif
