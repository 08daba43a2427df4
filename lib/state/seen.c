/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen.h"

#include "base/clock.h"
#include "state/seen_database.h"

#include <sqlite3.h>

enum statement {
	BEGIN,
	COMMIT,
	ROLLBACK,
	ACCOUNT_GET,
	ACCOUNT_ADD,
	GET,
	PUT,
	MARK,
	FORGET,
	FORGET_ONE,
	UNMARK,
	COUNT,
	LIST,
	REVISE,
	N_STATEMENTS
};
_Static_assert((int)N_STATEMENTS <= (int)SEEN_STATEMENTS, "room for all");

/* ?1 is the account and ?2 the UID wherever there is one.  Marks live in
 * memory only: a listing in which nothing has changed writes nothing. */
static const char *const statements[N_STATEMENTS] = {
	[BEGIN] = "BEGIN IMMEDIATE",
	[COMMIT] = "COMMIT",
	[ROLLBACK] = "ROLLBACK",
	[ACCOUNT_GET] = "SELECT host, user FROM account WHERE name = ?1",
	[ACCOUNT_ADD] = "INSERT INTO account VALUES (?1, ?2, ?3)",
	[GET] = "SELECT status, injected_ms, not_before_ms, tries, size"
		" FROM message WHERE account = ?1 AND uid = ?2",
	[PUT] = "INSERT OR REPLACE INTO message"
		" VALUES (?1, ?2, ?3, coalesce((SELECT since_ms FROM message"
		" WHERE account = ?1 AND uid = ?2), ?10),"
		" ?4, ?5, ?6, ?7, ?8, ?9)",
	[MARK] = "INSERT OR IGNORE INTO present VALUES (?1, ?2, ?3)",
	[FORGET] = "DELETE FROM message WHERE account = ?1 AND NOT EXISTS"
		   " (SELECT 1 FROM present AS p WHERE p.account = ?1"
		   " AND p.uid = message.uid AND p.epoch = ?3)",
	[FORGET_ONE] = "DELETE FROM message WHERE account = ?1 AND uid = ?2",
	[UNMARK] = "DELETE FROM present WHERE account = ?1",
	[COUNT] = "SELECT status, count(*) FROM message WHERE account = ?1"
		  " GROUP BY status",
	[LIST] = "SELECT account, uid, status, since_ms, not_before_ms, tries,"
		 " size, id, reason FROM message WHERE status > 1"
		 " ORDER BY account, since_ms, id",
	/* What was dropped comes back only when it is named. */
	[REVISE] = "UPDATE message SET status = ?3, tries = 0,"
		   " not_before_ms = 0 WHERE account = ?1 AND status > 1"
		   " AND (uid = ?2 OR id = CAST(?2 AS TEXT)"
		   " OR (length(?2) = 0 AND status < 5))",
};
_Static_assert(SEEN_INJECTED == 1 && SEEN_DROPPED == 5, "as in the queries");

static bool
prepare_all(struct seen *s, struct error *err)
{
	/* Its own, in memory: fine on a state that is only read. */
	if (!seen_execute(s, "PRAGMA temp_store = MEMORY", err) ||
	    !seen_execute(s,
		"CREATE TEMP TABLE present (account TEXT, uid BLOB, "
		"epoch INTEGER, PRIMARY KEY (account, uid, epoch)) "
		"STRICT, WITHOUT ROWID",
		err))
		return false;
	for (int i = 0; i < N_STATEMENTS; i++) {
		if (sqlite3_prepare_v3(s->db, statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->statement[i],
			NULL) != SQLITE_OK)
			return seen_db_error(s, err);
	}
	return true;
}

static struct seen *
prepared(struct seen *s, struct error *err)
{
	if (s == NULL || prepare_all(s, err))
		return s;
	seen_close(s);
	return NULL;
}

struct seen *
seen_open(const char *state_dir, struct error *err)
{
	return prepared(seen_database_open(state_dir, err), err);
}

struct seen *
seen_open_readonly(const char *state_dir, struct error *err)
{
	return prepared(seen_database_open_readonly(state_dir, err), err);
}

static sqlite3_stmt *
prepare(struct seen *s, enum statement which, const char *account)
{
	sqlite3_stmt *st = s->statement[which];

	sqlite3_bind_text(st, 1, account, -1, SQLITE_STATIC);
	return st;
}

