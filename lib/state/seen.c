/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen.h"

#include "base/file.h"
#include "base/mem.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_TIMEOUT_MS = 10000, STATE_MODE = 0640 };

#define RESTORE                                                                \
	"restore it from a backup; or move it away, and every message still "  \
	"at the providers is delivered once more"

/* Step N leads from version N to N + 1.  Never change one that was released:
 * add another. */
static const char *const migrations[] = {
	"CREATE TABLE account ("
	"  name TEXT PRIMARY KEY,"
	"  host TEXT NOT NULL,"
	"  user TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE message ("
	"  account TEXT NOT NULL REFERENCES account (name),"
	"  uid BLOB NOT NULL CHECK (length(uid) BETWEEN 1 AND 255),"
	"  status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 4),"
	"  injected_ms INTEGER NOT NULL,"
	"  not_before_ms INTEGER NOT NULL,"
	"  tries INTEGER NOT NULL,"
	"  size INTEGER NOT NULL,"
	"  id TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  PRIMARY KEY (account, uid)"
	") STRICT, WITHOUT ROWID;",
};
enum { VERSION = sizeof(migrations) / sizeof(migrations[0]) };

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
	UNMARK,
	COUNT,
	N_STATEMENTS
};

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
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[MARK] = "INSERT OR IGNORE INTO present VALUES (?1, ?2, ?3)",
	[FORGET] = "DELETE FROM message WHERE account = ?1 AND NOT EXISTS"
		   " (SELECT 1 FROM present AS p WHERE p.account = ?1"
		   " AND p.uid = message.uid AND p.epoch = ?3)",
	[UNMARK] = "DELETE FROM present WHERE account = ?1",
	[COUNT] = "SELECT status, count(*) FROM message WHERE account = ?1"
		  " GROUP BY status",
};

struct seen {
	char *path;
	sqlite3 *db;
	sqlite3_stmt *statement[N_STATEMENTS];
};

static bool
db_error(struct seen *s, struct error *err)
{
	int code = sqlite3_errcode(s->db) & 0xff;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return error_set(err, ERROR_CONFIG,
		    "%s is damaged (%s): " RESTORE, s->path,
		    sqlite3_errmsg(s->db));
	if (code == SQLITE_IOERR && sqlite3_system_errno(s->db) != 0)
		return error_errno(err, ERROR_LOCAL,
		    sqlite3_system_errno(s->db), "%s: %s", s->path,
		    sqlite3_errmsg(s->db));
	return error_set(
	    err, ERROR_LOCAL, "%s: %s", s->path, sqlite3_errmsg(s->db));
}

/* SQL without parameters; the first column of the last row goes to `value`
 * when it is not NULL. */
static bool
query(struct seen *s, const char *sql, int64_t *value, struct error *err)
{
	sqlite3_stmt *st;
	int rc;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		return db_error(s, err);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (value != NULL)
			*value = sqlite3_column_int64(st, 0);
	}
	if (rc != SQLITE_DONE)
		db_error(s, err);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE;
}

static bool
execute(struct seen *s, const char *sql, struct error *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       db_error(s, err);
}

static bool
migrate(struct seen *s, int64_t from, struct error *err)
{
	char pragma[48];
	bool ok;

	if (from == VERSION)
		return true;
	ok = execute(s, "BEGIN IMMEDIATE", err);
	for (int64_t step = from; ok && step < VERSION; step++)
		ok = execute(s, migrations[step], err);
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", VERSION);
	return ok && execute(s, pragma, err) && execute(s, "COMMIT", err);
}

static struct seen *
connect_to(const char *path, int flags, struct error *err)
{
	struct seen *s = mem_new(sizeof(*s));

	s->path = mem_string(path);
	if (sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_READWRITE,
		NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
		return s;
	}
	if (s->db == NULL)
		abort();
	db_error(s, err);
	err->kind = ERROR_CONFIG;
	seen_close(s);
	return NULL;
}

/* A new state is made under another name: so a state.db that is empty or has
 * no tables is never a new one, but always a damaged one. */
static bool
create(const char *path, struct error *err)
{
	char *new_path = NULL;
	struct seen *s;
	bool ok;

	if (asprintf(&new_path, "%s.new", path) < 0)
		abort();
	unlink(new_path);
	s = connect_to(new_path, SQLITE_OPEN_CREATE, err);
	/* A journal in memory: the file counts only once it is complete. */
	ok = s != NULL && execute(s, "PRAGMA journal_mode = MEMORY", err) &&
	     migrate(s, 0, err);
	seen_close(s);
	if (ok &&
	    (chmod(new_path, STATE_MODE) != 0 || rename(new_path, path) != 0))
		ok = error_errno(err, ERROR_CONFIG, errno, "%s", path);
	free(new_path);
	return ok && file_sync_folder(path, err);
}

