/* SPDX-License-Identifier: Apache-2.0 */
/* What the admin's commands see and change; the migration of older states. */
#include "tests/support/seen_place.h"

#include "base/clock.h"
#include "state/seen_revise.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OTHER "yaml:other"

/* What on_row() was told. */
static char seen_rows[1024];
static int64_t since_ms;

static void
reopen(struct place *p, struct seen *(*open)(const char *, struct error *))
{
	seen_close(p->seen);
	p->seen = open(p->folder, &p->err);
	if (p->seen == NULL)
		fail_msg("%s", p->err.text);
}

static void
put(struct place *p, const char *account, const char *uid,
    enum seen_status status)
{
	char id[32];
	struct seen_entry entry = {
		.mailbox = account,
		.uid = slice_of(uid),
		.row = { .status = status,
		    .tries = 3,
		    .not_before_ms = 99,
		    .size = 5 },
		.id = id,
		.reason = "because",
	};

	snprintf(id, sizeof(id), "id-%s", uid);
	assert_true(seen_put(p->seen, &entry, &p->err));
}

/* One row of each status in the office, one of another account. */
static void
fill(struct place *p)
{
	reopen(p, seen_open);
	place_begin(p, OFFICE);
	assert_true(seen_mailbox_claim(p->seen, OTHER, "h", "u", &p->err));
	put(p, OFFICE, "a", SEEN_INJECTED);
	put(p, OFFICE, "b", SEEN_RETRY);
	put(p, OFFICE, "c", SEEN_PARKED);
	put(p, OFFICE, "d", SEEN_OVERSIZE);
	put(p, OFFICE, "e", SEEN_DROPPED);
	put(p, OTHER, "c", SEEN_PARKED);
	place_commit(p);
}

static void
on_row(void *arg, const struct seen_entry *e)
{
	size_t len = strlen(seen_rows);

	(void)arg;
	since_ms = e->since_ms;
	snprintf(seen_rows + len, sizeof(seen_rows) - len,
	    "%s %.*s %s %s %u %lld %llu %s\n", e->mailbox, SLICE_ARG(e->uid),
	    seen_status_name(e->row.status), e->id, e->row.tries,
	    (long long)e->row.not_before_ms, (unsigned long long)e->row.size,
	    e->reason);
}

static const char *
rows(struct place *p)
{
	seen_rows[0] = '\0';
	assert_true(seen_visit_parked(p->seen, on_row, NULL, &p->err));
	return seen_rows;
}

static void
visits_all_but_the_injected(void **state)
{
	struct place *p = *state;

	fill(p);
	assert_string_equal(rows(p),
	    "yaml:office b retry id-b 3 99 5 because\n"
	    "yaml:office c parked id-c 3 99 5 because\n"
	    "yaml:office d oversize id-d 3 99 5 because\n"
	    "yaml:office e dropped id-e 3 99 5 because\n"
	    "yaml:other c parked id-c 3 99 5 because\n");
}

static uint64_t
revise(struct place *p, const char *message, enum seen_status status)
{
	struct seen_revision revision = { .account = OFFICE,
		.message = slice_of(message),
		.action = status == SEEN_RETRY ? REVISE_RETRY : REVISE_DROP };
	uint64_t changed;

	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_revise(p->seen, &revision, &changed, &p->err));
	place_commit(p);
	return changed;
}

static enum seen_status
status_of(struct place *p, const char *account, const char *uid)
{
	return place_status(p, account, slice_of(uid));
}

static void
revises_one_by_uid_or_id(void **state)
{
	struct place *p = *state;
	struct seen_row row;

	fill(p);
	assert_int_equal(revise(p, "c", SEEN_RETRY), 1);
	assert_true(seen_get(p->seen, OFFICE, SLICE("c"), &row, &p->err));
	assert_int_equal(row.status, SEEN_RETRY);
	assert_int_equal(row.tries, 0);
	assert_int_equal(row.not_before_ms, 0);
	assert_int_equal(revise(p, "id-d", SEEN_DROPPED), 1);
	assert_int_equal(status_of(p, OFFICE, "d"), SEEN_DROPPED);
	/* named, a dropped one comes back */
	assert_int_equal(revise(p, "e", SEEN_RETRY), 1);
	assert_int_equal(revise(p, "nothing", SEEN_RETRY), 0);
	assert_int_equal(status_of(p, OFFICE, "b"), SEEN_RETRY);
	assert_int_equal(status_of(p, OTHER, "c"), SEEN_PARKED);
}