static sqlite3_stmt *
prepare_uid(
    struct seen *s, enum statement which, const char *account, struct slice uid)
{
	sqlite3_stmt *st = prepare(s, which, account);

	sqlite3_bind_blob(st, 2, uid.data, (int)uid.len, SQLITE_STATIC);
	return st;
}

/* SQLite itself rolls back after some faults (disk full); what follows in the
 * same group must not be committed one by one. */
static bool
in_transaction(struct seen *s, struct error *err)
{
	return sqlite3_get_autocommit(s->db) == 0 ||
	       error_set(err, ERROR_LOCAL,
		   "%s: the transaction was rolled back after an error",
		   s->path);
}

/* To its end, rows being ignored; what was bound is released. */
static bool
run(struct seen *s, sqlite3_stmt *st, struct error *err)
{
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		;
	if (rc != SQLITE_DONE)
		seen_db_error(s, err);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE;
}

bool
seen_begin(struct seen *s, struct error *err)
{
	return run(s, s->statement[BEGIN], err);
}

bool
seen_commit(struct seen *s, struct error *err)
{
	return in_transaction(s, err) && run(s, s->statement[COMMIT], err);
}

void
seen_rollback(struct seen *s)
{
	struct error ignored;

	if (sqlite3_get_autocommit(s->db) == 0)
		run(s, s->statement[ROLLBACK], &ignored);
}

static struct slice
column(sqlite3_stmt *st, int i)
{
	return (struct slice){ sqlite3_column_blob(st, i),
		(size_t)sqlite3_column_bytes(st, i) };
}

bool
seen_account(struct seen *s, const char *account, const char *host,
    const char *user, struct error *err)
{
	sqlite3_stmt *st = prepare(s, ACCOUNT_GET, account);
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW &&
	    (!slice_equal_nocase(column(st, 0), slice_of(host)) ||
		!slice_equal(column(st, 1), slice_of(user)))) {
		error_set(err, ERROR_CONFIG,
		    "its name was used for user %.*s at %.*s before, and the "
		    "state under it belongs to that mailbox: give this one "
		    "another account name",
		    SLICE_ARG(column(st, 1)), SLICE_ARG(column(st, 0)));
		rc = SQLITE_ERROR;
	} else if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		seen_db_error(s, err);
	}
	sqlite3_reset(st);
	if (rc != SQLITE_DONE)
		return rc == SQLITE_ROW;
	st = prepare(s, ACCOUNT_ADD, account);
	sqlite3_bind_text(st, 2, host, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, user, -1, SQLITE_STATIC);
	return in_transaction(s, err) && run(s, st, err);
}

bool
seen_get(struct seen *s, const char *account, struct slice uid,
    struct seen_row *row, struct error *err)
{
	sqlite3_stmt *st = prepare_uid(s, GET, account, uid);
	int rc = sqlite3_step(st);

	*row = (struct seen_row){ .status = SEEN_NEW };
	if (rc == SQLITE_ROW) {
		row->status = (enum seen_status)sqlite3_column_int(st, 0);
		row->injected_ms = sqlite3_column_int64(st, 1);
		row->not_before_ms = sqlite3_column_int64(st, 2);
		row->tries = (uint32_t)sqlite3_column_int64(st, 3);
		row->size = (uint64_t)sqlite3_column_int64(st, 4);
	} else if (rc != SQLITE_DONE) {
		seen_db_error(s, err);
	}
	sqlite3_reset(st);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool
check_uid(struct slice uid, struct error *err)
{
	return (uid.len > 0 && uid.len <= SEEN_UID_MAX) ||
	       error_set(err, ERROR_PROTOCOL,
		   "a UID of %zu bytes; 1 to %d are understood", uid.len,
		   SEEN_UID_MAX);
}

bool
seen_put(struct seen *s, const struct seen_entry *entry, struct error *err)
{
	const struct seen_row *row = &entry->row;
	sqlite3_stmt *st;

	if (!check_uid(entry->uid, err) || !in_transaction(s, err))
		return false;
	st = prepare_uid(s, PUT, entry->account, entry->uid);
	sqlite3_bind_int(st, 3, (int)row->status);
	sqlite3_bind_int64(st, 4, row->injected_ms);
	sqlite3_bind_int64(st, 5, row->not_before_ms);
	sqlite3_bind_int64(st, 6, row->tries);
	sqlite3_bind_int64(
	    st, 7, row->size > INT64_MAX ? INT64_MAX : (int64_t)row->size);
	sqlite3_bind_text(st, 8, entry->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 9, entry->reason, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 10, clock_wall_ms());
	return run(s, st, err);
}

bool
seen_mark(struct seen *s, const char *account, struct slice uid, uint64_t epoch,
    struct error *err)
{
	sqlite3_stmt *st;

