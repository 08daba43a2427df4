/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/ticket.h"

struct fixture {
	struct ticket_key key, other;
	struct address addresses[TICKET_CANDIDATES_MAX + 1];
	struct ticket ticket, got;
	struct buf field;
};

static struct address
parsed(const char *text)
{
	struct address a;

	assert_int_equal(address_parse(slice_of(text), &a), ADDRESS_OK);
	return a;
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint8_t bytes[TICKET_KEY_SIZE] = { 1, 2, 3 };

	ticket_key_init(&f->key, bytes);
	bytes[0] = 9;
	ticket_key_init(&f->other, bytes);
	f->addresses[0] = parsed("anna@example.org");
	f->addresses[1] = parsed("\"a, b;c=+\\\"\"@example.org");
	f->addresses[2] = parsed("j\xc3\xbcrgen@example.net");
	f->ticket = (struct ticket){ .account = "yaml:b\xc3\xbcro; x",
		.id = "0123456789abcdef",
		.fallback = parsed("office@example.org"),
		.tier = TIER_ENVELOPE,
		.candidates = f->addresses,
		.n_candidates = 3 };
	buf_init(&f->field, 64 * 1024);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	ticket_clear(&f->got);
	buf_clear(&f->field);
	free(f);
	return 0;
}

static struct slice
body_of(const struct fixture *f)
{
	struct slice body = buf_slice(&f->field);

	assert_true(slice_cut_prefix(&body, SLICE(TICKET_FIELD ":")));
	return body;
}

static enum ticket_verdict
read_back(struct fixture *f, struct slice body)
{
	ticket_clear(&f->got);
	return ticket_read(body, &f->key, 1, &f->got);
}

static void
assert_same(const struct ticket *a, const struct ticket *b)
{
	assert_string_equal(a->account, b->account);
	assert_string_equal(a->id, b->id);
	assert_true(address_equal(&a->fallback, &b->fallback));
	assert_int_equal(a->tier, b->tier);
	assert_int_equal(a->n_candidates, b->n_candidates);
	for (size_t i = 0; i < a->n_candidates; i++) {
		assert_string_equal(
		    a->candidates[i].local, b->candidates[i].local);
		assert_string_equal(
		    a->candidates[i].domain, b->candidates[i].domain);
	}
}

static void
ComesBackAsWritten(void **state)
{
	struct fixture *f = *state;

	assert_true(ticket_write(&f->ticket, &f->key, &f->field));
	assert_int_equal(read_back(f, body_of(f)), TICKET_VALID);
	assert_same(&f->got, &f->ticket);
}

static void
ComesBackWithoutCandidates(void **state)
{
	struct fixture *f = *state;

	f->ticket.n_candidates = 0;
	f->ticket.tier = TIER_SINGLE;
	assert_true(ticket_write(&f->ticket, &f->key, &f->field));
	assert_int_equal(read_back(f, body_of(f)), TICKET_VALID);
	assert_same(&f->got, &f->ticket);
}

static void
IsFoldedAndPrintable(void **state)
{
	struct fixture *f = *state;
	struct slice rest, line;

	for (size_t i = 0; i < 200; i++)
		f->addresses[i] = f->addresses[i % 3];
	f->ticket.n_candidates = 200;
	assert_true(ticket_write(&f->ticket, &f->key, &f->field));
	rest = buf_slice(&f->field);
	assert_int_equal(rest.data[rest.len - 1], '\n');
	for (size_t n = 0; slice_cut_line(&rest, &line); n++) {
		assert_in_range(line.len, 2, 78);
		assert_true(n == 0 || line.data[0] == '\t');
		assert_false(byte_is_space(line.data[line.len - 1]));
		for (size_t i = 1; i < line.len; i++)
			assert_true(line.data[i] == ' ' ||
				    byte_is_graphic(line.data[i]));
	}
}

static void
RefoldingDoesNotBreakTheMac(void **state)
{
	struct fixture *f = *state;
	struct slice body;
	struct buf folded;

	assert_true(ticket_write(&f->ticket, &f->key, &f->field));
	body = body_of(f);
	buf_init(&folded, 64 * 1024);
	for (size_t i = 0; i < body.len; i++) {
		if (byte_is_space(body.data[i]))
			continue;
		buf_add_string(&folded, "\r\n\t ");
		buf_add_byte(&folded, body.data[i]);
	}
	assert_int_equal(read_back(f, buf_slice(&folded)), TICKET_VALID);
	assert_same(&f->got, &f->ticket);
	buf_clear(&folded);
}