static void
never_revises_what_was_injected(void **state)
{
	struct place *p = *state;

	fill(p);
	assert_int_equal(revise(p, "a", SEEN_RETRY), 0);
	assert_int_equal(revise(p, "id-a", SEEN_DROPPED), 0);
	assert_int_equal(revise(p, "", SEEN_RETRY), 3);
	assert_int_equal(status_of(p, OFFICE, "a"), SEEN_INJECTED);
	/* nor all of the account what was dropped */
	assert_int_equal(status_of(p, OFFICE, "e"), SEEN_DROPPED);
	assert_int_equal(status_of(p, OTHER, "c"), SEEN_PARKED);
}

static void
knows_since_when(void **state)
{
	struct place *p = *state;
	int64_t first;

	reopen(p, seen_open);
	place_begin(p, OFFICE);
	put(p, OFFICE, "b", SEEN_RETRY);
	place_commit(p);
	rows(p);
	first = since_ms;
	assert_true(first > 0 && first <= clock_wall_ms());
	while (clock_wall_ms() == first)
		usleep(1000);
	assert_true(seen_begin(p->seen, &p->err));
	put(p, OFFICE, "b", SEEN_PARKED);
	place_commit(p);
	rows(p);
	assert_true(since_ms == first);
}

static void
reading_makes_and_changes_nothing(void **state)
{
	struct place *p = *state;
	struct error err;

	assert_null(seen_open_readonly(p->folder, &p->err));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_int_equal(access(p->db, F_OK), -1);
	fill(p);
	reopen(p, seen_open_readonly);
	assert_non_null(strstr(rows(p), "yaml:office b retry"));
	assert_false(seen_begin(p->seen, &err) &&
		     seen_mailbox_claim(p->seen, "yaml:new", "h", "u", &err));
	seen_rollback(p->seen);
}

