/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_statement.h"

#include "state/seen.h"

#include <sqlite3.h>

_Static_assert((int)SEEN_N_STATEMENTS <= (int)SEEN_STATEMENTS, "room for all");
_Static_assert(SEEN_INJECTED == 1 && SEEN_RETRY == 2 && SEEN_PARKED == 3 &&
		   SEEN_DROPPED == 5 && SEEN_DISPOSED == 6 &&
		   SEEN_BASELINE == 7 && SEEN_DUPLICATE == 8,
    "as in the queries");

#define COLUMNS                                                                \
	"account, uid, status, since_ms, injected_ms, not_before_ms, tries, "  \
	"size, id, reason, content, released"
/* The account and its folders: "0" follows "/" in ASCII. */
#define OF_ACCOUNT                                                             \
	"(account = ?1 OR (account > ?1 || '/' AND account < ?1 || '0'))"
/* What the admin hears of, and may change. */
#define PARKED "status BETWEEN 2 AND 5"
#define NAMED "(uid = ?2 OR id = CAST(?2 AS TEXT) OR length(?2) = 0)"

static const char *const statements[SEEN_N_STATEMENTS] = {
	[SEEN_BEGIN] = "BEGIN IMMEDIATE",
	[SEEN_COMMIT] = "COMMIT",
	[SEEN_ROLLBACK] = "ROLLBACK",
	[SEEN_GET] = "SELECT status, injected_ms, not_before_ms, tries, size,"
		     " content, released"
		     " FROM message WHERE account = ?1 AND uid = ?2",
	[SEEN_PUT] = "INSERT INTO message (" COLUMNS ") VALUES"
		     " (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)"
		     " ON CONFLICT DO UPDATE SET status = ?3,"
		     " injected_ms = ?5, not_before_ms = ?6, tries = ?7,"
		     " size = ?8, id = ?9, reason = ?10,"
		     " content = coalesce(?11, content),"
		     " released = released AND ?3 IN (2, 4)",
	[SEEN_WALK] =
	    "SELECT " COLUMNS " FROM message WHERE account = ?1 ORDER BY uid",
	[SEEN_BURY] =
	    "INSERT INTO gone (account, content, status, since_ms,"
	    " injected_ms, tries, id, reason, gone_ms)"
	    " SELECT account, content, status, since_ms, injected_ms,"
	    " tries, id, reason, ?3 FROM message"
	    " WHERE account = ?1 AND uid = ?2"
	    " AND content IS NOT NULL"
	    " AND (status IN (1, 3, 5, 6, 7, 8) OR status = 2 AND released)",
	[SEEN_REMOVE] = "DELETE FROM message WHERE account = ?1 AND uid = ?2",
	[SEEN_LEAVE] = "UPDATE message SET status = 6"
		       " WHERE account = ?1 AND uid = ?2 AND status IN (1, 8)",
	[SEEN_FIND_TOMBSTONE] = "SELECT number FROM gone"
				" WHERE account = ?1 AND content = ?2"
				" ORDER BY number LIMIT 1",
	/* Of those that wait only the released are buried. */
	[SEEN_RAISE] = "INSERT INTO message (" COLUMNS ")"
		       " SELECT account, ?2, status, since_ms, injected_ms, 0,"
		       " tries, ?4, id, reason, content, status = 2"
		       " FROM gone WHERE number = ?3",
	[SEEN_OPEN_TOMBSTONE] = "DELETE FROM gone WHERE number = ?3",
	[SEEN_LIST_TOMBSTONES] = "SELECT content FROM gone WHERE account = ?1"
				 " ORDER BY content",
	[SEEN_EXPIRE] = "DELETE FROM gone WHERE account = ?1 AND gone_ms < ?3",
	/* ?2 is the fingerprint. */
	[SEEN_ORIGINAL_FIND] = "SELECT id FROM original WHERE family = ?1"
			       " AND fingerprint = ?2 AND injected_ms >= ?3",
	[SEEN_ORIGINAL_PUT] =
	    "INSERT OR REPLACE INTO original (family, fingerprint, account,"
	    " id, injected_ms, until_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
	[SEEN_ORIGINAL_EXPIRE] =
	    "DELETE FROM original WHERE until_ms < ?3 OR number <="
	    " (SELECT max(number) FROM original) - ?4",
	/* ?2 is the account. */
	[SEEN_MAILBOX_GET] =
	    "SELECT a.host, a.user, coalesce((SELECT w.kind FROM wish AS w"
	    "  WHERE w.account = ?2 AND w.number > coalesce(a.wish, 0)"
	    "  AND (w.begun_ms = 0 OR w.begun_ms > ?3)), 0)"
	    " FROM (SELECT 1) LEFT JOIN account AS a ON a.name = ?1",
	[SEEN_MAILBOX_CLAIM] =
	    "INSERT INTO account (name, host, user) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT DO UPDATE SET host = ?2, user = ?3"
	    " WHERE host <> ?2 OR user <> ?3",
	[SEEN_MAILBOX_EXPECT] = "INSERT OR IGNORE INTO account"
				" (name, host, user) VALUES (?1, '', '')",
	/* A number that no mailbox of the account has reached. */
	[SEEN_WISH_PUT] =
	    "INSERT OR REPLACE INTO wish VALUES (?1, ?3, 1 + coalesce("
	    "(SELECT max(wish) FROM account WHERE name = ?1 OR"
	    " (name > ?1 || '/' AND name < ?1 || '0')), 0), 0)",
	/* ?2 is the account. */
	[SEEN_WISH_MARK] = "UPDATE account SET wish ="
			   " (SELECT number FROM wish WHERE account = ?2)"
			   " WHERE name = ?1",
	[SEEN_WISH_BEGIN] = "UPDATE wish SET begun_ms = ?3"
			    " WHERE account = ?2 AND begun_ms = 0",
	/* A mailbox that has no folders. */
	[SEEN_WISH_END] = "DELETE FROM wish WHERE account = ?1",
	[SEEN_COUNT] = "SELECT status, count(*) FROM message"
		       " WHERE " OF_ACCOUNT " GROUP BY status",
	[SEEN_LIST_PARKED] = "SELECT " COLUMNS " FROM message WHERE " PARKED
			     " ORDER BY account, since_ms, id",
	[SEEN_LIST] = "SELECT " COLUMNS " FROM message"
		      " WHERE ?1 = '' OR " OF_ACCOUNT " ORDER BY account, uid",
	/* ?2 is the content. */
	[SEEN_LIST_SAME] =
	    "SELECT " COLUMNS " FROM (SELECT " COLUMNS " FROM message"
	    " UNION ALL SELECT account, x'', status, since_ms, injected_ms,"
	    "  0, tries, 0, id, reason, content, 0 FROM gone)"
	    " WHERE " OF_ACCOUNT
	    " AND (content = ?2 OR (id = ?3 AND length(?3) > 0))"
	    " ORDER BY id = ?3 AND length(?3) > 0 DESC, length(uid) LIMIT 1",
	/* What was dropped comes back only when it is named; and released is
	 * what was judged before. */
	[SEEN_REVISE] = "UPDATE message SET status = ?3, tries = 0,"
			" not_before_ms = 0, released = ?3 = 2 AND"
			" (released OR status IN (3, 5))"
			" WHERE " OF_ACCOUNT " AND " PARKED " AND " NAMED
			" AND (length(?2) > 0 OR status < 5)",
	/* Whatever the message was: the original, or a copy of it. */
	[SEEN_FORGET_ORIGINAL] =
	    "DELETE FROM original WHERE " OF_ACCOUNT " AND (length(?2) = 0"
	    " OR id = CAST(?2 AS TEXT)) OR id IN (SELECT iif(status = 8,"
	    "  reason, id) FROM message WHERE " OF_ACCOUNT " AND " NAMED
	    " UNION ALL SELECT iif(status = 8, reason, id) FROM gone "
	    "WHERE " OF_ACCOUNT
	    " AND (length(?2) = 0 OR id = CAST(?2 AS TEXT)))",
	[SEEN_FORGET_GONE] =
	    "DELETE FROM gone WHERE " OF_ACCOUNT " AND (length(?2) = 0"
	    " OR id = CAST(?2 AS TEXT) OR content IN (SELECT m.content"
	    "  FROM message AS m WHERE m.account = gone.account"
	    "  AND m.content IS NOT NULL"
	    "  AND (m.uid = ?2 OR m.id = CAST(?2 AS TEXT))))",
	[SEEN_FORGET] = "DELETE FROM message WHERE " OF_ACCOUNT " AND " NAMED,
};

