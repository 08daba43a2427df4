/* SPDX-License-Identifier: Apache-2.0 */
/* What has left a mailbox, and what the admin wants done with all of it. */
#include "tests/support/seen_place.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

/* "a", and whatever begins with it. */
static bool
begins_with_a(void *arg, const struct seen_entry *e)
{
	unsigned *n = arg;

	(*n)++;
	return slice_starts(e->uid, SLICE("a"));
}

static void
fill_content(uint8_t *content, int which)
{
	memset(content, which, SEEN_CONTENT_SIZE);
}

static void
put_content(
    struct place *p, struct slice uid, enum seen_status status, int which)
{
	uint8_t content[SEEN_CONTENT_SIZE];
	struct seen_entry entry = {
		.mailbox = OFFICE,
		.uid = uid,
		.row = { .status = status, .injected_ms = 7, .size = 9 },
		.id = "id",
		.reason = "",
		.content = content,
	};

	fill_content(content, which);
	assert_true(seen_put(p->seen, &entry, &p->err));
}

static enum seen_status
recognise(struct place *p, struct slice uid, int which)
{
	struct seen_arrival arrival = {
		.mailbox = OFFICE, .uid = uid, .size = 11
	};
	struct seen_row row;

	fill_content(arrival.content, which);
	assert_true(seen_recognise(p->seen, &arrival, &row, &p->err));
	return row.status;
}

