/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "mail/address.h"

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X64 X32 X32

/* `text` is what address_write() gives back. */
struct parse_case {
	const char *in;
	enum address_fault fault;
	const char *text;
};

typedef enum address_fault parser(struct slice, struct address *);

static void
check_cases(const struct parse_case *cases, size_t n, parser *parse)
{
	for (size_t i = 0; i < n; i++) {
		char text[ADDRESS_TEXT_SIZE];
		struct address a;
		enum address_fault fault = parse(slice_of(cases[i].in), &a);

		if (fault != cases[i].fault)
			fail_msg(
			    "%s: %s", cases[i].in, address_fault_text(fault));
		if (fault == ADDRESS_OK)
			assert_string_equal(
			    address_write(&a, text), cases[i].text);
	}
}

#define CHECK(cases, parse)                                                    \
	check_cases(cases, sizeof(cases) / sizeof(*(cases)), parse)

static void
TakesWhatTheStandardsAllow(void **state)
{
	static const struct parse_case cases[] = {
		{ "anna@example.org", ADDRESS_OK, "anna@example.org" },
		{ " <Anna@EXAMPLE.org.> ", ADDRESS_OK, "Anna@example.org" },
		{ "Anna Muster <anna@example.org>", ADDRESS_OK,
		    "anna@example.org" },
		{ "\"Muster, Anna <x@y.org>\" <anna@example.org>", ADDRESS_OK,
		    "anna@example.org" },
		{ "anna@example.org (Muster (A.), x@y.org)", ADDRESS_OK,
		    "anna@example.org" },
		{ "anna (a) @ (b) example . (c\\)) org", ADDRESS_OK,
		    "anna@example.org" },
		{ "<@a.org,@b.org:c@d.org>", ADDRESS_OK, "c@d.org" },
		{ "@a.org:c@d.org", ADDRESS_OK, "c@d.org" },
		{ "rfc822;c@d.org", ADDRESS_OK, "c@d.org" },
		{ "RFC822; c@d.org", ADDRESS_OK, "c@d.org" },
		{ "\"anna muster\"@d.org", ADDRESS_OK,
		    "\"anna muster\"@d.org" },
		{ "\"anna\\ \\\"m\"@d.org", ADDRESS_OK,
		    "\"anna \\\"m\"@d.org" },
		{ "\"anna\".\"m\"@d.org", ADDRESS_OK, "anna.m@d.org" },
		{ "\"anna\"@d.org", ADDRESS_OK, "anna@d.org" },
		{ "a+b{c}'=?utf-8?q?x?=@d.org", ADDRESS_OK,
		    "a+b{c}'=?utf-8?q?x?=@d.org" },
		{ "=?utf-8?q?a=40b.org?= <c@d.org>", ADDRESS_OK, "c@d.org" },
		{ "j\xc3\xbcrgen@m\xc3\xbcller.de", ADDRESS_OK,
		    "j\xc3\xbcrgen@xn--mller-kva.de" },
		{ "Jürgen M. \xfc\xe4 <c@d.org>", ADDRESS_OK, "c@d.org" },
		{ X64 X64 "@d.org", ADDRESS_OK, X64 X64 "@d.org" },
	};

	(void)state;
	CHECK(cases, address_parse);
}

static void
TakesBrokenSpellingsThatCanMeanOneAddressOnly(void **state)
{
	static const struct parse_case cases[] = {
		{ "Anna <anna@d.org", ADDRESS_OK, "anna@d.org" },
		{ "<<anna@d.org>>", ADDRESS_OK, "anna@d.org" },
		{ "'anna@d.org'", ADDRESS_OK, "anna@d.org" },
		{ "<'anna@d.org'>", ADDRESS_OK, "anna@d.org" },
		{ "anna@d.org;", ADDRESS_OK, "anna@d.org" },
		{ "anna@d.org,", ADDRESS_OK, "anna@d.org" },
		{ "mailto:anna@d.org", ADDRESS_OK, "anna@d.org" },
		{ "<mailto:anna@d.org>", ADDRESS_OK, "anna@d.org" },
		{ "x@y.org <anna@d.org>", ADDRESS_OK, "anna@d.org" },
		{ "Dr. A. [x] <anna@d.org> trailing", ADDRESS_OK,
		    "anna@d.org" },
		{ "anna..m.@d.org", ADDRESS_OK, "\"anna..m.\"@d.org" },
	};

	(void)state;
	CHECK(cases, address_parse);
}

