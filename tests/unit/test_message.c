/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fetcher/message.h"

/* The whole text through the filter in pieces of `step` bytes. */
static void
expect_filtered(const char *in, const char *out, size_t step)
{
	struct message_filter filter;
	struct slice rest = slice_of(in);
	struct buf got;

	buf_init(&got, 4096);
	message_filter_init(&filter);
	while (rest.len > 0) {
		message_filter_feed(&filter, slice_first(rest, step), &got);
		rest = slice_from(rest, step);
	}
	message_filter_end(&filter, &got);
	assert_string_equal(buf_string(&got), out);
	buf_clear(&got);
}

static void
expect(const char *in, const char *out)
{
	for (size_t step = 1; step < 80; step++)
		expect_filtered(in, out, step);
}

static void
ordinary_mail_passes_untouched(void **state)
{
	static const char mail[] = "From: a@example.org\nSubject: x\n y\n\n"
				   "Delivered-To: in the body\nX-Mailhaul: y\n";

	(void)state;
	expect(mail, mail);
	expect("", "");
	expect("\nbody", "\nbody");
	expect("no line end", "no line end");
}

static void
delivered_to_is_renamed_in_any_case_and_with_blanks(void **state)
{
	(void)state;
	expect("Delivered-To: a@b\nDELIVERED-TO : c@d\n e\nX: y\n\nz",
	    "X-Mailhaul-Delivered-To: a@b\nX-Mailhaul-DELIVERED-TO : c@d\n "
	    "e\nX: y\n\nz");
	expect("Delivered-Total: 3\n\n", "Delivered-Total: 3\n\n");
}

static void
foreign_fields_of_ours_are_dropped_with_their_folded_lines(void **state)
{
	(void)state;
	expect("A: b\nX-Mailhaul-Ticket: v=1;\n\tk=2\n m\nC: d\n\ne",
	    "A: b\nC: d\n\ne");
	expect("x-mailhaulish: 1\nx-mailhaul-origin: ip=y\nD: e\n", "D: e\n");
	expect("X-Mailhaul-Ticket: no end", "");
}

static void
the_trace_of_another_is_renamed_and_older_ones_stay(void **state)
{
	(void)state;
	expect("X-Mailhaul: account=a;\n\tat=b\nX-MAILHAUL-before: c\n d\n\n",
	    "X-Mailhaul-Before: account=a;\n\tat=b\nX-MAILHAUL-before: c\n "
	    "d\n\n");
	expect("x-mailhaul : y\n", "X-Mailhaul-Before : y\n");
	expect("X-Mailhaul: no end", "X-Mailhaul-Before: no end");
	expect("X-Mailhaul", "X-Mailhaul-Before");
}

static void
a_leading_mbox_line_is_dropped_only_at_the_top(void **state)
{
	(void)state;
	expect("From x@y Sat Nov 21\nA: b\n\n", "A: b\n\n");
	expect(">From x@y Sat Nov 21 22:00:00 2026 and a long remainder that "
	       "exceeds what is held of a line\nA: b\n\n",
	    "A: b\n\n");
	expect("A: b\nFrom x@y\n\n", "A: b\nFrom x@y\n\n");
}

static void
a_line_of_blanks_does_not_end_the_header(void **state)
{
	(void)state;
	expect("A: b\n \nX-Mailhaul-Ticket: c\n\nX-Mailhaul: d",
	    "A: b\n \n\nX-Mailhaul: d");
}

static void
the_header_ends_behind_the_first_empty_line(void **state)
{
	(void)state;
	assert_int_equal(message_header_end(SLICE("A: b\n\nc\n\n")), 6);
	assert_int_equal(message_header_end(SLICE("\nc")), 1);
	assert_int_equal(message_header_end(SLICE("A: b\nC: d\n")), 0);
	assert_int_equal(message_header_end(SLICE("A: b")), 0);
	assert_int_equal(message_header_end(SLICE("")), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_mail_passes_untouched),
		cmocka_unit_test(
		    delivered_to_is_renamed_in_any_case_and_with_blanks),
		cmocka_unit_test(
		    the_trace_of_another_is_renamed_and_older_ones_stay),
		cmocka_unit_test(
		    foreign_fields_of_ours_are_dropped_with_their_folded_lines),
		cmocka_unit_test(
		    a_leading_mbox_line_is_dropped_only_at_the_top),
		cmocka_unit_test(a_line_of_blanks_does_not_end_the_header),
		cmocka_unit_test(the_header_ends_behind_the_first_empty_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