static void
buries_only_what_is_gone(void **state)
{
	struct place *p = *state;
	unsigned walked = 0;

	place_open(p);
	place_begin(p, OFFICE);
	assert_true(
	    seen_mailbox_claim(p->seen, "yaml:other", "h", "u", &p->err));
	assert_true(place_put(p, OFFICE, SLICE("b"), SEEN_INJECTED));
	assert_true(place_put(p, OFFICE, SLICE("ab"), SEEN_PARKED));
	assert_true(place_put(p, OFFICE, SLICE("c"), SEEN_RETRY));
	assert_true(place_put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	assert_true(place_put(p, "yaml:other", SLICE("b"), SEEN_RETRY));
	assert_true(
	    seen_walk(p->seen, OFFICE, begins_with_a, &walked, &p->err));
	place_commit(p);
	assert_int_equal(walked, 4);
	assert_int_equal(place_status(p, OFFICE, SLICE("a")), SEEN_INJECTED);
	assert_int_equal(place_status(p, OFFICE, SLICE("ab")), SEEN_PARKED);
	assert_int_equal(place_status(p, OFFICE, SLICE("b")), SEEN_NEW);
	assert_int_equal(place_status(p, OFFICE, SLICE("c")), SEEN_NEW);
	assert_int_equal(place_status(p, "yaml:other", SLICE("b")), SEEN_RETRY);
}

static void
the_buried_are_known_by_their_content_once(void **state)
{
	struct place *p = *state;
	struct seen_row row;

	place_open(p);
	place_begin(p, OFFICE);
	put_content(p, SLICE("a"), SEEN_INJECTED, 1);
	put_content(p, SLICE("b"), SEEN_INJECTED, 1);
	/* Still there: what else has its content is another message. */
	assert_int_equal(recognise(p, SLICE("new"), 1), SEEN_NEW);
	assert_true(seen_bury(p->seen, OFFICE, SLICE("a"), &p->err));
	assert_true(seen_bury(p->seen, OFFICE, SLICE("b"), &p->err));
	/* Its UID is worth nothing any more. */
	assert_int_equal(place_status(p, OFFICE, SLICE("a")), SEEN_NEW);
	assert_int_equal(recognise(p, SLICE("a"), 2), SEEN_NEW);
	/* One for each. */
	assert_int_equal(recognise(p, SLICE("x"), 1), SEEN_INJECTED);
	assert_int_equal(recognise(p, SLICE("y"), 1), SEEN_INJECTED);
	assert_int_equal(recognise(p, SLICE("z"), 1), SEEN_NEW);
	/* Asked again: it has its row by now. */
	assert_int_equal(recognise(p, SLICE("x"), 1), SEEN_INJECTED);
	place_commit(p);
	assert_true(seen_get(p->seen, OFFICE, SLICE("x"), &row, &p->err));
	assert_int_equal(row.injected_ms, 7);
	assert_int_equal(row.size, 11);
}

static void
only_the_settled_leave_a_tombstone(void **state)
{
	struct place *p = *state;
	static const enum seen_status kept[] = { SEEN_INJECTED, SEEN_PARKED,
		SEEN_DROPPED, SEEN_DISPOSED, SEEN_BASELINE, SEEN_DUPLICATE };

	place_open(p);
	place_begin(p, OFFICE);
	for (int status = SEEN_INJECTED; status < SEEN_STATUSES; status++) {
		put_content(p, SLICE("a"), (enum seen_status)status, status);
		assert_true(seen_bury(p->seen, OFFICE, SLICE("a"), &p->err));
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		assert_int_equal(
		    recognise(p, SLICE("b"), (int)kept[i]), kept[i]);
	assert_int_equal(recognise(p, SLICE("c"), SEEN_RETRY), SEEN_NEW);
	assert_int_equal(recognise(p, SLICE("c"), SEEN_OVERSIZE), SEEN_NEW);
	/* Of unknown content. */
	assert_true(place_put(p, OFFICE, SLICE("d"), SEEN_INJECTED));
	assert_true(seen_bury(p->seen, OFFICE, SLICE("d"), &p->err));
	place_commit(p);
}

static void
tombstones_take_the_place_of_another_message(void **state)
{
	struct place *p = *state;

	place_open(p);
	place_begin(p, OFFICE);
	put_content(p, SLICE("1"), SEEN_INJECTED, 1);
	assert_true(seen_bury(p->seen, OFFICE, SLICE("1"), &p->err));
	put_content(p, SLICE("1"), SEEN_INJECTED, 2);
	/* The server numbers anew: the first message has its old UID again. */
	assert_int_equal(recognise(p, SLICE("1"), 1), SEEN_INJECTED);
	assert_int_equal(recognise(p, SLICE("2"), 2), SEEN_INJECTED);
	place_commit(p);
}

static void
tombstones_are_listed_and_expire(void **state)
{
	struct place *p = *state;
	uint64_t *first;
	size_t n;

	place_open(p);
	place_begin(p, OFFICE);
	for (int i = 200; i > 0; i--) {
		put_content(p, SLICE("a"), SEEN_INJECTED, i);
		assert_true(seen_bury(p->seen, OFFICE, SLICE("a"), &p->err));
	}
	assert_true(seen_tombstones(p->seen, OFFICE, &first, &n, &p->err));
	assert_int_equal(n, 200);
	for (uint64_t i = 0; i < n; i++)
		assert_true(first[i] == (i + 1) * 0x0101010101010101);
	free(first);
	assert_true(
	    seen_expire(p->seen, OFFICE, clock_wall_ms() - 60 * 1000, &p->err));
	assert_int_equal(recognise(p, SLICE("b"), 7), SEEN_INJECTED);
	assert_true(seen_expire(p->seen, OFFICE, clock_wall_ms() + 1, &p->err));
	assert_int_equal(recognise(p, SLICE("c"), 8), SEEN_NEW);
	place_commit(p);
}

static void
what_is_flagged_is_left(void **state)
{
	struct place *p = *state;

	place_open(p);
	place_begin(p, OFFICE);
	assert_true(place_put(p, OFFICE, SLICE("a"), SEEN_INJECTED));
	assert_true(place_put(p, OFFICE, SLICE("b"), SEEN_BASELINE));
	assert_true(seen_leave(p->seen, OFFICE, SLICE("a"), &p->err));
	assert_true(seen_leave(p->seen, OFFICE, SLICE("b"), &p->err));
	place_commit(p);
	assert_int_equal(place_status(p, OFFICE, SLICE("a")), SEEN_DISPOSED);
	assert_int_equal(place_status(p, OFFICE, SLICE("b")), SEEN_BASELINE);
}

static enum seen_wish
wish_of(struct place *p, const char *mailbox)
{
	struct seen_mailbox m;

	m = place_mailbox(p, mailbox, "pop.isp.example", "box17");
	return m.wish;
}

static void
claim_and_do(struct place *p, const char *mailbox)
{
	assert_true(seen_mailbox_claim(
	    p->seen, mailbox, "pop.isp.example", "box17", &p->err));
	assert_true(seen_wish_done(p->seen, mailbox, &p->err));
}

static void
a_wish_is_done_once_by_each_folder(void **state)
{
	struct place *p = *state;

	place_open(p);
	place_begin(p, OFFICE);
	assert_int_equal(wish_of(p, OFFICE), WISH_NONE);
	assert_true(seen_wish(p->seen, OFFICE, WISH_BASELINE, &p->err));
	assert_int_equal(wish_of(p, OFFICE), WISH_BASELINE);
	assert_int_equal(wish_of(p, OFFICE "/INBOX"), WISH_BASELINE);
	assert_int_equal(wish_of(p, OFFICE "r"), WISH_NONE);
	claim_and_do(p, OFFICE "/INBOX");
	assert_int_equal(wish_of(p, OFFICE "/INBOX"), WISH_NONE);
	assert_int_equal(wish_of(p, OFFICE "/a/b"), WISH_BASELINE);
	/* Once more, for all of them. */
	assert_true(seen_wish(p->seen, OFFICE, WISH_ADOPT, &p->err));
	assert_int_equal(wish_of(p, OFFICE "/INBOX"), WISH_ADOPT);
	assert_int_equal(wish_of(p, OFFICE "/a/b"), WISH_ADOPT);
	claim_and_do(p, OFFICE "/a/b");
	assert_int_equal(wish_of(p, OFFICE "/INBOX"), WISH_ADOPT);
	/* Without folders it is over at once. */
	claim_and_do(p, OFFICE);
	assert_int_equal(wish_of(p, OFFICE), WISH_NONE);
	assert_int_equal(wish_of(p, OFFICE "/INBOX"), WISH_NONE);
	place_commit(p);
}

int
main(void)
{
#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(buries_only_what_is_gone),
		TEST(the_buried_are_known_by_their_content_once),
		TEST(only_the_settled_leave_a_tombstone),
		TEST(tombstones_take_the_place_of_another_message),
		TEST(tombstones_are_listed_and_expire),
		TEST(what_is_flagged_is_left),
		TEST(a_wish_is_done_once_by_each_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
