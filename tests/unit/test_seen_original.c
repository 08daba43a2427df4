/* SPDX-License-Identifier: Apache-2.0 */
/* What copies are known by; a state from before there were any. */
#include "tests/support/seen_place.h"

#include "state/seen_original.h"
#include "state/seen_revise.h"

#include <stdio.h>
#include <string.h>

#define INBOX "yaml:office/INBOX"
#define GROUP "group:staff"

static void
begin(struct place *p)
{
	if (p->seen == NULL)
		place_open(p);
	place_begin(p, INBOX);
}

static const uint8_t *
fingerprint(uint8_t which)
{
	static uint8_t bytes[SEEN_FINGERPRINT_SIZE];

	memset(bytes, which, sizeof(bytes));
	return bytes;
}

/* Injected at `ms`, and forgotten 100 ms later. */
static void
put(struct place *p, uint8_t which, const char *id, int64_t ms)
{
	struct seen_original o = { .group = GROUP,
		.fingerprint = fingerprint(which),
		.mailbox = INBOX,
		.id = id,
		.injected_ms = ms,
		.until_ms = ms + 100 };

	assert_true(seen_original_put(p->seen, &o, &p->err));
}

static const char *
find_in(struct place *p, const char *group, uint8_t which, int64_t since_ms)
{
	static char id[SEEN_ID_SIZE];
	struct seen_original o = { .group = group,
		.fingerprint = fingerprint(which) };

	assert_true(seen_original_find(p->seen, &o, since_ms, id, &p->err));
	return id;
}

static const char *
find(struct place *p, uint8_t which)
{
	return find_in(p, GROUP, which, 0);
}

static void
put_row(
    struct place *p, const char *uid, enum seen_status status, const char *why)
{
	uint8_t content[SEEN_CONTENT_SIZE] = { (uint8_t)uid[0] };
	char id[32];
	struct seen_entry entry = { .mailbox = INBOX,
		.uid = slice_of(uid),
		.row = { .status = status },
		.id = id,
		.reason = why,
		.content = content };

	snprintf(id, sizeof(id), "id-%s", uid);
	assert_true(seen_put(p->seen, &entry, &p->err));
}

static void
finds_by_group_and_fingerprint(void **state)
{
	struct place *p = *state;

	begin(p);
	put(p, 1, "one", 1000);
	place_commit(p);
	assert_string_equal(find(p, 1), "one");
	assert_string_equal(find(p, 2), "");
	assert_string_equal(find_in(p, OFFICE, 1, 0), "");
}

static void
finds_nothing_from_before_the_window(void **state)
{
	struct place *p = *state;

	begin(p);
	put(p, 1, "one", 1000);
	assert_string_equal(find_in(p, GROUP, 1, 1000), "one");
	assert_string_equal(find_in(p, GROUP, 1, 1001), "");
	/* Then a later one takes its place. */
	put(p, 1, "two", 1050);
	assert_string_equal(find_in(p, GROUP, 1, 1001), "two");
	place_commit(p);
}

static void
forgets_what_is_over(void **state)
{
	struct place *p = *state;

	begin(p);
	put(p, 1, "one", 1000);
	put(p, 2, "two", 1100);
	assert_string_equal(find(p, 1), "one");
	put(p, 3, "three", 1101);
	assert_string_equal(find(p, 1), "");
	assert_string_equal(find(p, 2), "two");
	place_commit(p);
}

static void
nothing_counts_before_the_commit(void **state)
{
	struct place *p = *state;

	begin(p);
	put(p, 1, "one", 1000);
	seen_rollback(p->seen);
	assert_string_equal(find(p, 1), "");
	assert_false(seen_original_put(p->seen,
	    &(struct seen_original){ .group = GROUP,
		.fingerprint = fingerprint(1),
		.mailbox = INBOX,
		.id = "one" },
	    &p->err));
}

static void
forget(struct place *p, const char *account, const char *message)
{
	struct seen_revision revision = { .account = account,
		.message = slice_of(message),
		.action = REVISE_FORGET };
	uint64_t forgotten;

	assert_true(seen_revise(p->seen, &revision, &forgotten, &p->err));
}