bool
seen_prepare_all(struct seen *s, struct error *err)
{
	for (int i = 0; i < SEEN_N_STATEMENTS; i++) {
		if (sqlite3_prepare_v3(s->db, statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->statement[i],
			NULL) != SQLITE_OK)
			return seen_db_error(s, err);
	}
	return true;
}

sqlite3_stmt *
seen_bound(struct seen *s, enum seen_statement which, const char *mailbox)
{
	sqlite3_stmt *st = s->statement[which];

	sqlite3_bind_text(st, 1, mailbox, -1, SQLITE_STATIC);
	return st;
}

void
seen_bind_bytes(sqlite3_stmt *st, int at, struct slice bytes)
{
	sqlite3_bind_blob(st, at,
	    bytes.len == 0 ? (const void *)"" : bytes.data, (int)bytes.len,
	    SQLITE_STATIC);
}

sqlite3_stmt *
seen_bound_uid(struct seen *s, enum seen_statement which, const char *mailbox,
    struct slice uid)
{
	sqlite3_stmt *st = seen_bound(s, which, mailbox);

	seen_bind_bytes(st, 2, uid);
	return st;
}

bool
seen_release(struct seen *s, sqlite3_stmt *st, int rc, struct error *err)
{
	bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE;

	if (!ok)
		seen_db_error(s, err);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return ok;
}