static void
make_version_1(struct place *p)
{
	place_make(p,
	    "CREATE TABLE account (name TEXT PRIMARY KEY, host TEXT NOT"
	    " NULL, user TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	    "CREATE TABLE message (account TEXT NOT NULL REFERENCES"
	    " account (name), uid BLOB NOT NULL, status INTEGER NOT NULL"
	    " CHECK (status BETWEEN 1 AND 4), injected_ms INTEGER NOT NULL,"
	    " not_before_ms INTEGER NOT NULL, tries INTEGER NOT NULL,"
	    " size INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT"
	    " NULL, PRIMARY KEY (account, uid)) STRICT, WITHOUT ROWID;"
	    "INSERT INTO account VALUES ('yaml:office', 'h', 'u');"
	    "INSERT INTO message VALUES"
	    " ('yaml:office', x'61', 1, 7, 0, 1, 0, 'id-a', ''),"
	    " ('yaml:office', x'62', 3, 0, 9, 2, 4, 'id-b', 'why');"
	    "PRAGMA user_version = 1");
}

static void
brings_version_1_up_to_date(void **state)
{
	struct place *p = *state;
	struct seen_row row;

	make_version_1(p);
	assert_null(seen_open_readonly(p->folder, &p->err));
	assert_non_null(strstr(p->err.text, "older mailhaul"));
	reopen(p, seen_open);
	assert_true(seen_get(p->seen, OFFICE, SLICE("a"), &row, &p->err));
	assert_int_equal(row.status, SEEN_INJECTED);
	assert_int_equal(row.injected_ms, 7);
	assert_string_equal(rows(p), "yaml:office b parked id-b 2 9 4 why\n");
	assert_int_equal(revise(p, "b", SEEN_DROPPED), 1);
	reopen(p, seen_open_readonly);
	assert_string_equal(rows(p), "yaml:office b dropped id-b 0 0 4 why\n");
}

static void
make_version_2(struct place *p)
{
	place_make(p,
	    "CREATE TABLE account (name TEXT PRIMARY KEY, host TEXT NOT"
	    " NULL, user TEXT NOT NULL) STRICT, WITHOUT ROWID;"
	    "CREATE TABLE message (account TEXT NOT NULL REFERENCES"
	    " account (name), uid BLOB NOT NULL CHECK (length(uid) BETWEEN"
	    " 1 AND 255), status INTEGER NOT NULL CHECK (status BETWEEN 1"
	    " AND 5), since_ms INTEGER NOT NULL, injected_ms INTEGER NOT"
	    " NULL, not_before_ms INTEGER NOT NULL, tries INTEGER NOT NULL,"
	    " size INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT"
	    " NULL, PRIMARY KEY (account, uid)) STRICT, WITHOUT ROWID;"
	    "INSERT INTO account VALUES ('yaml:office', 'h', 'u');"
	    "INSERT INTO message VALUES"
	    " ('yaml:office', x'61', 1, 5, 7, 0, 1, 0, 'id-a', ''),"
	    " ('yaml:office', x'62', 5, 6, 0, 9, 2, 4, 'id-b', 'why');"
	    "PRAGMA user_version = 2");
}

static void
brings_version_2_up_to_date(void **state)
{
	struct place *p = *state;
	struct seen_mailbox m;
	struct seen_row row;

	make_version_2(p);
	reopen(p, seen_open);
	assert_true(seen_get(p->seen, OFFICE, SLICE("a"), &row, &p->err));
	assert_int_equal(row.status, SEEN_INJECTED);
	assert_int_equal(row.injected_ms, 7);
	assert_string_equal(rows(p), "yaml:office b dropped id-b 2 9 4 why\n");
	assert_true(since_ms == 6);
	m = place_mailbox(p, OFFICE, "h", "u");
	assert_true(m.known && !m.foreign && m.wish == WISH_NONE);
	/* New: what they are known by, and more statuses. */
	assert_true(seen_begin(p->seen, &p->err));
	put(p, OFFICE, "c", SEEN_BASELINE);
	assert_true(seen_bury(p->seen, OFFICE, SLICE("a"), &p->err));
	place_commit(p);
	assert_int_equal(status_of(p, OFFICE, "c"), SEEN_BASELINE);
	assert_int_equal(status_of(p, OFFICE, "a"), SEEN_NEW);
}

static uint64_t
forget(struct place *p, const char *message)
{
	struct seen_revision revision = { .account = OFFICE,
		.message = slice_of(message),
		.action = REVISE_FORGET };
	uint64_t forgotten;

	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_revise(p->seen, &revision, &forgotten, &p->err));
	place_commit(p);
	return forgotten;
}

static void
put_folder(struct place *p)
{
	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_mailbox_claim(
	    p->seen, OFFICE "/Sent Items", "h", "u", &p->err));
	assert_true(seen_mailbox_claim(p->seen, OFFICE "2", "h", "u", &p->err));
	put(p, OFFICE "/Sent Items", "a", SEEN_PARKED);
	put(p, OFFICE "2", "a", SEEN_PARKED);
	place_commit(p);
}

static void
an_account_means_its_folders(void **state)
{
	uint64_t count[SEEN_STATUSES];
	struct place *p = *state;

	fill(p);
	put_folder(p);
	assert_true(seen_count(p->seen, OFFICE, count, &p->err));
	assert_int_equal(count[SEEN_PARKED], 2);
	assert_int_equal(count[SEEN_INJECTED], 1);
	assert_int_equal(revise(p, "id-a", SEEN_DROPPED), 1);
	assert_int_equal(status_of(p, OFFICE "/Sent Items", "a"), SEEN_DROPPED);
	assert_int_equal(status_of(p, OFFICE "2", "a"), SEEN_PARKED);
	seen_rows[0] = '\0';
	assert_true(
	    seen_visit(p->seen, OFFICE "/Sent Items", on_row, NULL, &p->err));
	assert_string_equal(
	    seen_rows, "yaml:office/Sent Items a dropped id-a 0 0 5 because\n");
	seen_rows[0] = '\0';
	assert_true(seen_visit(p->seen, "", on_row, NULL, &p->err));
	assert_non_null(strstr(seen_rows, "yaml:office a injected"));
	assert_non_null(strstr(seen_rows, "yaml:other c parked"));
}

