/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/scratch.h"

#include "base/clock.h"
#include "state/seen_import.h"
#include "state/seen_mailbox.h"
#include "state/seen_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

static const char *const lines[] = {
	"office\tUID-1\tinjected\t2026-11-22T02:50:07Z\t" HEX "\n",
	"office\t%00%20%25%FF\tbaseline\t1970-01-01T00:00:01Z\n",
	("office/Gr\xc3\xbc\xc3\x9f"
	 "e %25/a%09b\t7.1\tparked\t2024-02-29T23:59:59Z\n"),
	"a.b_c@d+e-f\tx\tdisposed\t2038-01-19T03:14:08Z\n",
};

static void
what_is_written_is_read(void **state)
{
	struct seen_line line;
	struct error err;
	struct buf out;

	(void)state;
	buf_init(&out, SEEN_LINE_MAX);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct slice text = slice_of(lines[i]);

		text.len--;
		if (!seen_text_read(text, &line, &err))
			fail_msg("%s%s", lines[i], err.text);
		buf_reset(&out);
		seen_text_write(&line.entry, &out);
		assert_string_equal(buf_string(&out), lines[i]);
	}
	buf_clear(&out);
}

static void
knows_what_the_fields_mean(void **state)
{
	struct seen_line line;
	struct error err;

	(void)state;
	assert_true(seen_text_read(
	    slice_first(slice_of(lines[0]), strlen(lines[0]) - 1), &line,
	    &err));
	assert_false(line.empty);
	assert_string_equal(line.entry.mailbox, "yaml:office");
	assert_true(slice_equal(line.entry.uid, SLICE("UID-1")));
	assert_int_equal(line.entry.row.status, SEEN_INJECTED);
	assert_true(line.entry.row.injected_ms == 1795315807000);
	assert_int_equal(line.entry.content[31], 0x20);
	assert_true(seen_text_read(
	    slice_first(slice_of(lines[1]), strlen(lines[1]) - 1), &line,
	    &err));
	assert_int_equal(line.entry.uid.len, 4);
	assert_memory_equal(line.entry.uid.data, "\0 %\xff", 4);
	assert_true(line.entry.row.injected_ms == 0);
	assert_true(line.entry.since_ms == 1000);
	assert_null(line.entry.content);
	assert_true(seen_text_read(SLICE("# x\ty"), &line, &err));
	assert_true(line.empty);
	assert_true(seen_text_read(SLICE(""), &line, &err));
	assert_true(line.empty);
}

/* `keep: 7d` must not delete at once what was injected nobody knows when. */
static void
an_unknown_time_is_now(void **state)
{
	int64_t before = clock_wall_ms();
	struct seen_line line;
	struct error err;

	(void)state;
	assert_true(
	    seen_text_read(SLICE("office\tx\tinjected\t-"), &line, &err));
	assert_true(line.entry.row.injected_ms >= before);
}

static void
says_what_is_wrong(void **state)
{
	static const struct {
		const char *line, *text;
	} cases[] = {
		{ "office", "1 fields, separated by tabs" },
		{ "office\tx\tinjected", "3 fields" },
		{ "office\tx\tinjected\t-\t" HEX "\tmore",
		    "more than 5 fields" },
		{ "\tx\tinjected\t-", "field 1: expected an account" },
		{ "/INBOX\tx\tinjected\t-", "field 1: expected an account" },
		{ "a b\tx\tinjected\t-", "field 1: expected an account" },
		{ "a/%00\tx\tinjected\t-", "field 1: expected an account" },
		{ "office\t\tinjected\t-", "field 2: expected a UID" },
		{ "office\ta b\tinjected\t-", "field 2: expected a UID" },
		{ "office\t%4\tinjected\t-", "field 2: expected a UID" },
		{ "office\t%xx\tinjected\t-", "field 2: expected a UID" },
		{ "office\tx\tnew\t-", "field 3: expected a status" },
		{ "office\tx\tInjected\t-", "field 3: expected a status" },
		{ "office\tx\tinjected\t", "field 4: expected a time" },
		{ "office\tx\tinjected\t2026-13-01T00:00:00Z",
		    "field 4: expected a time" },
		{ "office\tx\tinjected\t2026-12-01T00:00:00",
		    "field 4: expected a time" },
		{ "office\tx\tinjected\t2026-12-01 00:00:00Z",
		    "field 4: expected a time" },
		{ "office\tx\tinjected\t-\t", "field 5: expected 64" },
		{ "office\tx\tinjected\t-\t00", "field 5: expected 64" },
	};
	struct seen_line line;
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (seen_text_read(slice_of(cases[i].line), &line, &err))
			fail_msg("\"%s\" was read", cases[i].line);
		assert_int_equal(err.kind, ERROR_CONFIG);
		if (strstr(err.text, cases[i].text) == NULL)
			fail_msg("\"%s\": %s", cases[i].line, err.text);
	}
}

