/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fetcher/listing.h"

#include <stdlib.h>
#include <string.h>

static void
keeps_numbers_sizes_and_uids(void **state)
{
	struct listing l = { .room = 0 };
	struct error err;
	struct slice uid;

	(void)state;
	for (uint32_t n = 1; n <= 1000; n++)
		assert_true(listing_add(&l, n, SLICE("uid"), &err));
	assert_true(listing_add(&l, 1002, SLICE("the last"), &err));
	assert_false(listing_add(&l, 1002, SLICE("again"), &err));
	assert_int_equal(err.kind, ERROR_PROTOCOL);
	assert_string_equal(
	    err.text, "message 1002 is listed twice or out of order");
	assert_false(listing_add(&l, 7, SLICE("out of order"), &err));
	assert_true(listing_size(&l, 1002, 77));
	assert_true(listing_size(&l, 1, 11));
	assert_false(listing_size(&l, 1001, 1));
	assert_false(listing_size(&l, 2000, 1));
	assert_int_equal(l.found.n, 1001);
	assert_int_equal(l.found.entries[0].size, 11);
	assert_int_equal(l.found.entries[1000].size, 77);
	uid = listing_uid(&l, &l.found.entries[1000]);
	assert_true(slice_equal(uid, SLICE("the last")));
	assert_ptr_equal(listing_find(&l, 1002), &l.found.entries[1000]);
	assert_null(listing_find(&l, 1001));
	listing_clear(&l);
}

static void
names_an_entry_later(void **state)
{
	struct listing l = { .room = 0 };
	struct error err;

	(void)state;
	assert_true(listing_add(&l, 1, SLICE(""), &err));
	assert_true(listing_add(&l, 2, SLICE("b"), &err));
	assert_int_equal(l.found.entries[0].uid_len, 0);
	listing_name(&l, &l.found.entries[0], SLICE("sha256:00"));
	assert_true(slice_equal(
	    listing_uid(&l, &l.found.entries[0]), SLICE("sha256:00")));
	assert_true(
	    slice_equal(listing_uid(&l, &l.found.entries[1]), SLICE("b")));
	listing_clear(&l);
}

/* As a hostile server may send them: a million of 255 bytes. */
static void
uids_have_a_limit_in_all(void **state)
{
	uint8_t uid[SEEN_UID_MAX];
	struct listing l = { .room = 0 };
	struct error err;
	uint32_t n = 1;

	(void)state;
	memset(uid, 'u', sizeof(uid));
	while (listing_add(&l, n, (struct slice){ uid, sizeof(uid) }, &err))
		n++;
	assert_int_equal(n - 1, LISTING_UIDS_MAX / SEEN_UID_MAX);
	assert_int_equal(err.kind, ERROR_PROTOCOL);
	assert_string_equal(
	    err.text, "the UIDs of its 263172 messages take more than 64 MiB");
	listing_clear(&l);
}

static void
may_know_what_begins_like_a_tombstone(void **state)
{
	uint8_t content[SEEN_CONTENT_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct listing l = { .room = 0 };

	(void)state;
	assert_false(listing_may_know(&l, content));
	l.found.n_tombstones = 3;
	l.found.tombstones = calloc(3, sizeof(uint64_t));
	assert_non_null(l.found.tombstones);
	l.found.tombstones[1] = 0x0102030405060708;
	l.found.tombstones[2] = UINT64_MAX;
	assert_true(listing_may_know(&l, content));
	content[7] = 9;
	assert_false(listing_may_know(&l, content));
	listing_clear(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_numbers_sizes_and_uids),
		cmocka_unit_test(names_an_entry_later),
		cmocka_unit_test(uids_have_a_limit_in_all),
		cmocka_unit_test(may_know_what_begins_like_a_tombstone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
