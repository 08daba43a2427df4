/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen.h"

#include "base/clock.h"
#include "base/mem.h"
#include "state/seen_statement.h"

#include <sqlite3.h>
#include <string.h>

static struct seen *
prepared(struct seen *s, struct error *err)
{
	if (s == NULL || seen_prepare_all(s, err))
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

bool
seen_begin(struct seen *s, struct error *err)
{
	return seen_run(s, s->statement[SEEN_BEGIN], err);
}

bool
seen_commit(struct seen *s, struct error *err)
{
	return seen_change(s, s->statement[SEEN_COMMIT], err);
}

void
seen_rollback(struct seen *s)
{
	struct error ignored;

	if (sqlite3_get_autocommit(s->db) == 0)
		seen_run(s, s->statement[SEEN_ROLLBACK], &ignored);
}

static void
read_row(sqlite3_stmt *st, struct seen_row *row)
{
	row->status = (enum seen_status)sqlite3_column_int(st, 0);
	row->injected_ms = sqlite3_column_int64(st, 1);
	row->not_before_ms = sqlite3_column_int64(st, 2);
	row->tries = (uint32_t)sqlite3_column_int64(st, 3);
	row->size = (uint64_t)sqlite3_column_int64(st, 4);
	row->released = sqlite3_column_int(st, 6) != 0;
}

bool
seen_get(struct seen *s, const char *mailbox, struct slice uid,
    struct seen_row *row, struct error *err)
{
	sqlite3_stmt *st = seen_bound_uid(s, SEEN_GET, mailbox, uid);
	int rc = sqlite3_step(st);

	*row = (struct seen_row){ .status = SEEN_NEW };
	if (rc == SQLITE_ROW)
		read_row(st, row);
	return seen_release(s, st, rc, err);
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

	if (!check_uid(entry->uid, err))
		return false;
	st = seen_bound_uid(s, SEEN_PUT, entry->mailbox, entry->uid);
	sqlite3_bind_int(st, 3, (int)row->status);
	sqlite3_bind_int64(
	    st, 4, entry->since_ms != 0 ? entry->since_ms : clock_wall_ms());
	sqlite3_bind_int64(st, 5, row->injected_ms);
	sqlite3_bind_int64(st, 6, row->not_before_ms);
	sqlite3_bind_int64(st, 7, row->tries);
	sqlite3_bind_int64(
	    st, 8, row->size > INT64_MAX ? INT64_MAX : (int64_t)row->size);
	sqlite3_bind_text(st, 9, entry->id, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 10, entry->reason, -1, SQLITE_STATIC);
	if (entry->content != NULL)
		sqlite3_bind_blob(
		    st, 11, entry->content, SEEN_CONTENT_SIZE, SQLITE_STATIC);
	return seen_change(s, st, err);
}

bool
seen_bury(
    struct seen *s, const char *mailbox, struct slice uid, struct error *err)
{
	sqlite3_stmt *st = seen_bound_uid(s, SEEN_BURY, mailbox, uid);

	sqlite3_bind_int64(st, 3, clock_wall_ms());
	return seen_change(s, st, err) &&
	       seen_change(
		   s, seen_bound_uid(s, SEEN_REMOVE, mailbox, uid), err);
}

/* A row that was passed already may be changed while the walk goes on. */
bool
seen_walk(struct seen *s, const char *mailbox, seen_presence *is_present,
    void *arg, struct error *err)
{
	sqlite3_stmt *st = seen_bound(s, SEEN_WALK, mailbox);
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct seen_entry entry = seen_column_entry(st);

		if (is_present(arg, &entry) ||
		    seen_bury(s, mailbox, entry.uid, err))
			continue;
		sqlite3_reset(st);
		return false;
	}
	return seen_release(s, st, rc, err);
}

bool
seen_leave(
    struct seen *s, const char *mailbox, struct slice uid, struct error *err)
{
	return seen_change(s, seen_bound_uid(s, SEEN_LEAVE, mailbox, uid), err);
}

static bool
has_content(sqlite3_stmt *st, int column, const uint8_t *content)
{
	const void *known = sqlite3_column_blob(st, column);

	return known != NULL && memcmp(known, content, SEEN_CONTENT_SIZE) == 0;
}

