/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_database.h"

#include "base/file.h"
#include "base/mem.h"
#include "state/seen.h"

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
	/* since_ms, and a fifth status: SQLite changes a CHECK only together
	 * with its table. */
	"CREATE TABLE message_2 ("
	"  account TEXT NOT NULL REFERENCES account (name),"
	"  uid BLOB NOT NULL CHECK (length(uid) BETWEEN 1 AND 255),"
	"  status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 5),"
	"  since_ms INTEGER NOT NULL,"
	"  injected_ms INTEGER NOT NULL,"
	"  not_before_ms INTEGER NOT NULL,"
	"  tries INTEGER NOT NULL,"
	"  size INTEGER NOT NULL,"
	"  id TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  PRIMARY KEY (account, uid)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO message_2 SELECT account, uid, status, injected_ms,"
	"  injected_ms, not_before_ms, tries, size, id, reason FROM message;"
	"DROP TABLE message;"
	"ALTER TABLE message_2 RENAME TO message;",
	/* What a message is known by beside its UID, and what is left of those
	 * that are gone; two statuses; what the admin wants of a mailbox. */
	"CREATE TABLE message_3 ("
	"  account TEXT NOT NULL REFERENCES account (name),"
	"  uid BLOB NOT NULL CHECK (length(uid) BETWEEN 1 AND 255),"
	"  status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 7),"
	"  since_ms INTEGER NOT NULL,"
	"  injected_ms INTEGER NOT NULL,"
	"  not_before_ms INTEGER NOT NULL,"
	"  tries INTEGER NOT NULL,"
	"  size INTEGER NOT NULL,"
	"  id TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  content BLOB CHECK (length(content) = 32),"
	"  PRIMARY KEY (account, uid)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO message_3 SELECT account, uid, status, since_ms,"
	"  injected_ms, not_before_ms, tries, size, id, reason, NULL"
	"  FROM message;"
	"DROP TABLE message;"
	"ALTER TABLE message_3 RENAME TO message;"
	"CREATE TABLE gone ("
	"  number INTEGER PRIMARY KEY,"
	"  account TEXT NOT NULL REFERENCES account (name),"
	"  content BLOB NOT NULL CHECK (length(content) = 32),"
	"  status INTEGER NOT NULL,"
	"  since_ms INTEGER NOT NULL,"
	"  injected_ms INTEGER NOT NULL,"
	"  tries INTEGER NOT NULL,"
	"  id TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  gone_ms INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX gone_content ON gone (account, content);"
	"CREATE INDEX gone_age ON gone (account, gone_ms);"
	"ALTER TABLE account ADD COLUMN wish INTEGER NOT NULL DEFAULT 0;"
	"CREATE TABLE wish ("
	"  account TEXT PRIMARY KEY,"
	"  kind INTEGER NOT NULL,"
	"  number INTEGER NOT NULL,"
	"  begun_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;",
	/* What was injected, for its copies; a status for these. */
	"CREATE TABLE message_4 ("
	"  account TEXT NOT NULL REFERENCES account (name),"
	"  uid BLOB NOT NULL CHECK (length(uid) BETWEEN 1 AND 255),"
	"  status INTEGER NOT NULL CHECK (status BETWEEN 1 AND 8),"
	"  since_ms INTEGER NOT NULL,"
	"  injected_ms INTEGER NOT NULL,"
	"  not_before_ms INTEGER NOT NULL,"
	"  tries INTEGER NOT NULL,"
	"  size INTEGER NOT NULL,"
	"  id TEXT NOT NULL,"
	"  reason TEXT NOT NULL,"
	"  content BLOB CHECK (length(content) = 32),"
	"  PRIMARY KEY (account, uid)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO message_4 SELECT account, uid, status, since_ms,"
	"  injected_ms, not_before_ms, tries, size, id, reason, content"
	"  FROM message;"
	"DROP TABLE message;"
	"ALTER TABLE message_4 RENAME TO message;"
	"CREATE TABLE original ("
	"  number INTEGER PRIMARY KEY,"
	"  family TEXT NOT NULL,"
	"  fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),"
	"  account TEXT NOT NULL,"
	"  id TEXT NOT NULL,"
	"  injected_ms INTEGER NOT NULL,"
	"  until_ms INTEGER NOT NULL,"
	"  UNIQUE (family, fingerprint)"
	") STRICT;"
	"CREATE INDEX original_end ON original (until_ms);"
	"CREATE INDEX original_id ON original (id);",
	/* The admin's word on what came back; until then told by its tries. */
	"ALTER TABLE message ADD COLUMN released INTEGER NOT NULL DEFAULT 0"
	"  CHECK (released IN (0, 1));"
	"UPDATE message SET released = 1 WHERE status = 2 AND tries = 0;",
};
enum { VERSION = sizeof(migrations) / sizeof(migrations[0]) };

