/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_original.h"

#include "state/seen_statement.h"

#include <sqlite3.h>
#include <stdio.h>

static sqlite3_stmt *
bound_original(
    struct seen *s, enum seen_statement which, const struct seen_original *o)
{
	sqlite3_stmt *st = seen_bound(s, which, o->group);

	seen_bind_bytes(
	    st, 2, (struct slice){ o->fingerprint, SEEN_FINGERPRINT_SIZE });
	return st;
}

static bool
expire(struct seen *s, int64_t now_ms, struct error *err)
{
	sqlite3_stmt *st = s->statement[SEEN_ORIGINAL_EXPIRE];

	sqlite3_bind_int64(st, 3, now_ms);
	sqlite3_bind_int64(st, 4, SEEN_ORIGINALS_MAX);
	return seen_change(s, st, err);
}

bool
seen_original_put(
    struct seen *s, const struct seen_original *o, struct error *err)
{
	sqlite3_stmt *st = bound_original(s, SEEN_ORIGINAL_PUT, o);

	sqlite3_bind_text(st, 3, o->mailbox, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 4, o->id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 5, o->injected_ms);
	sqlite3_bind_int64(st, 6, o->until_ms);
	return seen_change(s, st, err) && expire(s, o->injected_ms, err);
}

bool
seen_original_find(struct seen *s, const struct seen_original *o,
    int64_t since_ms, char id[static SEEN_ID_SIZE], struct error *err)
{
	sqlite3_stmt *st = bound_original(s, SEEN_ORIGINAL_FIND, o);
	int rc;

	sqlite3_bind_int64(st, 3, since_ms);
	rc = sqlite3_step(st);
	id[0] = '\0';
	if (rc == SQLITE_ROW)
		snprintf(id, SEEN_ID_SIZE, "%s", seen_column_text(st, 0));
	return seen_release(s, st, rc, err);
}
