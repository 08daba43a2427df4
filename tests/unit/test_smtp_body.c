/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fetcher/smtp.h"

#include <string.h>

static const struct {
	struct slice in, out;
} cases[] = {
	{ SLICE(""), SLICE(".\r\n") },
	{ SLICE("a\n"), SLICE("a\r\n.\r\n") },
	{ SLICE("a"), SLICE("a\r\n.\r\n") },
	{ SLICE("\n\n"), SLICE("\r\n\r\n.\r\n") },
	{ SLICE(".\n"), SLICE("..\r\n.\r\n") },
	{ SLICE("."), SLICE("..\r\n.\r\n") },
	{ SLICE("a\n.\nb\n..c\n"), SLICE("a\r\n..\r\nb\r\n...c\r\n.\r\n") },
	{ SLICE("a.\n"), SLICE("a.\r\n.\r\n") },
	/* As sendmail(1) does: CR LF is a line end too. */
	{ SLICE("a\r\n.\r\nb\r\n"), SLICE("a\r\n..\r\nb\r\n.\r\n") },
	{ SLICE("a\r"), SLICE("a\r\n.\r\n") },
	{ SLICE("a\r.\r\rb\n"), SLICE("a\r.\r\rb\r\n.\r\n") },
	{ SLICE("\r\n"), SLICE("\r\n.\r\n") },
	{ SLICE("a\0b\n\xff\n"), SLICE("a\0b\r\n\xff\r\n.\r\n") },
};

/* In pieces of `size` bytes. */
static void
check(size_t which, size_t size)
{
	struct slice in = cases[which].in;
	struct smtp_body body;
	struct buf out;

	buf_init(&out, 1024);
	smtp_body_init(&body);
	while (in.len > 0) {
		struct slice piece = slice_first(in, size);
		size_t before = out.len;

		smtp_body_feed(&body, piece, &out);
		assert_true(out.len - before <= 2 * piece.len);
		in = slice_from(in, piece.len);
	}
	smtp_body_end(&body, &out);
	if (!slice_equal(buf_slice(&out), cases[which].out))
		fail_msg("case %zu in pieces of %zu", which, size);
	buf_clear(&out);
}

static void
lines_are_ended_and_dots_doubled(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t size = 1; size < 12; size++)
			check(i, size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_ended_and_dots_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
