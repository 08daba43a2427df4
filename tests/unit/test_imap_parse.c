/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "fetcher/imap_parse.h"

#define S(s) slice_of(s)

static void
assert_slice(struct slice got, const char *wanted)
{
	assert_int_equal(got.len, strlen(wanted));
	if (got.len > 0)
		assert_memory_equal(got.data, wanted, got.len);
}

static void
tokens(void **state)
{
	static const struct {
		const char *in;
		enum imap_token_kind kind;
		const char *text, *rest;
	} good[] = {
		{ "  atom x", IMAP_ATOM, "atom", " x" },
		{ "\\Seen)", IMAP_ATOM, "\\Seen", ")" },
		{ "BODY[HEADER.FIELDS (TO CC)]<0> x", IMAP_ATOM,
		    "BODY[HEADER.FIELDS (TO CC)]<0>", " x" },
		{ "nil)", IMAP_NIL, "nil", ")" },
		{ "NILS", IMAP_ATOM, "NILS", "" },
		{ "\"\" x", IMAP_STRING, "", " x" },
		{ "\"a b\"x", IMAP_STRING, "a b", "x" },
		{ "\"a\\\"b\\\\\"x", IMAP_STRING, "a\\\"b\\\\", "x" },
		{ "{3}\r\na\r\nb", IMAP_STRING, "a\r\n", "b" },
		{ "~{3+}\r\nabc", IMAP_STRING, "abc", "" },
		{ "{0}\r\n)", IMAP_STRING, "", ")" },
		{ "((", IMAP_OPEN, "(", "(" },
		{ " )x", IMAP_CLOSE, ")", "x" },
	};
	static const char *const bad[] = { "", "  ", "\"a", "\"a\\\"", "\r\n",
		"\"a\nb\"" };
	struct imap_token token;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct slice in = S(good[i].in);

		assert_true(imap_cut_token(&in, &token));
		assert_int_equal(token.kind, good[i].kind);
		assert_slice(token.text, good[i].text);
		assert_slice(in, good[i].rest);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct slice in = S(bad[i]);

		assert_false(imap_cut_token(&in, &token));
		assert_slice(in, bad[i]);
	}
}

static void
a_literal_that_is_too_short_is_none(void **state)
{
	struct slice in = S("{4}\r\nabc");
	struct imap_token token;

	(void)state;
	assert_true(imap_cut_token(&in, &token));
	assert_int_equal(token.kind, IMAP_ATOM);
}

static void
values(void **state)
{
	static const struct {
		const char *in, *rest;
	} good[] = {
		{ "a b", " b" },
		{ "(a (b \"c)\" {1}\r\n)) NIL) d", " d" },
		{ "() x", " x" },
	};
	static const char *const bad[] = { "", "(", "(a", ")", "(a \"b)" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct slice in = S(good[i].in);

		if (!imap_skip_value(&in))
			fail_msg("%s", good[i].in);
		assert_slice(in, good[i].rest);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct slice in = S(bad[i]);

		if (imap_skip_value(&in))
			fail_msg("%s", bad[i]);
	}
}

static void
depth_is_capped(void **state)
{
	uint8_t lists[2 * IMAP_DEPTH_MAX + 2];

	(void)state;
	for (size_t depth = IMAP_DEPTH_MAX; depth <= IMAP_DEPTH_MAX + 1;
	     depth++) {
		struct slice in = { lists, 2 * depth };

		memset(lists, '(', depth);
		memset(lists + depth, ')', depth);
		assert_int_equal(imap_skip_value(&in), depth <= IMAP_DEPTH_MAX);
	}
}

