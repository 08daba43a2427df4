/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen_place - a state in a folder of its own, for the tests of seen.  A step
 * that fails ends the test, unless it tells by its result.
 */
#ifndef SUPPORT_SEEN_PLACE_H
#define SUPPORT_SEEN_PLACE_H

#include "tests/support/scratch.h"

#include "state/seen_mailbox.h"

#include <sqlite3.h>

#define OFFICE "yaml:office"

struct place {
	char folder[SCRATCH_SIZE];
	char db[96];       /* the state in it */
	struct seen *seen; /* NULL: not open */
	struct error err;
};

/* cmocka's set-up and tear-down of one test: nothing is open yet, and there is
 * no state. */
static inline int
place_set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	scratch_make(p->folder);
	snprintf(p->db, sizeof(p->db), "%s/state.db", p->folder);
	*state = p;
	return 0;
}

static inline int
place_tear_down(void **state)
{
	struct place *p = *state;

	seen_close(p->seen);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static inline void
place_open(struct place *p)
{
	p->seen = seen_open(p->folder, &p->err);
	if (p->seen == NULL)
		fail_msg("%s", p->err.text);
}

static inline void
place_close(struct place *p)
{
	seen_close(p->seen);
	p->seen = NULL;
}

/* A group of changes, in which the mailbox is known. */
static inline void
place_begin(struct place *p, const char *mailbox)
{
	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_mailbox_claim(
	    p->seen, mailbox, "pop.isp.example", "box17", &p->err));
}

static inline void
place_commit(struct place *p)
{
	assert_true(seen_commit(p->seen, &p->err));
}

static inline struct seen_mailbox
place_mailbox(
    struct place *p, const char *mailbox, const char *host, const char *user)
{
	struct seen_mailbox m = { mailbox, host, user, .known = true };

	assert_true(seen_mailbox_find(p->seen, &m, &p->err));
	return m;
}

static inline bool
place_put(struct place *p, const char *mailbox, struct slice uid,
    enum seen_status status)
{
	struct seen_entry entry = {
		.mailbox = mailbox,
		.uid = uid,
		.row = { .status = status, .injected_ms = 7, .tries = 3 },
		.id = "id",
		.reason = "because",
	};

	entry.row.size = UINT64_MAX;
	return seen_put(p->seen, &entry, &p->err);
}

static inline enum seen_status
place_status(struct place *p, const char *mailbox, struct slice uid)
{
	struct seen_row row;

	assert_true(seen_get(p->seen, mailbox, uid, &row, &p->err));
	return row.status;
}

/* The tables of version 3 that version 4 has as well. */
#define PLACE_TABLES_3                                                         \
	"CREATE TABLE account (name TEXT PRIMARY KEY, host TEXT NOT"           \
	" NULL, user TEXT NOT NULL, wish INTEGER NOT NULL DEFAULT 0)"          \
	" STRICT, WITHOUT ROWID;"                                              \
	"CREATE TABLE gone (number INTEGER PRIMARY KEY, account TEXT"          \
	" NOT NULL REFERENCES account (name), content BLOB NOT NULL,"          \
	" status INTEGER NOT NULL, since_ms INTEGER NOT NULL,"                 \
	" injected_ms INTEGER NOT NULL, tries INTEGER NOT NULL, id TEXT"       \
	" NOT NULL, reason TEXT NOT NULL, gone_ms INTEGER NOT NULL)"           \
	" STRICT;"                                                             \
	"CREATE TABLE wish (account TEXT PRIMARY KEY, kind INTEGER NOT"        \
	" NULL, number INTEGER NOT NULL, begun_ms INTEGER NOT NULL)"           \
	" STRICT, WITHOUT ROWID;"

/* A state as an older version has left it. */
static inline void
place_make(struct place *p, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(p->db, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

#endif