bool
seen_run(struct seen *s, sqlite3_stmt *st, struct error *err)
{
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		;
	return seen_release(s, st, rc, err);
}

/* SQLite itself rolls back after some faults (disk full); what follows in the
 * same group must not be committed one by one. */
bool
seen_change(struct seen *s, sqlite3_stmt *st, struct error *err)
{
	if (sqlite3_get_autocommit(s->db) == 0)
		return seen_run(s, st, err);
	sqlite3_clear_bindings(st);
	return error_set(err, ERROR_LOCAL,
	    "%s: the transaction was rolled back after an error", s->path);
}

struct slice
seen_column(sqlite3_stmt *st, int i)
{
	return (struct slice){ sqlite3_column_blob(st, i),
		(size_t)sqlite3_column_bytes(st, i) };
}

const char *
seen_column_text(sqlite3_stmt *st, int i)
{
	const char *text = (const char *)sqlite3_column_text(st, i);

	return text == NULL ? "" : text;
}

struct seen_entry
seen_column_entry(sqlite3_stmt *st)
{
	return (struct seen_entry){
		.mailbox = seen_column_text(st, 0),
		.uid = seen_column(st, 1),
		.row = { .status = (enum seen_status)sqlite3_column_int(st, 2),
		    .injected_ms = sqlite3_column_int64(st, 4),
		    .not_before_ms = sqlite3_column_int64(st, 5),
		    .tries = (uint32_t)sqlite3_column_int64(st, 6),
		    .released = sqlite3_column_int(st, 11) != 0,
		    .size = (uint64_t)sqlite3_column_int64(st, 7) },
		.id = seen_column_text(st, 8),
		.reason = seen_column_text(st, 9),
		.content = sqlite3_column_blob(st, 10),
		.since_ms = sqlite3_column_int64(st, 3),
	};
}