static void
RefusesWhatNamesNobodyOrPerhapsSomebodyElse(void **state)
{
	static const struct parse_case cases[] = {
		{ "", ADDRESS_EMPTY, "" },
		{ " \r\n ", ADDRESS_EMPTY, "" },
		{ "<>", ADDRESS_EMPTY, "" },
		{ "undisclosed-recipients:;", ADDRESS_EMPTY, "" },
		{ "Anna Muster", ADDRESS_EMPTY, "" },
		{ "<anna>", ADDRESS_SYNTAX, "" },
		{ "@d.org", ADDRESS_SYNTAX, "" },
		{ "anna@", ADDRESS_SYNTAX, "" },
		{ "\"\"@d.org", ADDRESS_SYNTAX, "" },
		{ "a@b.org, c@d.org", ADDRESS_SYNTAX, "" },
		{ "a@b.org c@d.org", ADDRESS_SYNTAX, "" },
		{ "<a@b.org> <c@d.org>", ADDRESS_SYNTAX, "" },
		{ "<a@b.org> c@d.org", ADDRESS_SYNTAX, "" },
		{ "<a@b.org c@d.org>", ADDRESS_SYNTAX, "" },
		{ "Anna a@b.org", ADDRESS_SYNTAX, "" },
		{ "a@b.org Anna", ADDRESS_SYNTAX, "" },
		{ "a@b.org>", ADDRESS_SYNTAX, "" },
		{ "a@b.org:c@d.org", ADDRESS_SYNTAX, "" },
		{ "<user:a@b.org>", ADDRESS_SYNTAX, "" },
		{ "<@a.org c@d.org>", ADDRESS_SYNTAX, "" },
		{ "a\\@b@d.org", ADDRESS_SYNTAX, "" },
		{ "a\"b\"@d.org", ADDRESS_SYNTAX, "" },
		{ "a@\"d.org\"", ADDRESS_SYNTAX, "" },
		{ "\"anna@d.org", ADDRESS_SYNTAX, "" },
		{ "anna@d.org (oh", ADDRESS_SYNTAX, "" },
		{ "anna@d.org oh)", ADDRESS_SYNTAX, "" },
		{ "a@[192.0.2.1]", ADDRESS_SYNTAX, "" },
		{ "a@192.0.2.1", ADDRESS_SYNTAX, "" },
		{ "a\x01@d.org", ADDRESS_SYNTAX, "" },
		{ "\"a\nb\"@d.org", ADDRESS_SYNTAX, "" },
		{ "\"a\\\r\\\nRCPT\"@d.org", ADDRESS_SYNTAX, "" },
		{ "\"a\tb\"@d.org", ADDRESS_SYNTAX, "" },
		{ "\xc2\x85@d.org", ADDRESS_SYNTAX, "" },
		{ "\xc0\xa2@d.org", ADDRESS_SYNTAX, "" },
		{ "\xed\xa0\x80@d.org", ADDRESS_SYNTAX, "" },
		{ "j\xfcrgen@d.org", ADDRESS_SYNTAX, "" },
		{ "a@b@d.org", ADDRESS_UNSAFE, "" },
		{ "\"a@b\"@d.org", ADDRESS_UNSAFE, "" },
		{ "a%b.org@d.org", ADDRESS_UNSAFE, "" },
		{ "b.org!a@d.org", ADDRESS_UNSAFE, "" },
		{ "-oQ/tmp@d.org", ADDRESS_UNSAFE, "" },
		{ "\"-oQ/tmp\"@d.org", ADDRESS_UNSAFE, "" },
		{ X64 X64 "x@d.org", ADDRESS_TOO_LONG, "" },
		{ X64 X64 "@" X32 "." X32 "." X32 "." X32, ADDRESS_TOO_LONG,
		    "" },
	};
	struct address a;

	(void)state;
	CHECK(cases, address_parse);
	assert_int_equal(
	    address_parse(SLICE("Anna\0 <a@d.org>"), &a), ADDRESS_SYNTAX);
	assert_int_equal(
	    address_parse(SLICE("a@d.org\0.evil.org"), &a), ADDRESS_SYNTAX);
}