/* SQLite would take an empty file for a new database, and remove a journal
 * that has lost its database. */
static bool
find_or_create(const char *path, struct error *err)
{
	char *wal = NULL;
	struct stat st;
	bool orphan;

	if (stat(path, &st) == 0)
		return st.st_size > 0 || error_set(err, ERROR_CONFIG,
					     "%s is empty: " RESTORE, path);
	if (errno != ENOENT)
		return error_errno(err, ERROR_CONFIG, errno, "%s", path);
	if (asprintf(&wal, "%s-wal", path) < 0)
		abort();
	orphan = access(wal, F_OK) == 0;
	free(wal);
	if (orphan)
		return error_set(err, ERROR_CONFIG,
		    "%s is missing and %s-wal is there: " RESTORE, path, path);
	return create(path, err);
}

static bool
check_intact(struct seen *s, struct error *err)
{
	sqlite3_stmt *st;
	const char *verdict;
	bool ok = false;

	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL) !=
	    SQLITE_OK)
		return db_error(s, err);
	if (sqlite3_step(st) != SQLITE_ROW) {
		db_error(s, err);
	} else {
		verdict = (const char *)sqlite3_column_text(st, 0);
		ok = verdict != NULL && strcmp(verdict, "ok") == 0;
		if (!ok)
			error_set(err, ERROR_CONFIG,
			    "%s is damaged (%s): " RESTORE, s->path,
			    verdict == NULL ? "no answer" : verdict);
	}
	sqlite3_finalize(st);
	return ok;
}

/* Everything that may refuse comes before anything that may write. */
static bool
check(struct seen *s, int64_t *version, struct error *err)
{
	if (!query(s, "PRAGMA user_version", version, err))
		return false;
	if (*version > VERSION)
		return error_set(err, ERROR_CONFIG,
		    "%s is of version %lld, written by a newer mailhaul; this "
		    "one knows %d: install the newer one again",
		    s->path, (long long)*version, VERSION);
	if (*version < 1)
		return error_set(err, ERROR_CONFIG,
		    "%s is no state of mailhaul: " RESTORE, s->path);
	if (sqlite3_db_readonly(s->db, "main") != 0)
		return error_set(err, ERROR_CONFIG,
		    "%s: not writable for this user", s->path);
	return check_intact(s, err);
}

static bool
set_up(struct seen *s, int64_t version, struct error *err)
{
	if (!execute(s, "PRAGMA journal_mode = WAL", err) ||
	    !execute(s, "PRAGMA synchronous = FULL", err) ||
	    !execute(s, "PRAGMA foreign_keys = ON", err) ||
	    !execute(s, "PRAGMA temp_store = MEMORY", err) ||
	    !migrate(s, version, err) ||
	    !execute(s,
		"CREATE TEMP TABLE present (account TEXT, uid BLOB, "
		"epoch INTEGER, PRIMARY KEY (account, uid, epoch)) "
		"STRICT, WITHOUT ROWID",
		err))
		return false;
	for (int i = 0; i < N_STATEMENTS; i++) {
		if (sqlite3_prepare_v3(s->db, statements[i], -1,
			SQLITE_PREPARE_PERSISTENT, &s->statement[i],
			NULL) != SQLITE_OK)
			return db_error(s, err);
	}
	return true;
}

struct seen *
seen_open(const char *state_dir, struct error *err)
{
	struct seen *s = NULL;
	char *path = NULL;
	int64_t version = 0;

	if (asprintf(&path, "%s/state.db", state_dir) < 0)
		abort();
	if (find_or_create(path, err))
		s = connect_to(path, 0, err);
	free(path);
	if (s == NULL)
		return NULL;
	/* While in doubt, closing must not write either. */
	sqlite3_db_config(
	    s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	if (!check(s, &version, err)) {
		err->kind = ERROR_CONFIG;
		seen_close(s);
		return NULL;
	}
	sqlite3_db_config(
	    s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, (int *)NULL);
	if (set_up(s, version, err))
		return s;
	seen_close(s);
	return NULL;
}

void
seen_close(struct seen *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < N_STATEMENTS; i++)
		sqlite3_finalize(s->statement[i]);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
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
		db_error(s, err);
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
		db_error(s, err);
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
		db_error(s, err);
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
seen_count(
    struct seen *s, const char *account, uint64_t *count, struct error *err)
{
	sqlite3_stmt *st = prepare(s, COUNT, account);
	int rc;

	for (int i = 0; i <= SEEN_OVERSIZE; i++)
		count[i] = 0;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int status = sqlite3_column_int(st, 0);

		if (status > SEEN_NEW && status <= SEEN_OVERSIZE)
			count[status] = (uint64_t)sqlite3_column_int64(st, 1);
	}
	if (rc != SQLITE_DONE)
		db_error(s, err);
	sqlite3_reset(st);
	return rc == SQLITE_DONE;
}
