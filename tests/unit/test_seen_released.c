/* SPDX-License-Identifier: Apache-2.0 */
/* `mailhaul parked retry` of what came back: how long that word holds. */
#include "tests/support/seen_place.h"

#include "state/seen_revise.h"

#include <string.h>

static void
begin(struct place *p)
{
	place_open(p);
	place_begin(p, OFFICE);
}

static void
put(struct place *p, const char *uid, enum seen_status status)
{
	uint8_t content[SEEN_CONTENT_SIZE];
	struct seen_entry entry = {
		.mailbox = OFFICE,
		.uid = slice_of(uid),
		.row = { .status = status, .tries = 3, .not_before_ms = 99 },
		.id = uid,
		.reason = "because",
		.content = content,
	};

	memset(content, uid[0], sizeof(content));
	assert_true(seen_put(p->seen, &entry, &p->err));
}

static void
revise(struct place *p, const char *message, enum seen_action action)
{
	struct seen_revision revision = { .account = OFFICE,
		.message = slice_of(message),
		.action = action };
	uint64_t changed;

	assert_true(seen_revise(p->seen, &revision, &changed, &p->err));
	assert_true(changed > 0);
}

static bool
is_released(struct place *p, const char *uid)
{
	struct seen_row row;

	assert_true(seen_get(p->seen, OFFICE, slice_of(uid), &row, &p->err));
	return row.released;
}

static void
holds_until_the_message_has_another_fate(void **state)
{
	static const enum seen_status ends[] = { SEEN_INJECTED, SEEN_DUPLICATE,
		SEEN_PARKED };
	struct place *p = *state;

	begin(p);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		put(p, "a", SEEN_PARKED);
		assert_false(is_released(p, "a"));
		revise(p, "a", REVISE_RETRY);
		assert_true(is_released(p, "a"));
		put(p, "a", SEEN_RETRY);
		put(p, "a", SEEN_RETRY);
		put(p, "a", SEEN_OVERSIZE);
		assert_true(is_released(p, "a"));
		put(p, "a", ends[i]);
		assert_false(is_released(p, "a"));
		put(p, "a", SEEN_RETRY);
		assert_false(is_released(p, "a"));
	}
}

/* What waits for another reason was perhaps never looked at. */
static void
is_given_to_what_was_judged(void **state)
{
	struct place *p = *state;

	begin(p);
	put(p, "p", SEEN_PARKED);
	put(p, "r", SEEN_RETRY);
	put(p, "o", SEEN_OVERSIZE);
	put(p, "d", SEEN_DROPPED);
	revise(p, "", REVISE_RETRY);
	assert_true(is_released(p, "p"));
	assert_false(is_released(p, "r"));
	assert_false(is_released(p, "o"));
	revise(p, "d", REVISE_RETRY);
	assert_true(is_released(p, "d"));
	revise(p, "", REVISE_RETRY);
	assert_true(is_released(p, "p"));
	revise(p, "p", REVISE_DROP);
	assert_false(is_released(p, "p"));
}

static void
recognise(
    struct place *p, const char *uid, uint8_t content, struct seen_row *row)
{
	struct seen_arrival arrival = { .mailbox = OFFICE,
		.uid = slice_of(uid) };

	memset(arrival.content, content, sizeof(arrival.content));
	assert_true(seen_recognise(p->seen, &arrival, row, &p->err));
}

static void
goes_with_the_message_to_another_uid(void **state)
{
	struct place *p = *state;
	struct seen_row row;

	begin(p);
	put(p, "a", SEEN_PARKED);
	put(p, "r", SEEN_RETRY);
	revise(p, "a", REVISE_RETRY);
	put(p, "a", SEEN_RETRY);
	assert_true(seen_bury(p->seen, OFFICE, SLICE("a"), &p->err));
	assert_true(seen_bury(p->seen, OFFICE, SLICE("r"), &p->err));
	recognise(p, "new", 'a', &row);
	assert_int_equal(row.status, SEEN_RETRY);
	assert_true(row.released);
	assert_int_equal(row.not_before_ms, 0);
	recognise(p, "newer", 'r', &row);
	assert_int_equal(row.status, SEEN_NEW);
	/* Once. */
	recognise(p, "newest", 'a', &row);
	assert_int_equal(row.status, SEEN_NEW);
	assert_false(row.released);
}

static void
is_not_raised_for_what_was_parked(void **state)
{
	struct place *p = *state;
	struct seen_row row;

	begin(p);
	put(p, "a", SEEN_PARKED);
	assert_true(seen_bury(p->seen, OFFICE, SLICE("a"), &p->err));
	recognise(p, "new", 'a', &row);
	assert_int_equal(row.status, SEEN_PARKED);
	assert_false(row.released);
}

static void
make_version_4(struct place *p)
{
	place_make(p, PLACE_TABLES_3
	    "CREATE TABLE message (account TEXT NOT NULL REFERENCES"
	    " account (name), uid BLOB NOT NULL CHECK (length(uid) BETWEEN"
	    " 1 AND 255), status INTEGER NOT NULL CHECK (status BETWEEN 1"
	    " AND 8), since_ms INTEGER NOT NULL, injected_ms INTEGER NOT"
	    " NULL, not_before_ms INTEGER NOT NULL, tries INTEGER NOT NULL,"
	    " size INTEGER NOT NULL, id TEXT NOT NULL, reason TEXT NOT"
	    " NULL, content BLOB CHECK (length(content) = 32),"
	    " PRIMARY KEY (account, uid)) STRICT, WITHOUT ROWID;"
	    "CREATE TABLE original (number INTEGER PRIMARY KEY, family TEXT"
	    " NOT NULL, fingerprint BLOB NOT NULL, account TEXT NOT NULL,"
	    " id TEXT NOT NULL, injected_ms INTEGER NOT NULL, until_ms"
	    " INTEGER NOT NULL, UNIQUE (family, fingerprint)) STRICT;"
	    "INSERT INTO account VALUES ('" OFFICE "', 'h', 'u', 0);"
	    "INSERT INTO message VALUES"
	    " ('" OFFICE "', x'61', 2, 5, 0, 0, 0, 9, 'a', '', NULL),"
	    " ('" OFFICE "', x'62', 2, 5, 0, 0, 1, 9, 'b', '', NULL),"
	    " ('" OFFICE "', x'63', 1, 5, 7, 0, 0, 9, 'c', '', NULL);"
	    "PRAGMA user_version = 4");
}

/* There a retry without tries was the admin's word. */
static void
is_kept_when_version_4_is_brought_up_to_date(void **state)
{
	struct place *p = *state;

	make_version_4(p);
	place_open(p);
	assert_true(is_released(p, "a"));
	assert_false(is_released(p, "b"));
	assert_false(is_released(p, "c"));
}

int
main(void)
{
#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(holds_until_the_message_has_another_fate),
		TEST(is_given_to_what_was_judged),
		TEST(goes_with_the_message_to_another_uid),
		TEST(is_not_raised_for_what_was_parked),
		TEST(is_kept_when_version_4_is_brought_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