static void
uids_of_255_bytes_at_most(void **state)
{
	char text[3 * 256 + 32];
	struct seen_line line;
	struct error err;
	size_t len = 7;

	(void)state;
	for (int more = 0; more < 2; more++) {
		len = (size_t)snprintf(text, sizeof(text), "office\t");
		for (int i = 0; i < SEEN_UID_MAX + more; i++)
			len += (size_t)snprintf(
			    text + len, sizeof(text) - len, "%%FF");
		snprintf(text + len, sizeof(text) - len, "\tparked\t-");
		assert_int_equal(
		    seen_text_read(slice_of(text), &line, &err), more == 0);
	}
}

struct place {
	char folder[SCRATCH_SIZE], file[96];
	struct seen *seen;
	struct error err;
	unsigned bad;
	uint64_t bad_line;
};

static int
set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	scratch_make(p->folder);
	snprintf(p->file, sizeof(p->file), "%s/import.x", p->folder);
	p->seen = seen_open(p->folder, &p->err);
	assert_non_null(p->seen);
	*state = p;
	return 0;
}

static int
tear_down(void **state)
{
	struct place *p = *state;

	seen_close(p->seen);
	scratch_remove(p->folder);
	free(p);
	return 0;
}

/* All of it; the number of groups. */
static int
import(struct place *p, struct seen_import *import)
{
	int groups = 0;
	bool ok = true;

	*import = (struct seen_import){ .path = p->file };
	while (ok && !import->done) {
		assert_true(seen_begin(p->seen, &p->err));
		ok = seen_import_some(p->seen, import, &p->err);
		if (ok)
			assert_true(seen_commit(p->seen, &p->err));
		else
			seen_rollback(p->seen);
		groups++;
	}
	return ok ? groups : -groups;
}

static void
imports_in_groups_and_overwrites_nothing(void **state)
{
	enum { N = 2 * SEEN_IMPORT_LINES + 5 };
	struct place *p = *state;
	FILE *file = fopen(p->file, "we");
	struct seen_mailbox m = { "yaml:office", "h", "u", .known = false };
	struct seen_import done;
	struct seen_row row;

	assert_non_null(file);
	for (int i = 0; i < N; i++)
		fprintf(file, "office\t%d\tinjected\t-\n", i);
	fclose(file);
	assert_true(seen_begin(p->seen, &p->err));
	assert_true(seen_mailbox_expect(p->seen, "yaml:office", &p->err));
	assert_true(seen_put(p->seen,
	    &(struct seen_entry){ .mailbox = "yaml:office",
		.uid = SLICE("7"),
		.row = { .status = SEEN_PARKED },
		.id = "",
		.reason = "" },
	    &p->err));
	assert_true(seen_commit(p->seen, &p->err));
	assert_int_equal(import(p, &done), 3);
	assert_int_equal(done.added, N - 1);
	assert_int_equal(done.known, 1);
	assert_true(
	    seen_get(p->seen, "yaml:office", SLICE("7"), &row, &p->err));
	assert_int_equal(row.status, SEEN_PARKED);
	assert_true(
	    seen_get(p->seen, "yaml:office", SLICE("20004"), &row, &p->err));
	assert_int_equal(row.status, SEEN_INJECTED);
	assert_true(seen_mailbox_find(p->seen, &m, &p->err));
	assert_true(m.known && !m.foreign);
	assert_int_equal(import(p, &done), 3);
	assert_int_equal(done.added, 0);
	assert_int_equal(done.known, N);
}

static void
on_bad(void *arg, uint64_t line, const struct error *err)
{
	struct place *p = arg;

	p->bad++;
	p->bad_line = line;
	p->err = *err;
}

static void
names_the_line(void **state)
{
	struct place *p = *state;
	FILE *file = fopen(p->file, "w+e");
	struct seen_import done;

	assert_non_null(file);
	fputs("# one\n\noffice\tx\tinjected\t-\n", file);
	rewind(file);
	assert_true(seen_import_check(file, on_bad, p));
	fseek(file, 0, SEEK_END);
	for (int i = 0; i < SEEN_LINE_MAX + 10; i++)
		fputc('x', file);
	fputs("\noffice\ty\tinjected\t-\noffice\tz\tinjected", file);
	rewind(file);
	assert_false(seen_import_check(file, on_bad, p));
	assert_int_equal(p->bad, 2);
	assert_int_equal(p->bad_line, 6);
	assert_int_equal(import(p, &done), -1);
	assert_non_null(strstr(p->err.text, "line 4: more than 8190 bytes"));
	fclose(file);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(knows_what_the_fields_mean),
		cmocka_unit_test(an_unknown_time_is_now),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(uids_of_255_bytes_at_most),
		TEST(imports_in_groups_and_overwrites_nothing),
		TEST(names_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