static void
announced_literals(void **state)
{
	static const struct {
		const char *line;
		enum imap_announcement wanted;
		uint64_t size;
		const char *before;
	} cases[] = {
		{ "* X {5}", IMAP_LITERAL, 5, "* X " },
		{ "* X {5+}", IMAP_LITERAL, 5, "* X " },
		{ "* X ~{5}", IMAP_LITERAL, 5, "* X " },
		{ "{0}", IMAP_LITERAL, 0, "" },
		{ "{9223372036854775807}", IMAP_LITERAL, INT64_MAX, "" },
		{ "{9223372036854775808}", IMAP_BAD_LITERAL, 0, NULL },
		{ "{99999999999999999999999999}", IMAP_BAD_LITERAL, 0, NULL },
		{ "{}", IMAP_BAD_LITERAL, 0, NULL },
		{ "{-1}", IMAP_BAD_LITERAL, 0, NULL },
		{ "{ 1}", IMAP_BAD_LITERAL, 0, NULL },
		{ "{1 }", IMAP_BAD_LITERAL, 0, NULL },
		{ "{1++}", IMAP_BAD_LITERAL, 0, NULL },
		{ "{1}}", IMAP_BAD_LITERAL, 0, NULL },
		{ "{5} ", IMAP_NO_LITERAL, 0, NULL },
		{ "5}", IMAP_NO_LITERAL, 0, NULL },
		{ "\"{5}\"", IMAP_NO_LITERAL, 0, NULL },
		{ "", IMAP_NO_LITERAL, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice line = S(cases[i].line);
		uint64_t size = 0;

		if (imap_cut_literal(&line, &size) != cases[i].wanted)
			fail_msg("%s", cases[i].line);
		if (cases[i].wanted == IMAP_LITERAL) {
			assert_true(size == cases[i].size);
			assert_slice(line, cases[i].before);
		}
	}
}

static void
statuses(void **state)
{
	static const struct {
		const char *line;
		enum imap_condition condition;
		const char *code, *arguments, *words;
	} good[] = {
		{ "OK", IMAP_OK, "", "", "" },
		{ "ok done", IMAP_OK, "", "", "done" },
		{ "NO [ALERT] x", IMAP_NO, "ALERT", "", "[ALERT] x" },
		{ "OK [UIDVALIDITY 5] x", IMAP_OK, "UIDVALIDITY", "5",
		    "[UIDVALIDITY 5] x" },
		{ "BAD [unfinished", IMAP_BAD, "", "", "[unfinished" },
		{ "BYE []", IMAP_BYE, "", "", "[]" },
		{ "PREAUTH x", IMAP_PREAUTH, "", "", "x" },
	};
	static const char *const bad[] = { "", "OKAY", "5 EXISTS", "+OK" };
	struct imap_status status;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(imap_read_status(S(good[i].line), &status));
		assert_int_equal(status.condition, good[i].condition);
		assert_slice(status.code, good[i].code);
		assert_slice(status.arguments, good[i].arguments);
		assert_slice(status.words, good[i].words);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(imap_read_status(S(bad[i]), &status));
}

static void
fetches(void **state)
{
	static const struct {
		const char *text;
		bool valid;
		struct imap_fetch wanted;
	} cases[] = {
		{ "(UID 5 RFC822.SIZE 6)", true,
		    { .uid = 5, .sized = true, .size = 6 } },
		{ " ( rfc822.size 6  uid 5 ) ", true,
		    { .uid = 5, .sized = true, .size = 6 } },
		{ "()", true, { .uid = 0 } },
		{ "(UID 5 BODY[] NIL)", true,
		    { .uid = 5, .body = IMAP_EMPTY_BODY } },
		{ "(BODY[] \"\" UID 5)", true,
		    { .uid = 5, .body = IMAP_EMPTY_BODY } },
		{ "(UID 5 body[] {2}\r\nab)", true,
		    { .uid = 5, .body = IMAP_STRING_BODY } },
		{ "(UID 5 BODY[] ", true,
		    { .uid = 5, .body = IMAP_BODY_NEXT } },
		{ "(BODY[]", true, { .uid = 0, .body = IMAP_BODY_NEXT } },
		{ "(BODY[HEADER.FIELDS (TO)] {1}\r\nx UID 5)", true,
		    { .uid = 5 } },
		{ "(BODY[]<0> {1}\r\nx UID 5)", true, { .uid = 5 } },
		{ "(UID 5 BODY[] (a))", false, { .uid = 0 } },
		{ "(UID 5 BODY[] a)", false, { .uid = 0 } },
		{ "(UID 5 BODY[] NIL BODY[] ", false, { .uid = 0 } },
		{ "(UID 5 UID 6)", false, { .uid = 0 } },
		{ "(UID 0)", false, { .uid = 0 } },
		{ "(UID -5)", false, { .uid = 0 } },
		{ "(UID 5x)", false, { .uid = 0 } },
		{ "(UID \"5\")", false, { .uid = 0 } },
		{ "(UID)", false, { .uid = 0 } },
		{ "(UID 5", false, { .uid = 0 } },
		{ "(UID 5) x", false, { .uid = 0 } },
		{ "(UID 5))", false, { .uid = 0 } },
		{ "UID 5)", false, { .uid = 0 } },
		{ "((UID 5))", false, { .uid = 0 } },
		{ "", false, { .uid = 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct slice text = S(cases[i].text);
		struct imap_fetch got;

		if ((imap_open_fetch(&text, &got) &&
			imap_read_fetch(&text, &got)) != cases[i].valid)
			fail_msg("%s", cases[i].text);
		if (!cases[i].valid)
			continue;
		assert_int_equal(got.uid, cases[i].wanted.uid);
		assert_int_equal(got.sized, cases[i].wanted.sized);
		assert_int_equal(got.size, cases[i].wanted.size);
		assert_int_equal(got.body, cases[i].wanted.body);
	}
}

static void
escapes_are_undone(void **state)
{
	struct slice in = S("\"a\\\"b\\\\c\"");
	struct imap_token token;
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_true(imap_cut_token(&in, &token));
	imap_add_text(&out, token);
	assert_string_equal(buf_string(&out), "a\"b\\c");
	buf_reset(&out);
	in = S("{3}\r\na\\b");
	assert_true(imap_cut_token(&in, &token));
	imap_add_text(&out, token);
	assert_string_equal(buf_string(&out), "a\\b");
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens),
		cmocka_unit_test(a_literal_that_is_too_short_is_none),
		cmocka_unit_test(values),
		cmocka_unit_test(depth_is_capped),
		cmocka_unit_test(announced_literals),
		cmocka_unit_test(statuses),
		cmocka_unit_test(fetches),
		cmocka_unit_test(escapes_are_undone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
