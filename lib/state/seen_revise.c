/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_revise.h"

#include "state/seen_mailbox.h"
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
seen_visit_same(struct seen *s, const struct seen_entry *wanted,
    seen_visitor *visitor, void *arg, struct error *err)
{
	sqlite3_stmt *st = seen_bound_uid(s, SEEN_LIST_SAME, wanted->mailbox,
	    (struct slice){ wanted->content, SEEN_CONTENT_SIZE });

	sqlite3_bind_text(st, 3, wanted->id, -1, SQLITE_STATIC);
	return visit(s, st, visitor, arg, err);
}

static bool
set_status(struct seen *s, const struct seen_revision *r, struct error *err)
{
	sqlite3_stmt *st =
	    seen_bound_uid(s, SEEN_REVISE, r->account, r->message);

	sqlite3_bind_int(
	    st, 3, r->action == REVISE_RETRY ? SEEN_RETRY : SEEN_DROPPED);
	return seen_change(s, st, err);
}

static bool
forget(struct seen *s, const struct seen_revision *r, struct error *err)
{
	return seen_change(s,
		   seen_bound_uid(
		       s, SEEN_FORGET_ORIGINAL, r->account, r->message),
		   err) &&
	       seen_change(s,
		   seen_bound_uid(s, SEEN_FORGET_GONE, r->account, r->message),
		   err) &&
	       seen_change(s,
		   seen_bound_uid(s, SEEN_FORGET, r->account, r->message), err);
}

static bool
wish(struct seen *s, const struct seen_revision *r, struct error *err)
{
	return seen_wish(s, r->account,
	    r->action == REVISE_BASELINE ? WISH_BASELINE : WISH_ADOPT, err);
}

bool
seen_revise(struct seen *s, const struct seen_revision *revision,
    uint64_t *changed, struct error *err)
{
	static bool (*const actions[])(
	    struct seen *, const struct seen_revision *, struct error *) = {
		[REVISE_RETRY] = set_status,
		[REVISE_DROP] = set_status,
		[REVISE_FORGET] = forget,
		[REVISE_BASELINE] = wish,
		[REVISE_ADOPT] = wish,
	};

	if (!actions[revision->action](s, revision, err))
		return false;
	*changed = (uint64_t)sqlite3_changes64(s->db);
	return true;
}
