/* SPDX-License-Identifier: Apache-2.0 */
#include "state/seen_mailbox.h"

#include "base/clock.h"
#include "base/log.h"
#include "state/seen_statement.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum { WISH_LIFE_MS = 24 * 60 * 60 * 1000 };

/* The key without the folder. */
static struct slice
account_of(const char *mailbox)
{
	struct slice key = slice_of(mailbox);

	return slice_first(key, slice_find(key, '/'));
}

static sqlite3_stmt *
bound_account(struct seen *s, enum seen_statement which, const char *mailbox)
{
	sqlite3_stmt *st = seen_bound(s, which, mailbox);
	struct slice account = account_of(mailbox);

	sqlite3_bind_text(
	    st, 2, (const char *)account.data, (int)account.len, SQLITE_STATIC);
	return st;
}

static void
read_owner(sqlite3_stmt *st, struct seen_mailbox *m)
{
	struct slice host = seen_column(st, 0), user = seen_column(st, 1);
	char printable[2][SEEN_OWNER_SIZE / 2 - 16];

	m->known = sqlite3_column_type(st, 0) != SQLITE_NULL;
	/* Imported: nobody knows whose it was. */
	if (host.len == 0 && user.len == 0)
		return;
	m->foreign = !slice_equal_nocase(host, slice_of(m->host)) ||
		     !slice_equal(user, slice_of(m->user));
	snprintf(m->owner, sizeof(m->owner), "user %s at %s",
	    log_safe(printable[0], sizeof(printable[0]), user),
	    log_safe(printable[1], sizeof(printable[1]), host));
}

bool
seen_mailbox_find(struct seen *s, struct seen_mailbox *m, struct error *err)
{
	sqlite3_stmt *st = bound_account(s, SEEN_MAILBOX_GET, m->mailbox);
	int rc;

	*m = (struct seen_mailbox){ m->mailbox, m->host, m->user,
		.known = false };
	sqlite3_bind_int64(st, 3, clock_wall_ms() - WISH_LIFE_MS);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		read_owner(st, m);
		m->wish = (enum seen_wish)sqlite3_column_int(st, 2);
	}
	return seen_release(s, st, rc, err);
}

bool
seen_mailbox_claim(struct seen *s, const char *mailbox, const char *host,
    const char *user, struct error *err)
{
	sqlite3_stmt *st = seen_bound(s, SEEN_MAILBOX_CLAIM, mailbox);

	sqlite3_bind_text(st, 2, host, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, user, -1, SQLITE_STATIC);
	return seen_change(s, st, err);
}

bool
seen_mailbox_expect(struct seen *s, const char *mailbox, struct error *err)
{
	return seen_change(s, seen_bound(s, SEEN_MAILBOX_EXPECT, mailbox), err);
}

bool
seen_wish(
    struct seen *s, const char *account, enum seen_wish wish, struct error *err)
{
	sqlite3_stmt *st = seen_bound(s, SEEN_WISH_PUT, account);

	sqlite3_bind_int(st, 3, (int)wish);
	return seen_change(s, st, err);
}

bool
seen_wish_done(struct seen *s, const char *mailbox, struct error *err)
{
	sqlite3_stmt *st = bound_account(s, SEEN_WISH_MARK, mailbox);

	if (!seen_change(s, st, err))
		return false;
	st = bound_account(s, SEEN_WISH_BEGIN, mailbox);
	sqlite3_bind_int64(st, 3, clock_wall_ms());
	return seen_change(s, st, err) &&
	       seen_change(s, seen_bound(s, SEEN_WISH_END, mailbox), err);
}
