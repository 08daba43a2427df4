/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_database - the file behind seen: making it, checking it, bringing it up
 * to this version.  For seen*.c alone.
 */
#ifndef STATE_SEEN_DATABASE_H
#define STATE_SEEN_DATABASE_H

#include "base/error.h"

struct sqlite3;
struct sqlite3_stmt;

enum { SEEN_STATEMENTS = 32 };

struct seen {
	char *path;
	struct sqlite3 *db;
	struct sqlite3_stmt *statement[SEEN_STATEMENTS];
};

/* To write: opens, creates or migrates; errors as seen_open(). */
struct seen *seen_database_open(const char *state_dir, struct error *);
/* To read: as seen_open_readonly(). */
struct seen *seen_database_open_readonly(const char *state_dir, struct error *);

/* SQL without parameters or results. */
bool seen_execute(struct seen *, const char *sql, struct error *);
/* Fills in what SQLite said last; returns false. */
bool seen_db_error(struct seen *, struct error *);

#endif
