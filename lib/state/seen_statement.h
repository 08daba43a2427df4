/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_statement - the queries of the state, prepared once.  For seen*.c alone.
 */
#ifndef STATE_SEEN_STATEMENT_H
#define STATE_SEEN_STATEMENT_H

#include "base/slice.h"
#include "state/seen_database.h"

struct sqlite3_stmt;

/* ?1 is the mailbox, account or group, and ?2 the UID, wherever there is one. */
enum seen_statement {
	SEEN_BEGIN,
	SEEN_COMMIT,
	SEEN_ROLLBACK,
	SEEN_GET,
	SEEN_PUT,
	SEEN_WALK,
	SEEN_BURY,
	SEEN_REMOVE,
	SEEN_LEAVE,
	SEEN_FIND_TOMBSTONE,
	SEEN_RAISE,
	SEEN_OPEN_TOMBSTONE,
	SEEN_LIST_TOMBSTONES,
	SEEN_EXPIRE,
	SEEN_ORIGINAL_FIND,
	SEEN_ORIGINAL_PUT,
	SEEN_ORIGINAL_EXPIRE,
	SEEN_MAILBOX_GET,
	SEEN_MAILBOX_CLAIM,
	SEEN_MAILBOX_EXPECT,
	SEEN_WISH_PUT,
	SEEN_WISH_MARK,
	SEEN_WISH_BEGIN,
	SEEN_WISH_END,
	SEEN_COUNT,
	SEEN_LIST_PARKED,
	SEEN_LIST,
	SEEN_LIST_SAME,
	SEEN_REVISE,
	SEEN_FORGET_ORIGINAL,
	SEEN_FORGET_GONE,
	SEEN_FORGET,
	SEEN_N_STATEMENTS
};

bool seen_prepare_all(struct seen *, struct error *);
/* With ?1 and ?2 bound; what is bound must last until seen_run() or a reset. */
struct sqlite3_stmt *
seen_bound(struct seen *, enum seen_statement, const char *mailbox);
struct sqlite3_stmt *seen_bound_uid(
    struct seen *, enum seen_statement, const char *mailbox, struct slice uid);
/* Never NULL, which an empty slice would be. */
void seen_bind_bytes(struct sqlite3_stmt *, int at, struct slice);
/* To its end, rows being ignored; what was bound is released. */
bool seen_run(struct seen *, struct sqlite3_stmt *, struct error *);
/* As seen_run(), and only inside a transaction. */
bool seen_change(struct seen *, struct sqlite3_stmt *, struct error *);
/* After a row or the end (`rc`): releases the statement; false when it was
 * neither. */
bool seen_release(struct seen *, struct sqlite3_stmt *, int rc, struct error *);

struct slice seen_column(struct sqlite3_stmt *, int i);
const char *seen_column_text(struct sqlite3_stmt *, int i);
/* The columns of a list: mailbox, uid, status, since_ms, injected_ms,
 * not_before_ms, tries, size, id, reason, content, released. */
struct seen_entry seen_column_entry(struct sqlite3_stmt *);

#endif