static void
SendersMayBeNullAndMayHoldPercentAndBang(void **state)
{
	static const struct parse_case cases[] = {
		{ "<>", ADDRESS_OK, "" },
		{ "", ADDRESS_OK, "" },
		{ "<a%b!c@d.org>", ADDRESS_OK, "a%b!c@d.org" },
		{ "<foo>", ADDRESS_SYNTAX, "" },
		{ "foo", ADDRESS_EMPTY, "" },
		{ "<-f@d.org>", ADDRESS_UNSAFE, "" },
		{ "<\"a@b\"@d.org>", ADDRESS_UNSAFE, "" },
	};

	(void)state;
	CHECK(cases, address_parse_sender);
}

/* The entries as address or fault number, "|" between them. */
static void
check_list(const char *field, const char *expected)
{
	struct address_list list;
	struct address_entry e;
	char found[2048] = "";
	size_t len = 0;

	address_list_init(&list, slice_of(field));
	while (address_list_next(&list, &e)) {
		char text[ADDRESS_TEXT_SIZE] = "?";

		if (e.fault == ADDRESS_OK)
			address_write(&e.address, text);
		len += (size_t)snprintf(found + len, sizeof(found) - len,
		    "%s%s", len == 0 ? "" : "|", text);
	}
	assert_string_equal(found, expected);
}

static void
ListsGiveEachEntry(void **state)
{
	(void)state;
	check_list("", "");
	check_list(",;, ,", "");
	check_list("undisclosed-recipients:;", "");
	check_list("a@x.org, b@x.org", "a@x.org|b@x.org");
	check_list("a@x.org; B <b@x.org>;", "a@x.org|b@x.org");
	check_list(
	    "team: a@x.org,\r\n\tb@x.org;, c@x.org", "a@x.org|b@x.org|c@x.org");
	check_list("a: b@x.org;; c:;; d: e@x.org", "b@x.org|e@x.org");
	check_list(
	    "\"Last, First\" <a@x.org>, b@x.org (me, too)", "a@x.org|b@x.org");
	check_list("<@r.org,@s.org:a@x.org>, b@x.org", "a@x.org|b@x.org");
	check_list("< @r.org , @s.org:a@x.org>; b@x.org", "a@x.org|b@x.org");
	check_list("rfc822;a@x.org, b@x.org", "a@x.org|b@x.org");
}

static void
AFaultHidesNoOtherEntry(void **state)
{
	(void)state;
	check_list("a@x.org, Muster, Anna <b@x.org>", "a@x.org|?|b@x.org");
	check_list("\"Muster, A <a@x.org>, b@x.org", "?|a@x.org|b@x.org");
	check_list("(Muster, a@x.org (A), b@x.org", "?|a@x.org|b@x.org");
	check_list("<a@x.org, b@x.org", "a@x.org|b@x.org");
	check_list("<@r.org, b@x.org", "?|b@x.org");
	check_list("a@@x.org, b@x.org", "?|b@x.org");
	check_list("a@x.org>, b@x.org", "?|b@x.org");
	check_list("a@[1.2.3.4], b%c@x.org, d@x.org", "?|?|d@x.org");
}

static void
EqualityIsBlindToCase(void **state)
{
	struct address a, b;

	(void)state;
	address_parse(SLICE("Anna@Example.org"), &a);
	address_parse(SLICE("\"aNNA\"@example.ORG."), &b);
	assert_true(address_equal(&a, &b));
	address_parse(SLICE("anne@example.org"), &b);
	assert_false(address_equal(&a, &b));
	address_parse(SLICE("anna@example.com"), &b);
	assert_false(address_equal(&a, &b));
}