static void
forgets_one_or_all_of_an_account(void **state)
{
	struct place *p = *state;

	fill(p);
	put_folder(p);
	assert_int_equal(forget(p, "id-b"), 1);
	assert_int_equal(forget(p, "a"), 2);
	assert_int_equal(status_of(p, OFFICE, "c"), SEEN_PARKED);
	assert_int_equal(forget(p, ""), 3);
	assert_int_equal(status_of(p, OFFICE, "e"), SEEN_NEW);
	assert_int_equal(status_of(p, OTHER, "c"), SEEN_PARKED);
	assert_int_equal(status_of(p, OFFICE "2", "a"), SEEN_PARKED);
}

/* Else it would be recognised and not fetched again. */
static void
forgets_the_tombstones_as_well(void **state)
{
	struct seen_arrival arrival = { .mailbox = OFFICE, .uid = SLICE("x") };
	struct seen_entry entry = { .mailbox = OFFICE,
		.row = { .status = SEEN_INJECTED },
		.reason = "",
		.content = arrival.content };
	static const char *const uids[] = { "a", "b", "c" };
	struct place *p = *state;
	struct seen_row row;

	reopen(p, seen_open);
	place_begin(p, OFFICE);
	for (int i = 0; i < 3; i++) {
		arrival.content[0] = (uint8_t)(i / 2);
		entry.uid = slice_of(uids[i]);
		entry.id = uids[i];
		assert_true(seen_put(p->seen, &entry, &p->err));
	}
	assert_true(seen_bury(p->seen, OFFICE, SLICE("a"), &p->err));
	assert_true(seen_bury(p->seen, OFFICE, SLICE("c"), &p->err));
	place_commit(p);
	/* b had the content of a. */
	assert_int_equal(forget(p, "b"), 1);
	assert_true(seen_begin(p->seen, &p->err));
	arrival.content[0] = 0;
	assert_true(seen_recognise(p->seen, &arrival, &row, &p->err));
	assert_int_equal(row.status, SEEN_NEW);
	arrival.content[0] = 1;
	assert_true(seen_recognise(p->seen, &arrival, &row, &p->err));
	assert_int_equal(row.status, SEEN_INJECTED);
	place_commit(p);
}

static void
put_content(
    struct place *p, const char *mailbox, const char *uid, uint8_t first)
{
	uint8_t content[SEEN_CONTENT_SIZE] = { first };
	struct seen_entry entry = { .mailbox = mailbox,
		.uid = slice_of(uid),
		.row = { .status = SEEN_INJECTED },
		.id = uid[0] == '-' ? "" : uid,
		.reason = "",
		.content = content };

	assert_true(seen_mailbox_claim(p->seen, mailbox, "h", "u", &p->err));
	assert_true(seen_put(p->seen, &entry, &p->err));
}

static const char *
same(struct place *p, const char *id, uint8_t first)
{
	uint8_t content[SEEN_CONTENT_SIZE] = { first };
	struct seen_entry wanted = {
		.mailbox = OFFICE, .id = id, .content = content
	};

	seen_rows[0] = '\0';
	assert_true(seen_visit_same(p->seen, &wanted, on_row, NULL, &p->err));
	return seen_rows;
}

static void
finds_what_was_there_by_id_or_content(void **state)
{
	struct place *p = *state;

	place_open(p);
	place_begin(p, OFFICE);
	put_content(p, OFFICE, "-a", 1);
	put_content(p, OFFICE "/Lists", "b", 1);
	put_content(p, OFFICE, "c", 2);
	put_content(p, OTHER, "d", 3);
	assert_true(seen_bury(p->seen, OFFICE "/Lists", SLICE("b"), &p->err));
	place_commit(p);
	assert_string_equal(
	    same(p, "", 1), "yaml:office/Lists  injected b 0 0 0 \n");
	assert_string_equal(
	    same(p, "c", 1), "yaml:office c injected c 0 0 0 \n");
	assert_string_equal(
	    same(p, "b", 2), "yaml:office/Lists  injected b 0 0 0 \n");
	assert_string_equal(same(p, "d", 3), "");
}

int
main(void)
{
#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(visits_all_but_the_injected),
		TEST(revises_one_by_uid_or_id),
		TEST(never_revises_what_was_injected),
		TEST(knows_since_when),
		TEST(reading_makes_and_changes_nothing),
		TEST(brings_version_1_up_to_date),
		TEST(brings_version_2_up_to_date),
		TEST(an_account_means_its_folders),
		TEST(forgets_one_or_all_of_an_account),
		TEST(forgets_the_tombstones_as_well),
		TEST(finds_what_was_there_by_id_or_content),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
