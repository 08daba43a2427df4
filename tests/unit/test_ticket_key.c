/* SPDX-License-Identifier: Apache-2.0 */
#include "state/ticket_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

struct place {
	char dir[64], present[96], previous[112];
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	*state = p;
	snprintf(p->dir, sizeof(p->dir), "/tmp/test_ticket_key.XXXXXX");
	if (mkdtemp(p->dir) == NULL)
		return -1;
	snprintf(p->present, sizeof(p->present), "%s/ticket.key", p->dir);
	snprintf(p->previous, sizeof(p->previous), "%s.old", p->present);
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	unlink(p->present);
	unlink(p->previous);
	rmdir(p->dir);
	free(p);
	return 0;
}

static void
write_key(const char *path, const char *text, mode_t mode)
{
	struct error err;

	assert_true(file_replace(path, slice_of(text), mode, &err));
}

static void
makes_one_and_reads_it_again(void **state)
{
	struct place *p = *state;
	struct ticket_keys first, again;
	struct error err;
	struct stat st;

	assert_true(ticket_keys_load(p->dir, &first, &err));
	assert_int_equal(first.n, 1);
	assert_int_equal(stat(p->present, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(st.st_size, TICKET_KEY_SIZE);
	assert_true(ticket_keys_load(p->dir, &again, &err));
	assert_memory_equal(
	    first.key[0].bytes, again.key[0].bytes, TICKET_KEY_SIZE);
	assert_string_equal(first.key[0].id, again.key[0].id);
}

static void
the_previous_one_stays_valid(void **state)
{
	struct place *p = *state;
	struct ticket_keys keys;
	struct error err;

	write_key(p->present, "new-key-0123456789-0123456789-12", 0640);
	write_key(p->previous, "old-key-0123456789-0123456789-12", 0640);
	assert_true(ticket_keys_load(p->dir, &keys, &err));
	assert_int_equal(keys.n, 2);
	assert_memory_equal(keys.key[0].bytes, "new", 3);
	assert_memory_equal(keys.key[1].bytes, "old", 3);
}

static void
refuses_wrong_size(void **state)
{
	struct place *p = *state;
	struct ticket_keys keys;
	struct error err;

	write_key(p->present, "short", 0640);
	assert_false(ticket_keys_load(p->dir, &keys, &err));
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_non_null(strstr(err.text, "5 bytes instead of 32"));
}

static void
refuses_what_others_may_read(void **state)
{
	struct place *p = *state;
	struct ticket_keys keys;
	struct error err;

	write_key(p->present, "new-key-0123456789-0123456789-12", 0644);
	assert_false(ticket_keys_load(p->dir, &keys, &err));
	assert_int_equal(err.kind, ERROR_CONFIG);
}

static void
a_bad_previous_one_is_told(void **state)
{
	struct place *p = *state;
	struct ticket_keys keys;
	struct error err;

	write_key(p->previous, "x", 0640);
	assert_false(ticket_keys_load(p->dir, &keys, &err));
	assert_non_null(strstr(err.text, "ticket.key.old"));
}

static void
no_folder(void **state)
{
	struct ticket_keys keys;
	struct error err;

	(void)state;
	assert_false(ticket_keys_load("/nonexistent/x", &keys, &err));
	assert_int_equal(err.kind, ERROR_LOCAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(makes_one_and_reads_it_again),
		TEST(the_previous_one_stays_valid),
		TEST(refuses_wrong_size),
		TEST(refuses_what_others_may_read),
		TEST(a_bad_previous_one_is_told),
		TEST(no_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
