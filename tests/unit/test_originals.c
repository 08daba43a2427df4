/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "fetcher/originals.h"
#include "state/seen_mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFICE "yaml:office"
#define HOUR_MS (60 * 60 * 1000)

/* An answer may make it ask for another. */
enum { ROUNDS = 4 };

/* One who has a copy. */
struct owner {
	struct place *place;
	struct claim claim;
	uint8_t fingerprint[SEEN_FINGERPRINT_SIZE];
	unsigned answers;
	bool failed;
	char answer[SEEN_ID_SIZE];
};

struct place {
	char folder[SCRATCH_SIZE];
	struct loop *loop;
	struct storage *storage;
	struct originals *originals;
	int rounds; /* of questions to the storage thread that are left */
	char nothing[SEEN_ID_SIZE];
	struct owner owners[4];
};

/* The storage thread does one thing after the other: whatever was asked before
 * has its answer. */
static void
on_answer(void *arg, bool ok, const struct error *err)
{
	static const uint8_t fingerprint[SEEN_FINGERPRINT_SIZE] = { 0xff };
	struct place *p = arg;

	(void)err;
	assert_true(ok);
	if (p->rounds-- == 0)
		loop_stop(p->loop);
	else
		storage_find_original(p->storage,
		    &(struct storage_original){
			"group:nobody", fingerprint, HOUR_MS },
		    p->nothing, on_answer, p);
}

static int
set_up(void **state)
{
	struct place *p = mem_new(sizeof(*p));
	struct error err;

	scratch_make(p->folder);
	p->loop = loop_new();
	p->storage = storage_start(p->loop, p->folder, &err);
	assert_non_null(p->storage);
	p->originals = originals_new(p->storage);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	originals_free(p->originals);
	storage_stop(p->storage);
	loop_free(p->loop);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

static void
on_claimed(void *arg, const char *original_id, const struct error *err)
{
	struct owner *o = arg;

	o->answers++;
	o->failed = err != NULL;
	snprintf(o->answer, sizeof(o->answer), "%s", original_id);
}

static void
settle(struct place *p)
{
	p->rounds = ROUNDS;
	on_answer(p, true, NULL);
	loop_run(p->loop);
}

static struct owner *
claim(struct place *p, size_t which, uint8_t fingerprint, const char *group)
{
	struct owner *o = &p->owners[which];

	*o = (struct owner){ .place = p };
	memset(o->fingerprint, fingerprint, sizeof(o->fingerprint));
	o->claim = (struct claim){
		.original = { group, o->fingerprint, HOUR_MS },
		.done = on_claimed,
		.arg = o,
	};
	originals_claim(p->originals, &o->claim);
	return o;
}

static void
on_stored(void *arg, bool ok, const struct error *err)
{
	(void)arg;
	(void)err;
	assert_true(ok);
}

static void
claim_mailbox(struct place *p)
{
	static struct storage_listing listing = {
		.mailbox = OFFICE, .host = "h", .user = "u"
	};

	storage_compare(p->storage, &listing, on_stored, p);
	settle(p);
	free(listing.tombstones);
	listing.tombstones = NULL;
}

static void
record(struct place *p, struct owner *o, enum seen_status status)
{
	storage_record(p->storage,
	    &(struct storage_fate){ .mailbox = OFFICE,
		.uid = SLICE("u"),
		.row = { .status = status, .injected_ms = clock_wall_ms() },
		.id = "first",
		.reason = "",
		.original = o->claim.original },
	    on_stored, p);
}

static void
one_at_a_time_and_the_next_is_a_copy(void **state)
{
	struct place *p = *state;
	struct owner *first, *second, *third, *other;

	claim_mailbox(p);
	first = claim(p, 0, 1, OFFICE);
	second = claim(p, 1, 1, OFFICE);
	third = claim(p, 2, 1, OFFICE);
	other = claim(p, 3, 2, OFFICE);
	settle(p);
	assert_int_equal(first->answers, 1);
	assert_string_equal(first->answer, "");
	assert_int_equal(other->answers, 1);
	assert_int_equal(second->answers + third->answers, 0);
	record(p, first, SEEN_INJECTED);
	originals_release(&first->claim);
	settle(p);
	assert_int_equal(second->answers, 1);
	assert_string_equal(second->answer, "first");
	assert_int_equal(third->answers, 1);
	assert_string_equal(third->answer, "first");
	originals_release(&other->claim);
	originals_release(&second->claim);
}

static void
when_the_first_comes_to_nothing_the_next_is_delivered(void **state)
{
	struct place *p = *state;
	struct owner *first, *second, *third;

	claim_mailbox(p);
	first = claim(p, 0, 1, OFFICE);
	second = claim(p, 1, 1, OFFICE);
	third = claim(p, 2, 1, OFFICE);
	settle(p);
	record(p, first, SEEN_RETRY);
	originals_release(&first->claim);
	settle(p);
	assert_int_equal(second->answers, 1);
	assert_string_equal(second->answer, "");
	assert_int_equal(third->answers, 0);
	originals_release(&second->claim);
	settle(p);
	assert_int_equal(third->answers, 1);
	assert_string_equal(third->answer, "");
	originals_release(&third->claim);
}

static void
groups_are_apart(void **state)
{
	struct place *p = *state;
	struct owner *first = claim(p, 0, 1, OFFICE);
	struct owner *second = claim(p, 1, 1, "group:staff");

	settle(p);
	assert_int_equal(first->answers, 1);
	assert_int_equal(second->answers, 1);
	originals_release(&first->claim);
	originals_release(&second->claim);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(one_at_a_time_and_the_next_is_a_copy),
		TEST(when_the_first_comes_to_nothing_the_next_is_delivered),
		TEST(groups_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