static void
what_is_forgotten_has_no_copies(void **state)
{
	struct place *p = *state;

	begin(p);
	put_row(p, "a", SEEN_INJECTED, "");
	put_row(p, "b", SEEN_DUPLICATE, "id-of-another-account");
	put_row(p, "c", SEEN_DUPLICATE, "id-a");
	put(p, 1, "id-a", 1000);
	put(p, 2, "id-of-another-account", 1000);
	put(p, 3, "id-gone", 1000);
	put(p, 4, "id-d", 1000);
	forget(p, OFFICE, "b");
	assert_string_equal(find(p, 2), "");
	assert_string_equal(find(p, 1), "id-a");
	forget(p, OFFICE, "id-gone");
	assert_string_equal(find(p, 3), "");
	forget(p, OFFICE, "c");
	assert_string_equal(find(p, 1), "");
	forget(p, "yaml:offic", "");
	assert_string_equal(find(p, 4), "id-d");
	forget(p, OFFICE, "");
	assert_string_equal(find(p, 4), "");
	place_commit(p);
}

static void
a_copy_that_is_buried_leads_to_its_original(void **state)
{
	struct place *p = *state;

	begin(p);
	put_row(p, "b", SEEN_DUPLICATE, "id-of-another-account");
	put(p, 2, "id-of-another-account", 1000);
	assert_true(seen_bury(p->seen, INBOX, SLICE("b"), &p->err));
	forget(p, OFFICE, "id-b");
	assert_string_equal(find(p, 2), "");
	place_commit(p);
}

static void
make_version_3(struct place *p)
{
	place_make(p, PLACE_TABLES_3
	    "CREATE TABLE message (account TEXT NOT NULL REFERENCES"
	    " account (name), uid BLOB NOT NULL CHECK (length(uid) BETWEEN"
	    " 1 AND 255), status INTEGER NOT NULL CHECK (status BETWEEN 1"
	    " AND 7), since_ms INTEGER NOT NULL, injected_ms INTEGER NOT"
	    " NULL, not_before_ms INTEGER NOT NULL, tries INTEGER NOT NULL,"
	    " size INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT"
	    " NULL, content BLOB CHECK (length(content) = 32),"
	    " PRIMARY KEY (account, uid)) STRICT, WITHOUT ROWID;"
	    "INSERT INTO account VALUES ('" INBOX "', 'h', 'u', 0);"
	    "INSERT INTO message VALUES ('" INBOX
	    "', x'61', 1, 5, 7, 0, 1, 9, 'id-a', 'Q', zeroblob(32)), "
	    "('" INBOX "', x'62', 7, 5, 0, 0, 1, 0, '', '', NULL);"
	    "PRAGMA user_version = 3");
}

static void
brings_version_3_up_to_date(void **state)
{
	struct place *p = *state;
	struct seen_row row;

	make_version_3(p);
	begin(p);
	assert_true(seen_get(p->seen, INBOX, SLICE("a"), &row, &p->err));
	assert_int_equal(row.status, SEEN_INJECTED);
	assert_int_equal(row.injected_ms, 7);
	assert_int_equal(row.size, 9);
	assert_true(seen_get(p->seen, INBOX, SLICE("b"), &row, &p->err));
	assert_int_equal(row.status, SEEN_BASELINE);
	put_row(p, "c", SEEN_DUPLICATE, "id-a");
	put(p, 1, "id-a", 1000);
	place_commit(p);
	assert_string_equal(find(p, 1), "id-a");
}

int
main(void)
{
#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, place_set_up, place_tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(finds_by_group_and_fingerprint),
		TEST(finds_nothing_from_before_the_window),
		TEST(forgets_what_is_over),
		TEST(nothing_counts_before_the_commit),
		TEST(what_is_forgotten_has_no_copies),
		TEST(a_copy_that_is_buried_leads_to_its_original),
		TEST(brings_version_3_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