static void
MakeChecksAsTheParserDoes(void **state)
{
	struct address a;
	char text[ADDRESS_TEXT_SIZE];

	(void)state;
	assert_int_equal(
	    address_make(SLICE("a b"), SLICE("D.org"), &a), ADDRESS_OK);
	assert_string_equal(address_write(&a, text), "\"a b\"@d.org");
	assert_int_equal(
	    address_make(SLICE("a@b"), SLICE("d.org"), &a), ADDRESS_UNSAFE);
	assert_int_equal(
	    address_make(SLICE("a\n"), SLICE("d.org"), &a), ADDRESS_SYNTAX);
	assert_int_equal(
	    address_make(SLICE(""), SLICE("d.org"), &a), ADDRESS_SYNTAX);
	assert_int_equal(
	    address_make(SLICE("a"), SLICE(""), &a), ADDRESS_SYNTAX);
}

/* Quadratic work on any of these would take seconds to minutes. */
static void
TimeIsLinearInTheField(void **state)
{
	static const char *const units[] = { "(", ")", ";", ",", "\"", "\\",
		"\"\\", "\\\"", "(,", "\",", "<", "< ", "<@", "@", "@,", "<@,",
		":", "a:", "a ", "a.", "(a)", "\"a\"", " ", "\r\n ", "rfc822;",
		"(\"", "a@b,", "'", "<@a,@b:", "\xc3\xbc", "\xff", ">",
		"(\\)" };
	enum { FIELD_SIZE = 64 * 1024 };
	uint8_t *field = mem_new(FIELD_SIZE);

	(void)state;
	for (size_t u = 0; u < sizeof(units) / sizeof(*units); u++) {
		clock_t start = clock();
		size_t len = strlen(units[u]);
		struct address_list list;
		struct address_entry e;
		struct address a;

		for (size_t i = 0; i < FIELD_SIZE; i++)
			field[i] = (uint8_t)units[u][i % len];
		address_list_init(&list, (struct slice){ field, FIELD_SIZE });
		while (address_list_next(&list, &e))
			;
		address_parse((struct slice){ field, FIELD_SIZE }, &a);
		if (clock() - start > CLOCKS_PER_SEC / 2)
			fail_msg("\"%s\" repeated", units[u]);
	}
	free(field);
}

/* As address_equal(), whatever the case, and an order. */
static void
ComparesAndKeysAddressesBlindToCase(void **state)
{
	static const char *const ascending[] = { "a@b.example", "A.b@a.example",
		"ab@a.example", "AB@b.example", "\"ab c\"@a.example",
		"b@a.example" };
	char key[ADDRESS_TEXT_SIZE], other[ADDRESS_TEXT_SIZE];
	enum { N = sizeof(ascending) / sizeof(ascending[0]) };
	struct address all[N], upper;

	(void)state;
	for (int i = 0; i < N; i++)
		assert_int_equal(
		    address_parse(slice_of(ascending[i]), &all[i]), ADDRESS_OK);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			int order = address_compare(&all[i], &all[j]);

			assert_int_equal(
			    (order > 0) - (order < 0), (i > j) - (i < j));
			assert_int_equal(
			    order == 0, address_equal(&all[i], &all[j]));
		}
	address_parse(SLICE("A.B@A.Example"), &upper);
	assert_int_equal(address_compare(&upper, &all[1]), 0);
	assert_string_equal(
	    address_key(&upper, key), address_key(&all[1], other));
	assert_string_equal(key, "a.b@a.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ComparesAndKeysAddressesBlindToCase),
		cmocka_unit_test(TakesWhatTheStandardsAllow),
		cmocka_unit_test(TakesBrokenSpellingsThatCanMeanOneAddressOnly),
		cmocka_unit_test(RefusesWhatNamesNobodyOrPerhapsSomebodyElse),
		cmocka_unit_test(SendersMayBeNullAndMayHoldPercentAndBang),
		cmocka_unit_test(ListsGiveEachEntry),
		cmocka_unit_test(AFaultHidesNoOtherEntry),
		cmocka_unit_test(EqualityIsBlindToCase),
		cmocka_unit_test(MakeChecksAsTheParserDoes),
		cmocka_unit_test(TimeIsLinearInTheField),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