	if (!check_uid(uid, err) || !in_transaction(s, err))
		return false;
	st = prepare_uid(s, MARK, account, uid);
	sqlite3_bind_int64(st, 3, (int64_t)epoch);
	return run(s, st, err);
}

bool
seen_forget_others(struct seen *s, const char *account, uint64_t epoch,
    uint64_t *forgotten, struct error *err)
{
	sqlite3_stmt *st = prepare(s, FORGET, account);

	sqlite3_bind_int64(st, 3, (int64_t)epoch);
	if (!in_transaction(s, err) || !run(s, st, err))
		return false;
	*forgotten = (uint64_t)sqlite3_changes64(s->db);
	return run(s, prepare(s, UNMARK, account), err);
}

bool
seen_forget(
    struct seen *s, const char *account, struct slice uid, struct error *err)
{
	return in_transaction(s, err) &&
	       run(s, prepare_uid(s, FORGET_ONE, account, uid), err);
}

bool
seen_count(
    struct seen *s, const char *account, uint64_t *count, struct error *err)
{
	sqlite3_stmt *st = prepare(s, COUNT, account);
	int rc;

	for (int i = 0; i < SEEN_STATUSES; i++)
		count[i] = 0;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int status = sqlite3_column_int(st, 0);

		if (status > SEEN_NEW && status < SEEN_STATUSES)
			count[status] = (uint64_t)sqlite3_column_int64(st, 1);
	}
	if (rc != SQLITE_DONE)
		seen_db_error(s, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE;
}

static const char *
text_column(sqlite3_stmt *st, int i)
{
	const char *text = (const char *)sqlite3_column_text(st, i);

	return text == NULL ? "" : text;
}

static void
visit_row(sqlite3_stmt *st, seen_visitor *visitor, void *arg)
{
	struct seen_entry entry = {
		.account = text_column(st, 0),
		.uid = column(st, 1),
		.row = { .status = (enum seen_status)sqlite3_column_int(st, 2),
		    .not_before_ms = sqlite3_column_int64(st, 4),
		    .tries = (uint32_t)sqlite3_column_int64(st, 5),
		    .size = (uint64_t)sqlite3_column_int64(st, 6) },
		.id = text_column(st, 7),
		.reason = text_column(st, 8),
	};

	visitor(arg, &entry, sqlite3_column_int64(st, 3));
}

bool
seen_visit(struct seen *s, seen_visitor *visitor, void *arg, struct error *err)
{
	sqlite3_stmt *st = s->statement[LIST];
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		visit_row(st, visitor, arg);
	if (rc != SQLITE_DONE)
		seen_db_error(s, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE;
}

bool
seen_revise(struct seen *s, const struct seen_revision *revision,
    uint64_t *changed, struct error *err)
{
	struct slice message = revision->message;
	sqlite3_stmt *st = prepare(s, REVISE, revision->account);

	/* No pointer would bind NULL. */
	sqlite3_bind_blob(st, 2,
	    message.len == 0 ? (const void *)"" : message.data,
	    (int)message.len, SQLITE_STATIC);
	sqlite3_bind_int(st, 3, (int)revision->status);
	if (!in_transaction(s, err) || !run(s, st, err))
		return false;
	*changed = (uint64_t)sqlite3_changes64(s->db);
	return true;
}

static const char *const status_names[SEEN_STATUSES] = {
	[SEEN_NEW] = "new",
	[SEEN_INJECTED] = "injected",
	[SEEN_RETRY] = "retry",
	[SEEN_PARKED] = "parked",
	[SEEN_OVERSIZE] = "oversize",
	[SEEN_DROPPED] = "dropped",
};

const char *
seen_status_name(enum seen_status status)
{
	return status_names[status];
}