static void
AnyChangedByteIsForgeryOrAnotherKey(void **state)
{
	struct fixture *f = *state;
	struct slice body;
	uint8_t *bytes;

	assert_true(ticket_write(&f->ticket, &f->key, &f->field));
	body = body_of(f);
	bytes = f->field.data + (body.data - f->field.data);
	for (size_t i = 0; i < body.len; i++) {
		uint8_t was = bytes[i];

		if (byte_is_space(was))
			continue;
		bytes[i] ^= 1;
		assert_int_not_equal(read_back(f, body), TICKET_VALID);
		bytes[i] = was;
	}
	for (size_t len = 0; len < body.len - 1; len++)
		assert_int_not_equal(
		    read_back(f, slice_first(body, len)), TICKET_VALID);
	assert_int_equal(read_back(f, body), TICKET_VALID);
}

static void
TellsAnUnknownKeyFromAForgery(void **state)
{
	struct fixture *f = *state;
	struct ticket_key both[2] = { f->other, f->key };

	assert_true(ticket_write(&f->ticket, &f->key, &f->field));
	assert_int_equal(
	    ticket_read(body_of(f), &f->other, 1, &f->got), TICKET_UNKNOWN_KEY);
	assert_same(&f->got, &f->ticket);
	ticket_clear(&f->got);
	assert_int_equal(
	    ticket_read(body_of(f), NULL, 0, &f->got), TICKET_UNKNOWN_KEY);
	ticket_clear(&f->got);
	assert_int_equal(
	    ticket_read(body_of(f), both, 2, &f->got), TICKET_VALID);
	ticket_clear(&f->got);
	memcpy(both[0].id, f->key.id, sizeof(f->key.id));
	assert_int_equal(
	    ticket_read(body_of(f), both, 1, &f->got), TICKET_FORGED);
	assert_int_equal(read_back(f, SLICE("")), TICKET_FORGED);
	assert_int_equal(read_back(f, SLICE("hello")), TICKET_FORGED);
	assert_int_equal(read_back(f, SLICE("v=2; k=x; m=00")), TICKET_FORGED);
}

static void
set_candidates(struct fixture *f, size_t n, int digits)
{
	char text[64];

	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%0*zu@e.org", digits, i);
		f->addresses[i] = parsed(text);
	}
	f->ticket.n_candidates = n;
}

static void
ThousandCandidatesBarelyFit(void **state)
{
	struct fixture *f = *state;

	set_candidates(f, TICKET_CANDIDATES_MAX, 20);
	assert_true(ticket_write(&f->ticket, &f->key, &f->field));
	assert_int_equal(read_back(f, body_of(f)), TICKET_VALID);
	assert_same(&f->got, &f->ticket);
}

static void
OneCandidateMoreDoesNotFit(void **state)
{
	struct fixture *f = *state;

	set_candidates(f, TICKET_CANDIDATES_MAX + 1, 4);
	assert_false(ticket_write(&f->ticket, &f->key, &f->field));
	assert_int_equal(f->field.len, 0);
}

/* One candidate more at a time, up to the last that fits in 32 KiB. */
static void
TheLargestFieldBarelyFits(void **state)
{
	struct fixture *f = *state;
	size_t n = 900, largest = 0;

	set_candidates(f, TICKET_CANDIDATES_MAX, 25);
	for (f->ticket.n_candidates = n; n < TICKET_CANDIDATES_MAX; n++) {
		f->ticket.n_candidates = n;
		buf_reset(&f->field);
		if (!ticket_write(&f->ticket, &f->key, &f->field))
			break;
		largest = f->field.len;
		assert_int_equal(read_back(f, body_of(f)), TICKET_VALID);
		assert_int_equal(f->got.n_candidates, n);
		ticket_clear(&f->got);
	}
	assert_in_range(largest, TICKET_MAX - 50, TICKET_MAX);
	assert_in_range(n, 901, TICKET_CANDIDATES_MAX - 1);
}

static void
TooLargeAFieldDoesNotFit(void **state)
{
	struct fixture *f = *state;

	set_candidates(f, TICKET_CANDIDATES_MAX, 30);
	buf_add_string(&f->field, "before");
	assert_false(ticket_write(&f->ticket, &f->key, &f->field));
	assert_string_equal(buf_string(&f->field), "before");
}

static void
TiersHaveNames(void **state)
{
	enum tier tier;

	(void)state;
	for (int i = TIER_ENVELOPE; i <= TIER_SINGLE; i++) {
		assert_true(
		    tier_parse(slice_of(tier_name((enum tier)i)), &tier));
		assert_int_equal(tier, i);
	}
	assert_false(tier_parse(SLICE("Envelope"), &tier));
	assert_false(tier_parse(SLICE(""), &tier));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ComesBackAsWritten),
		TEST(ComesBackWithoutCandidates),
		TEST(IsFoldedAndPrintable),
		TEST(RefoldingDoesNotBreakTheMac),
		TEST(AnyChangedByteIsForgeryOrAnotherKey),
		TEST(TellsAnUnknownKeyFromAForgery),
		TEST(ThousandCandidatesBarelyFit),
		TEST(OneCandidateMoreDoesNotFit),
		TEST(TheLargestFieldBarelyFits),
		TEST(TooLargeAFieldDoesNotFit),
		cmocka_unit_test(TiersHaveNames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