bool
seen_db_error(struct seen *s, struct error *err)
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
		return seen_db_error(s, err);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (value != NULL)
			*value = sqlite3_column_int64(st, 0);
	}
	if (rc != SQLITE_DONE)
		seen_db_error(s, err);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE;
}

bool
seen_execute(struct seen *s, const char *sql, struct error *err)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ||
	       seen_db_error(s, err);
}

static bool
migrate(struct seen *s, int64_t from, struct error *err)
{
	char pragma[48];
	bool ok;

	if (from == VERSION)
		return true;
	ok = seen_execute(s, "BEGIN IMMEDIATE", err);
	for (int64_t step = from; ok && step < VERSION; step++)
		ok = seen_execute(s, migrations[step], err);
	snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %d", VERSION);
	return ok && seen_execute(s, pragma, err) &&
	       seen_execute(s, "COMMIT", err);
}

static struct seen *
connect_to(const char *path, int flags, struct error *err)
{
	struct seen *s = mem_new(sizeof(*s));

	s->path = mem_string(path);
	if (sqlite3_open_v2(path, &s->db, flags, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
		return s;
	}
	if (s->db == NULL)
		abort();
	seen_db_error(s, err);
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
	s = connect_to(
	    new_path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
	/* A journal in memory: the file counts only once it is complete. */
	ok = s != NULL &&
	     seen_execute(s, "PRAGMA journal_mode = MEMORY", err) &&
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
		return seen_db_error(s, err);
	if (sqlite3_step(st) != SQLITE_ROW) {
		seen_db_error(s, err);
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

static bool
check_version(struct seen *s, int64_t *version, struct error *err)
{
	if (!query(s, "PRAGMA user_version", version, err))
		return false;
	if (*version > VERSION)
		return error_set(err, ERROR_CONFIG,
		    "%s is of version %lld, written by a newer mailhaul; this "
		    "one knows %d: install the newer one again",
		    s->path, (long long)*version, VERSION);
	return *version >= 1 ||
	       error_set(err, ERROR_CONFIG,
		   "%s is no state of mailhaul: " RESTORE, s->path);
}

/* Everything that may refuse comes before anything that may write. */
static bool
check(struct seen *s, int64_t *version, struct error *err)
{
	if (!check_version(s, version, err))
		return false;
	if (sqlite3_db_readonly(s->db, "main") != 0)
		return error_set(err, ERROR_CONFIG,
		    "%s: not writable for this user", s->path);
	return check_intact(s, err);
}

static bool
set_up(struct seen *s, int64_t version, struct error *err)
{
	return seen_execute(s, "PRAGMA journal_mode = WAL", err) &&
	       seen_execute(s, "PRAGMA synchronous = FULL", err) &&
	       seen_execute(s, "PRAGMA foreign_keys = ON", err) &&
	       migrate(s, version, err);
}

static char *
path_in(const char *state_dir)
{
	char *path;

	if (asprintf(&path, "%s/state.db", state_dir) < 0)
		abort();
	return path;
}

struct seen *
seen_database_open(const char *state_dir, struct error *err)
{
	struct seen *s = NULL;
	char *path = path_in(state_dir);
	int64_t version = 0;

	if (find_or_create(path, err))
		s = connect_to(path, SQLITE_OPEN_READWRITE, err);
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

struct seen *
seen_database_open_readonly(const char *state_dir, struct error *err)
{
	char *path = path_in(state_dir);
	struct seen *s = NULL;
	int64_t version = 0;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		error_set(err, ERROR_CONFIG,
		    "%s: not there: nothing was collected yet", path);
	else
		s = connect_to(path, SQLITE_OPEN_READONLY, err);
	free(path);
	if (s == NULL)
		return NULL;
	if (check_version(s, &version, err) &&
	    (version == VERSION ||
		error_set(err, ERROR_CONFIG,
		    "%s was written by an older mailhaul: restart "
		    "mailhaul-fetcher, which brings it up to date",
		    s->path)))
		return s;
	err->kind = ERROR_CONFIG;
	seen_close(s);
	return NULL;
}

void
seen_close(struct seen *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < SEEN_STATEMENTS; i++)
		sqlite3_finalize(s->statement[i]);
	sqlite3_close(s->db);
	free(s->path);
	free(s);
}
