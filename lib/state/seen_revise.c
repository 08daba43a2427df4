/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_revise.h"

#include "state/seen_statement.h"

#include <sqlite3.h>

bool
seen_count(
    struct seen *s, const char *account, uint64_t *count, struct error *err)
{
	sqlite3_stmt *st = seen_bound(s, SEEN_COUNT, account);
	int rc;

	for (int i = 0; i < SEEN_STATUSES; i++)
		count[i] = 0;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		int status = sqlite3_column_int(st, 0);

		if (status > SEEN_NEW && status < SEEN_STATUSES)
			count[status] = (uint64_t)sqlite3_column_int64(st, 1);
	}
	return seen_release(s, st, rc, err);
}

static bool
visit(struct seen *s, sqlite3_stmt *st, seen_visitor *visitor, void *arg,
    struct error *err)
{
	int rc;

	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct seen_entry entry = seen_column_entry(st);

		visitor(arg, &entry);
	}
	return seen_release(s, st, rc, err);
}

bool
seen_visit_parked(
    struct seen *s, seen_visitor *visitor, void *arg, struct error *err)
{
	return visit(s, s->statement[SEEN_LIST_PARKED], visitor, arg, err);
}

bool
seen_visit(struct seen *s, const char *account, seen_visitor *visitor,
    void *arg, struct error *err)
{
	return visit(s, seen_bound(s, SEEN_LIST, account), visitor, arg, err);
}

bool
seen_revise(struct seen *s, const struct seen_revision *revision,
    uint64_t *changed, struct error *err)
{
	sqlite3_stmt *st = seen_bound_uid(
	    s, SEEN_REVISE, revision->account, revision->message);

	sqlite3_bind_int(st, 3, (int)revision->status);
	if (!seen_change(s, st, err))
		return false;
	*changed = (uint64_t)sqlite3_changes64(s->db);
	return true;
}

bool
seen_forget(struct seen *s, const char *account, struct slice message,
    uint64_t *forgotten, struct error *err)
{
	if (!seen_change(s,
		seen_bound_uid(s, SEEN_FORGET_GONE, account, message), err) ||
	    !seen_change(
		s, seen_bound_uid(s, SEEN_FORGET, account, message), err))
		return false;
	*forgotten = (uint64_t)sqlite3_changes64(s->db);
	return true;
}
