/* SPDX-License-Identifier: Apache-2.0 */
/* What the state says of a listing. */
#include "tests/support/scratch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "fetcher/comparison.h"
#include "fetcher/listing.h"
#include "state/seen_mailbox.h"
#include "state/seen_revise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFICE "yaml:office"

struct place {
	char folder[SCRATCH_SIZE];
	struct seen *seen;
	struct listing listing;
	struct error err;
	bool keeps, partial;
	const char *user;
};

static int
set_up(void **state)
{
	struct place *p = mem_new(sizeof(*p));

	scratch_make(p->folder);
	p->seen = seen_open(p->folder, &p->err);
	assert_non_null(p->seen);
	p->keeps = true;
	p->user = "box17";
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	seen_close(p->seen);
	listing_clear(&p->listing);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static void
begin(struct place *p)
{
	assert_true(seen_begin(p->seen, &p->err));
}

static void
commit(struct place *p)
{
	assert_true(seen_commit(p->seen, &p->err));
}

static void
add(struct place *p, const char *uid)
{
	uint32_t number = (uint32_t)p->listing.found.n + 1;

	assert_true(listing_add(&p->listing, number, slice_of(uid), &p->err));
	listing_size(&p->listing, number, 10);
}

/* What was added is the mailbox. */
static bool
compare(struct place *p)
{
	bool ok;

	p->listing.found.mailbox = OFFICE;
	p->listing.found.host = "pop.isp.example";
	p->listing.found.user = p->user;
	p->listing.found.keeps = p->keeps;
	p->listing.found.partial = p->partial;
	begin(p);
	ok = comparison_run(p->seen, &p->listing.found, &p->err);
	commit(p);
	return ok;
}

/* The mailbox holds messages of these UIDs, one letter each; "-" has none. */
static bool
compare_letters(struct place *p, const char *letters)
{
	listing_clear(&p->listing);
	for (; *letters != '\0'; letters++)
		add(p, *letters == '-' ? "" : (char[]){ *letters, '\0' });
	return compare(p);
}

static bool
compare_many(struct place *p, const char *prefix, int n)
{
	char uid[32];

	listing_clear(&p->listing);
	for (int i = 0; i < n; i++) {
		snprintf(uid, sizeof(uid), "%s%d", prefix, i);
		add(p, uid);
	}
	return compare(p);
}

static enum seen_status
status_of(const struct place *p, size_t i)
{
	return p->listing.found.entries[i].row.status;
}

/* `content` 0: unknown. */
static void
put(struct place *p, const char *uid, enum seen_status status, int content)
{
	uint8_t bytes[SEEN_CONTENT_SIZE];
	struct seen_entry entry = { .mailbox = OFFICE,
		.uid = slice_of(uid),
		.row = { .status = status, .injected_ms = 5, .size = 10 },
		.id = uid,
		.reason = "" };

	memset(bytes, content, sizeof(bytes));
	if (content != 0)
		entry.content = bytes;
	assert_true(seen_put(p->seen, &entry, &p->err));
}

static void
claim(struct place *p)
{
	assert_true(seen_mailbox_claim(
	    p->seen, OFFICE, "pop.isp.example", "box17", &p->err));
}

static void
put_many(struct place *p, const char *prefix, int n, bool content)
{
	char uid[32];

	begin(p);
	claim(p);
	for (int i = 0; i < n; i++) {
		snprintf(uid, sizeof(uid), "%s%d", prefix, i);
		put(p, uid, SEEN_INJECTED, content ? i + 1 : 0);
	}
	commit(p);
}

static uint64_t
rows(struct place *p, enum seen_status status)
{
	uint64_t count[SEEN_STATUSES];

	assert_true(seen_count(p->seen, OFFICE, count, &p->err));
	return count[status];
}

static void
wish(struct place *p, enum seen_wish what)
{
	begin(p);
	assert_true(seen_wish(p->seen, OFFICE, what, &p->err));
	commit(p);
}

static void
what_is_listed_no_more_is_never_known_by_its_uid(void **state)
{
	struct place *p = *state;

	assert_true(compare_letters(p, "abc"));
	begin(p);
	put(p, "b", SEEN_INJECTED, 2);
	put(p, "c", SEEN_PARKED, 3);
	commit(p);
	assert_true(compare_letters(p, "cab"));
	assert_int_equal(status_of(p, 0), SEEN_PARKED);
	assert_int_equal(status_of(p, 1), SEEN_NEW);
	assert_int_equal(status_of(p, 2), SEEN_INJECTED);
	assert_int_equal(p->listing.found.n_tombstones, 0);
	assert_true(compare_letters(p, "ca"));
	assert_int_equal(p->listing.found.n_tombstones, 1);
	assert_true(compare_letters(p, "cab"));
	assert_int_equal(status_of(p, 2), SEEN_NEW);
	assert_int_equal(p->listing.found.n_tombstones, 1);
	assert_true(p->listing.found.tombstones[0] == 0x0202020202020202);
}

static void
an_incomplete_listing_buries_nothing(void **state)
{
	struct place *p = *state;

	assert_true(compare_letters(p, "ab"));
	begin(p);
	put(p, "a", SEEN_INJECTED, 1);
	put(p, "b", SEEN_INJECTED, 2);
	commit(p);
	p->partial = true;
	assert_true(compare_letters(p, "c"));
	assert_true(compare_letters(p, ""));
	p->partial = false;
	assert_true(compare_letters(p, "ab"));
	assert_int_equal(status_of(p, 0), SEEN_INJECTED);
	assert_int_equal(status_of(p, 1), SEEN_INJECTED);
}

static void
twins_are_new_and_buried(void **state)
{
	struct place *p = *state;

	assert_true(compare_letters(p, "ab"));
	begin(p);
	put(p, "a", SEEN_INJECTED, 1);
	put(p, "b", SEEN_INJECTED, 2);
	commit(p);
	assert_true(compare_letters(p, "abca"));
	assert_true(p->listing.found.entries[0].duplicate);
	assert_true(p->listing.found.entries[3].duplicate);
	assert_false(p->listing.found.entries[1].duplicate);
	assert_int_equal(status_of(p, 0), SEEN_NEW);
	assert_int_equal(status_of(p, 3), SEEN_NEW);
	assert_int_equal(status_of(p, 1), SEEN_INJECTED);
	/* The one that is left may be the other one. */
	assert_true(compare_letters(p, "a"));
	assert_int_equal(status_of(p, 0), SEEN_NEW);
}

static void
without_uids_nothing_may_be_kept(void **state)
{
	struct place *p = *state;

	assert_false(compare_letters(p, "--"));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_non_null(strstr(p->err.text, "only `keep: none` is possible"));
	p->keeps = false;
	assert_true(compare_letters(p, "--"));
	assert_int_equal(status_of(p, 0), SEEN_NEW);
	assert_false(p->listing.found.entries[0].duplicate);
}

static void
identities_are_left_alone_until_all_have_one(void **state)
{
	static const char one[] = IDENTITY_PREFIX "01",
			  other[] = IDENTITY_PREFIX "02";
	struct place *p = *state;

	p->keeps = false;
	begin(p);
	claim(p);
	put(p, one, SEEN_INJECTED, 1);
	put(p, other, SEEN_PARKED, 2);
	put(p, "gone", SEEN_INJECTED, 3);
	commit(p);
	assert_true(compare_letters(p, "-"));
	assert_int_equal(rows(p, SEEN_INJECTED), 1);
	assert_int_equal(rows(p, SEEN_PARKED), 1);
	/* The same where one UID is that of two messages. */
	assert_true(compare_letters(p, "xx"));
	assert_int_equal(rows(p, SEEN_INJECTED), 1);
	/* Two of one content are no twins. */
	listing_clear(&p->listing);
	add(p, one);
	add(p, one);
	assert_true(compare(p));
	assert_int_equal(status_of(p, 0), SEEN_INJECTED);
	assert_int_equal(status_of(p, 1), SEEN_INJECTED);
	assert_int_equal(rows(p, SEEN_PARKED), 0);
	assert_true(compare_letters(p, ""));
	assert_int_equal(rows(p, SEEN_INJECTED), 0);
}

static void
another_owner_is_refused_and_nothing_changed(void **state)
{
	struct place *p = *state;

	put_many(p, "a", 2, true);
	p->user = "box18";
	assert_false(compare_letters(p, "x"));
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	assert_string_equal(p->err.text,
	    "its name was used for user box17 at pop.isp.example before, and "
	    "the state under it belongs to that mailbox: give this one another "
	    "account name; or, if its mail has moved, `mailhaul seen adopt "
	    "office`");
	assert_int_equal(rows(p, SEEN_INJECTED), 2);
	p->user = "box17";
	assert_true(compare_many(p, "a", 2));
	assert_int_equal(status_of(p, 1), SEEN_INJECTED);
}

static void
adopt_takes_the_rows_over_where_the_sizes_agree(void **state)
{
	struct place *p = *state;

	put_many(p, "a", 2, true);
	p->user = "box18";
	wish(p, WISH_ADOPT);
	listing_clear(&p->listing);
	add(p, "a0");
	add(p, "a1");
	listing_size(&p->listing, 2, 11);
	assert_true(compare(p));
	assert_int_equal(status_of(p, 0), SEEN_INJECTED);
	assert_int_equal(status_of(p, 1), SEEN_NEW);
	assert_int_equal(p->listing.found.n_tombstones, 1);
	/* From now on it is theirs. */
	assert_true(compare_many(p, "a", 1));
	p->user = "box17";
	assert_false(compare_many(p, "a", 1));
}

static void
baseline_marks_what_is_new_now(void **state)
{
	struct place *p = *state;

	begin(p);
	claim(p);
	put(p, "a", SEEN_INJECTED, 1);
	put(p, "b", SEEN_RETRY, 0);
	commit(p);
	wish(p, WISH_BASELINE);
	assert_true(compare_letters(p, "abcd"));
	assert_int_equal(status_of(p, 0), SEEN_INJECTED);
	assert_int_equal(status_of(p, 1), SEEN_RETRY);
	assert_int_equal(status_of(p, 2), SEEN_BASELINE);
	assert_int_equal(status_of(p, 3), SEEN_BASELINE);
	assert_true(compare_letters(p, "abcde"));
	assert_int_equal(status_of(p, 3), SEEN_BASELINE);
	assert_int_equal(status_of(p, 4), SEEN_NEW);
}

static void
baseline_needs_uids(void **state)
{
	struct place *p = *state;

	p->keeps = false;
	wish(p, WISH_BASELINE);
	assert_false(compare_letters(p, "-"));
	assert_non_null(strstr(p->err.text, "`mailhaul seen adopt office`"));
	wish(p, WISH_ADOPT);
	assert_true(compare_letters(p, "-"));
}

static void
expect_question(struct place *p, const char *text)
{
	assert_int_equal(p->err.kind, ERROR_CONFIG);
	if (strstr(p->err.text, text) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", p->err.text, text);
	assert_non_null(strstr(p->err.text,
	    "`mailhaul seen baseline office` takes all that is there now as "
	    "collected, `mailhaul seen adopt office` collects it"));
}

static void
a_large_unknown_mailbox_that_is_kept_asks_first(void **state)
{
	struct place *p = *state;

	p->keeps = false;
	begin(p);
	commit(p);
	p->keeps = true;
	assert_false(compare_many(p, "a", FIRST_MAX + 1));
	expect_question(p, "it holds 101 messages");
	/* Still unknown. */
	assert_false(compare_many(p, "a", FIRST_MAX + 1));
	wish(p, WISH_ADOPT);
	assert_true(compare_many(p, "a", FIRST_MAX + 1));
	assert_int_equal(status_of(p, 0), SEEN_NEW);
	/* Answered once for all. */
	assert_true(compare_many(p, "a", FIRST_MAX + 2));
}

static void
a_small_or_collected_one_does_not_ask(void **state)
{
	struct place *p = *state;

	assert_true(compare_many(p, "a", FIRST_MAX));
	assert_true(compare_many(p, "a", FIRST_MAX + 1));
}

static void
one_that_is_deleted_does_not_ask(void **state)
{
	struct place *p = *state;

	p->keeps = false;
	assert_true(compare_many(p, "a", FIRST_MAX + 1));
}

static void
one_that_was_imported_does_not_ask(void **state)
{
	struct place *p = *state;

	begin(p);
	assert_true(seen_mailbox_expect(p->seen, OFFICE, &p->err));
	put(p, "a7", SEEN_INJECTED, 0);
	commit(p);
	assert_true(compare_many(p, "a", FIRST_MAX + 1));
	assert_int_equal(status_of(p, 7), SEEN_INJECTED);
	p->user = "box18";
	assert_false(compare_many(p, "a", 8));
}

static void
all_others_than_before_ask_unless_they_can_be_recognised(void **state)
{
	struct place *p = *state;

	put_many(p, "a", STRANGE_MIN, false);
	assert_false(compare_many(p, "b", STRANGE_MIN));
	expect_question(p, "none of the 20 messages that were there before");
	assert_int_equal(rows(p, SEEN_INJECTED), STRANGE_MIN);
	/* One is left: the others may have been deleted elsewhere. */
	listing_clear(&p->listing);
	assert_true(compare_many(p, "b", STRANGE_MIN - 1));
	assert_int_equal(rows(p, SEEN_INJECTED), 0);
	put_many(p, "a", STRANGE_MIN, true);
	assert_true(compare_many(p, "c", STRANGE_MIN));
	assert_int_equal(p->listing.found.n_tombstones, STRANGE_MIN);
}

static void
one_message_of_before_is_enough(void **state)
{
	struct place *p = *state;

	put_many(p, "a", STRANGE_MIN, false);
	listing_clear(&p->listing);
	add(p, "a3");
	for (int i = 0; i < 2 * STRANGE_MIN; i++) {
		char uid[16];

		snprintf(uid, sizeof(uid), "b%d", i);
		add(p, uid);
	}
	assert_true(compare(p));
	assert_int_equal(status_of(p, 0), SEEN_INJECTED);
}

static void
baseline_answers_the_question(void **state)
{
	struct place *p = *state;

	put_many(p, "a", STRANGE_MIN, false);
	assert_false(compare_many(p, "b", STRANGE_MIN));
	wish(p, WISH_BASELINE);
	assert_true(compare_many(p, "b", STRANGE_MIN));
	assert_int_equal(rows(p, SEEN_BASELINE), STRANGE_MIN);
	assert_int_equal(rows(p, SEEN_INJECTED), 0);
	/* Another change, and nothing to recognise them by: asks again. */
	assert_false(compare_many(p, "c", STRANGE_MIN));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_listed_no_more_is_never_known_by_its_uid),
		TEST(an_incomplete_listing_buries_nothing),
		TEST(twins_are_new_and_buried),
		TEST(without_uids_nothing_may_be_kept),
		TEST(identities_are_left_alone_until_all_have_one),
		TEST(another_owner_is_refused_and_nothing_changed),
		TEST(adopt_takes_the_rows_over_where_the_sizes_agree),
		TEST(baseline_marks_what_is_new_now),
		TEST(baseline_needs_uids),
		TEST(a_large_unknown_mailbox_that_is_kept_asks_first),
		TEST(a_small_or_collected_one_does_not_ask),
		TEST(one_that_is_deleted_does_not_ask),
		TEST(one_that_was_imported_does_not_ask),
		TEST(all_others_than_before_ask_unless_they_can_be_recognised),
		TEST(one_message_of_before_is_enough),
		TEST(baseline_answers_the_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