/* The row of this UID, if it is of this message. */
static bool
get_same(struct seen *s, const struct seen_arrival *a, struct seen_row *row,
    struct error *err)
{
	sqlite3_stmt *st = seen_bound_uid(s, SEEN_GET, a->mailbox, a->uid);
	int rc = sqlite3_step(st);

	*row = (struct seen_row){ .status = SEEN_NEW };
	if (rc == SQLITE_ROW && has_content(st, 5, a->content))
		read_row(st, row);
	return seen_release(s, st, rc, err);
}

/* 0: there is none. */
static bool
find_tombstone(struct seen *s, const struct seen_arrival *a, int64_t *number,
    struct error *err)
{
	sqlite3_stmt *st = seen_bound_uid(s, SEEN_FIND_TOMBSTONE, a->mailbox,
	    (struct slice){ a->content, SEEN_CONTENT_SIZE });
	int rc = sqlite3_step(st);

	*number = rc == SQLITE_ROW ? sqlite3_column_int64(st, 0) : 0;
	return seen_release(s, st, rc, err);
}

static bool
raise(struct seen *s, const struct seen_arrival *a, int64_t number,
    struct error *err)
{
	sqlite3_stmt *st = seen_bound_uid(s, SEEN_RAISE, a->mailbox, a->uid);

	sqlite3_bind_int64(st, 3, number);
	sqlite3_bind_int64(
	    st, 4, a->size > INT64_MAX ? INT64_MAX : (int64_t)a->size);
	if (!seen_change(s, st, err))
		return false;
	st = s->statement[SEEN_OPEN_TOMBSTONE];
	sqlite3_bind_int64(st, 3, number);
	return seen_change(s, st, err);
}

bool
seen_recognise(struct seen *s, const struct seen_arrival *arrival,
    struct seen_row *row, struct error *err)
{
	int64_t number;

	if (!check_uid(arrival->uid, err) || !get_same(s, arrival, row, err))
		return false;
	if (row->status != SEEN_NEW)
		return true;
	if (!find_tombstone(s, arrival, &number, err) || number == 0)
		return number == 0;
	/* What was known under this UID was another message. */
	return seen_bury(s, arrival->mailbox, arrival->uid, err) &&
	       raise(s, arrival, number, err) &&
	       seen_get(s, arrival->mailbox, arrival->uid, row, err);
}

static uint64_t
first_bytes(struct slice content)
{
	uint64_t n = 0;

	for (size_t i = 0; i < sizeof(n) && i < content.len; i++)
		n = n << 8 | content.data[i];
	return n;
}

bool
seen_tombstones(struct seen *s, const char *mailbox, uint64_t **first,
    size_t *n, struct error *err)
{
	sqlite3_stmt *st = seen_bound(s, SEEN_LIST_TOMBSTONES, mailbox);
	size_t room = 0;
	int rc;

	*first = NULL;
	*n = 0;
	while (
	    (rc = sqlite3_step(st)) == SQLITE_ROW && *n < SEEN_TOMBSTONES_MAX) {
		if (*n == room) {
			room = room == 0 ? 64 : 2 * room;
			*first = mem_resize(*first, room, sizeof(**first));
		}
		(*first)[(*n)++] = first_bytes(seen_column(st, 0));
	}
	return seen_release(s, st, rc, err);
}

bool
seen_expire(
    struct seen *s, const char *mailbox, int64_t before_ms, struct error *err)
{
	sqlite3_stmt *st = seen_bound(s, SEEN_EXPIRE, mailbox);

	sqlite3_bind_int64(st, 3, before_ms);
	return seen_change(s, st, err);
}

static const char *const status_names[SEEN_STATUSES] = {
	[SEEN_NEW] = "new",
	[SEEN_INJECTED] = "injected",
	[SEEN_RETRY] = "retry",
	[SEEN_PARKED] = "parked",
	[SEEN_OVERSIZE] = "oversize",
	[SEEN_DROPPED] = "dropped",
	[SEEN_DISPOSED] = "disposed",
	[SEEN_BASELINE] = "baseline",
	[SEEN_DUPLICATE] = "duplicate",
};

const char *
seen_status_name(enum seen_status status)
{
	return status_names[status];
}
