/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/body_feed.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fetcher/pop3.h"

static bool
body_of(void *m, struct slice in, size_t *used, uint8_t *out, size_t *out_len)
{
	return pop3_body_feed(m, in, used, out, out_len);
}

static bool
feed(struct slice in, size_t piece, struct buf *out, size_t *used)
{
	struct pop3_body body;

	pop3_body_init(&body);
	return body_feed(
	    &(struct body_feed){ body_of, &body, piece }, in, out, used);
}

/* What the wire brings, what the message is, what follows it unread;
 * `wanted` NULL: the message does not end. */
static const struct {
	const char *name, *wire, *wanted, *rest;
} cases[] = {
	{ "empty message", ".\r\n", "", "" },
	{ "one line", "a\r\n.\r\n", "a\n", "" },
	{ "last line needs its end", "a.\r\n", NULL, "" },
	{ "the next reply is left", ".\r\n+OK\r\n", "", "+OK\r\n" },
	{ "dot taken off", "..\r\n...a\r\n.\r\n", ".\n..a\n", "" },
	{ "dot inside a line", "a..b\r\n.\r\n", "a..b\n", "" },
	{ "lone dot without stuffing", ".a\r\n.\r\n", "a\n", "" },
	{ "bare LF stays and ends nothing", "a\n.\nb\r\n.\r\n", "a\n.\nb\n",
	    "" },
	{ "LF dot CRLF ends nothing", "a\n.\r\nb\r\n.\r\n", "a\n.\nb\n", "" },
	{ "bare CR stays and ends nothing", "a\r.\rb\r\n.\r\n", "a\r.\rb\n",
	    "" },
	{ "CR dot CRLF ends nothing", "a\r.\r\nb\r\n.\r\n", "a\r.\nb\n", "" },
	{ "CRLF dot LF ends nothing", "a\r\n.\nb\r\n.\r\n", "a\n\nb\n", "" },
	{ "CRLF dot CR ends nothing", "a\r\n.\rb\r\n.\r\n", "a\n\rb\n", "" },
	{ "CRLF dot CR CR LF ends nothing", "a\r\n.\r\r\nb\r\n.\r\n",
	    "a\n\r\nb\n", "" },
	{ "CR CR LF", "a\r\r\n.\r\n", "a\r\n", "" },
	{ "empty lines", "\r\n\r\n.\r\n", "\n\n", "" },
	{ "a dot and no end", "a\r\n.\r", NULL, "" },
};

static void
each_case_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice wire = slice_of(cases[i].wire);

		for (size_t piece = 1; piece <= wire.len; piece++) {
			struct buf out;
			size_t used;
			bool done = feed(wire, piece, &out, &used);

			print_message(
			    "%s in pieces of %zu\n", cases[i].name, piece);
			assert_int_equal(done, cases[i].wanted != NULL);
			if (done) {
				assert_string_equal(
				    buf_string(&out), cases[i].wanted);
				assert_string_equal(
				    cases[i].wire + used, cases[i].rest);
			}
			buf_clear(&out);
		}
	}
}

static void
nul_bytes_pass(void **state)
{
	struct buf out;
	size_t used;

	(void)state;
	assert_true(feed(SLICE("\0.\0\r\n\0\r\n.\r\n"), 3, &out, &used));
	assert_int_equal(out.len, 6);
	assert_memory_equal(out.data, "\0.\0\n\0\n", 6);
	buf_clear(&out);
}

static void
one_seed(const char *path)
{
	struct buf seed, whole, pieces;
	struct error err;
	size_t used, used_pieces;
	bool done;

	buf_init(&seed, BODY_FEED_MAX);
	assert_true(file_read(path, &seed, &err));
	if (seed.len > 0) {
		done = feed(buf_slice(&seed), seed.len, &whole, &used);
		for (size_t piece = 1; piece < 20; piece++) {
			assert_int_equal(done, feed(buf_slice(&seed), piece,
						   &pieces, &used_pieces));
			assert_int_equal(used, used_pieces);
			assert_int_equal(whole.len, pieces.len);
			assert_string_equal(
			    buf_string(&whole), buf_string(&pieces));
			buf_clear(&pieces);
		}
		buf_clear(&whole);
	}
	buf_clear(&seed);
}

static void
all_seeds_are_the_same_in_any_pieces(void **state)
{
	glob_t found;

	(void)state;
	assert_int_equal(
	    glob("tests/fuzz/corpus/pop3_body/*", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++)
		one_seed(found.gl_pathv[i]);
	globfree(&found);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_in_any_pieces),
		cmocka_unit_test(nul_bytes_pass),
		cmocka_unit_test(all_seeds_are_the_same_in_any_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
