/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "fetcher/incoming.h"
#include "mail/header.h"

static char state_dir[64];
static char spool_dir[80];
static struct accepted_domain domains[] = { { .name = "example.org" } };
static const char *const no_names[] = { NULL };
static const char *const guess_names[] = { "To", "Cc", "Bcc", NULL };
static struct account account = {
	.name = "office",
	.fallback = { "office", "example.org" },
	.recipients = { .tiers = { TIER_ENVELOPE, TIER_RECEIVED, TIER_HEADERS },
	    .n_tiers = 3,
	    .occurrence = 1,
	    .strip_prefix = "",
	    .trusted_hosts = no_names,
	    .headers = guess_names },
};
static struct config config = { .postmaster = { "postmaster", "example.org" },
	.domains = domains,
	.n_domains = 1,
	.recipient_delimiter = "",
	.state_dir = state_dir,
	.accounts = &account,
	.n_accounts = 1 };
static struct ticket_key key;
static const struct incoming_settings settings = { .config = &config,
	.account = &account,
	.key = &key,
	.hopcount_limit = 50 };

static int
set_up(void **state)
{
	static const uint8_t bytes[TICKET_KEY_SIZE] = "0123456789abcdef";

	(void)state;
	snprintf(state_dir, sizeof(state_dir), "/tmp/mailhaul-test-XXXXXX");
	if (mkdtemp(state_dir) == NULL)
		return -1;
	snprintf(spool_dir, sizeof(spool_dir), "%s/spool", state_dir);
	ticket_key_init(&key, bytes);
	return mkdir(spool_dir, 0700);
}

static int
tear_down(void **state)
{
	(void)state;
	/* Also tells when a test left a file in the spool. */
	return rmdir(spool_dir) | rmdir(state_dir);
}

static void
feed(struct incoming *in, struct slice text, size_t step)
{
	struct error err;

	while (text.len > 0) {
		assert_true(incoming_feed(in, slice_first(text, step), &err));
		text = slice_from(text, step);
	}
	assert_true(incoming_finish(in, &err));
}

static void
read_spool(const struct delivery_message *message, struct buf *out)
{
	struct error err;

	buf_init(out, 8 * 1024 * 1024);
	assert_true(file_read(message->spool_path, out, &err));
	assert_int_equal(out->len, message->spool_size);
}

static void
ticket_and_trace_stand_on_top_of_the_changed_mail(void **state)
{
	struct incoming *in = incoming_new(&settings);
	struct delivery_message message = { .size = 0 };
	char reason[INTAKE_REASON_SIZE];
	struct header_field field;
	struct ticket ticket;
	struct buf file;
	size_t at;

	(void)state;
	feed(in,
	    SLICE("Return-Path: <a@outside.example>\n"
		  "Delivered-To: anna@example.org\nTo: x@example.org\n\nhi\n"),
	    5);
	incoming_describe(in, &message);
	assert_false(incoming_must_park(in, false, reason));
	assert_int_equal(message.tier, TIER_ENVELOPE);
	assert_int_equal(message.n_candidates, 1);
	assert_string_equal(message.sender.domain, "outside.example");
	read_spool(&message, &file);
	assert_true(header_find(buf_slice(&file), TICKET_FIELD, &field));
	assert_ptr_equal(field.whole.data, file.data);
	assert_int_equal(
	    ticket_read(field.body, &key, 1, &ticket), TICKET_VALID);
	assert_string_equal(ticket.account, "yaml:office");
	assert_string_equal(ticket.id, message.id);
	assert_string_equal(ticket.candidates[0].local, "anna");
	ticket_clear(&ticket);
	at = slice_search_nocase(buf_slice(&file),
	    SLICE("\nX-Mailhaul: account=office; at=example.org; id="));
	assert_true(at < file.len);
	assert_true(slice_ends_nocase(buf_slice(&file),
	    SLICE("; source=envelope\nReturn-Path: <a@outside.example>\n"
		  "X-Mailhaul-Delivered-To: anna@example.org\n"
		  "To: x@example.org\n\nhi\n")));
	buf_clear(&file);
	incoming_free(in);
}

static void
a_header_beyond_what_is_held_is_streamed_and_changed_too(void **state)
{
	struct incoming *in = incoming_new(&settings);
	struct delivery_message message = { .size = 0 };
	struct buf mail, file;

	(void)state;
	buf_init(&mail, 4 * 1024 * 1024);
	buf_add(&mail, SLICE("To: anna@example.org\n"));
	while (mail.len < HEADER_HELD_MAX + 100000)
		buf_add(&mail, SLICE("Delivered-To: anna@example.org\n"));
	buf_add(&mail, SLICE("X-Mailhaul-Ticket: forged\n\nbody"));
	feed(in, buf_slice(&mail), 16 * 1024);
	incoming_describe(in, &message);
	read_spool(&message, &file);
	assert_int_equal(
	    slice_search_nocase(buf_slice(&file), SLICE("\nDelivered-To")),
	    file.len);
	assert_int_equal(
	    slice_search_nocase(buf_slice(&file), SLICE("forged")), file.len);
	assert_true(slice_ends_nocase(buf_slice(&file), SLICE("\n\nbody")));
	buf_clear(&mail);
	buf_clear(&file);
	incoming_free(in);
}

static void
loops_are_parked_and_not_spooled(void **state)
{
	struct incoming *in = incoming_new(&settings);
	struct delivery_message message = { .size = 0 };
	char reason[INTAKE_REASON_SIZE];
	struct buf mail;

	(void)state;
	buf_init(&mail, 64 * 1024);
	for (int i = 0; i < 44; i++)
		buf_add(&mail, SLICE("Received: by x; date\n"));
	buf_add(&mail, SLICE("To: anna@example.org\n\nbody"));
	feed(in, buf_slice(&mail), 100);
	assert_false(incoming_must_park(in, false, reason));
	incoming_free(in);

	in = incoming_new(&settings);
	feed(in, SLICE("Received: by x; date\n"), 100);
	incoming_free(in);
	in = incoming_new(&settings);
	buf_reset(&mail);
	for (int i = 0; i < 45; i++)
		buf_add(&mail, SLICE("Received: by x; date\n"));
	buf_add(&mail, SLICE("\nbody"));
	feed(in, buf_slice(&mail), 100);
	incoming_describe(in, &message);
	assert_null(message.spool_path);
	assert_true(incoming_must_park(in, false, reason));
	assert_non_null(strstr(reason, "45 Received"));
	/* Whatever the administrator said: Postfix would bounce it. */
	assert_true(incoming_must_park(in, true, reason));
	incoming_free(in);

	buf_clear(&mail);
}

static void
what_came_back_is_parked_unless_it_is_released(void **state)
{
	static const char mail[] =
	    "X-Mailhaul: account=office; at=example.org; id=1\n\nbody";
	struct delivery_message message = { .size = 0 };
	struct incoming *in = incoming_new(&settings);
	char reason[INTAKE_REASON_SIZE];
	struct buf file;

	(void)state;
	feed(in, slice_of(mail), 100);
	assert_true(incoming_must_park(in, false, reason));
	assert_non_null(strstr(reason, "mail loop"));
	assert_false(incoming_must_park(in, true, reason));
	incoming_describe(in, &message);
	read_spool(&message, &file);
	assert_true(slice_ends_nocase(buf_slice(&file),
	    SLICE("\nX-Mailhaul-Before: account=office; at=example.org; "
		  "id=1\n\nbody")));
	buf_clear(&file);
	incoming_free(in);
}

/* Is it in the spool that it must not be answered? */
static bool
is_not_to_be_answered(const char *mail)
{
	struct incoming *in = incoming_new(&settings);
	struct delivery_message message = { .size = 0 };
	struct header_field field;
	struct buf file;
	bool found;

	feed(in, slice_of(mail), 100);
	incoming_describe(in, &message);
	read_spool(&message, &file);
	found =
	    header_find(buf_slice(&file), "X-Auto-Response-Suppress", &field);
	if (found)
		assert_true(slice_equal(slice_trim(field.body), SLICE("All")));
	buf_clear(&file);
	incoming_free(in);
	return found;
}

static void
a_guess_is_not_to_be_answered(void **state)
{
	(void)state;
	assert_false(is_not_to_be_answered(
	    "X-Envelope-To: anna@example.org\nTo: anna@example.org\n\n"));
	assert_true(is_not_to_be_answered("To: anna@example.org\n\n"));
	assert_true(is_not_to_be_answered("Subject: for nobody\n\n"));
}

static void
what_outgrows_the_limit_is_dropped_whatever_follows(void **state)
{
	struct incoming_settings limited = settings;
	struct delivery_message message = { .size = 0 };
	struct incoming *in = incoming_new(&settings);
	uint64_t size;
	struct error err;

	(void)state;
	feed(in, SLICE("To: x@example.org\n\nbody\n"), 100);
	incoming_describe(in, &message);
	size = message.spool_size;
	incoming_free(in);

	limited.size_limit = size;
	in = incoming_new(&limited);
	feed(in, SLICE("To: x@example.org\n\nbody\n"), 100);
	assert_false(incoming_is_too_large(in));
	incoming_free(in);

	limited.size_limit = size - 1;
	in = incoming_new(&limited);
	assert_true(
	    incoming_feed(in, SLICE("To: x@example.org\n\nbody\n"), &err));
	/* Gone at once: a server that never ends fills no disk. */
	assert_int_equal(rmdir(spool_dir), 0);
	assert_int_equal(mkdir(spool_dir, 0700), 0);
	feed(in, SLICE("more and more\n"), 1);
	assert_true(incoming_is_too_large(in));
	incoming_describe(in, &message);
	assert_null(message.spool_path);
	assert_int_equal(message.spool_size, size);
	incoming_free(in);
}

static void
the_sender_follows_the_accounts_policy(void **state)
{
	static const struct {
		enum sender_policy policy;
		const char *domain;
	} rows[] = {
		{ SENDER_ORIGINAL, "outside.example" },
		{ SENDER_POSTMASTER, "example.org" },
		{ SENDER_NULL, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct delivery_message message = { .size = 0 };
		struct incoming *in;

		account.sender = rows[i].policy;
		in = incoming_new(&settings);
		feed(in, SLICE("Return-Path: <a@outside.example>\n\n"), 100);
		incoming_describe(in, &message);
		assert_string_equal(message.sender.domain, rows[i].domain);
		incoming_free(in);
	}
	account.sender = SENDER_ORIGINAL;
}

static void
nothing_is_left_of_a_message_that_breaks_off(void **state)
{
	struct incoming *in = incoming_new(&settings);
	struct error err;

	(void)state;
	assert_true(
	    incoming_feed(in, SLICE("To: anna@example.org\n\nx"), &err));
	incoming_free(in);
	in = incoming_new(&settings);
	incoming_free(in);
	incoming_free(NULL);
}

static void
an_empty_message_is_a_message(void **state)
{
	struct incoming *in = incoming_new(&settings);
	struct delivery_message message = { .size = 0 };

	(void)state;
	feed(in, SLICE(""), 1);
	incoming_describe(in, &message);
	assert_int_equal(message.tier, TIER_FALLBACK);
	assert_true(message.spool_size > 0);
	incoming_free(in);
}

static void
fingerprint_of(struct slice text, size_t step, uint8_t out[static DIGEST_SIZE])
{
	struct incoming *in = incoming_new(&settings);
	struct delivery_message message = { .size = 0 };

	feed(in, text, step);
	incoming_describe(in, &message);
	memset(out, 0, DIGEST_SIZE);
	if (message.fingerprint != NULL)
		memcpy(out, message.fingerprint, DIGEST_SIZE);
	incoming_free(in);
}

static void
the_fingerprint_covers_the_body_whatever_the_pieces(void **state)
{
#define GUESSED "Message-ID: <1@x>\nDate: x\nTo: anna@example.org\n"
	static const uint8_t none[DIGEST_SIZE];
	uint8_t whole[DIGEST_SIZE], other[DIGEST_SIZE];

	(void)state;
	account.dedupe.on = true;
	fingerprint_of(SLICE(GUESSED "\nbody\nend\n"), 1000, whole);
	assert_memory_not_equal(whole, none, DIGEST_SIZE);
	for (size_t step = 1; step < 70; step += 7) {
		fingerprint_of(
		    SLICE("X-New: 1\n" GUESSED "\nbody\nend\n"), step, other);
		assert_memory_equal(whole, other, DIGEST_SIZE);
	}
	fingerprint_of(SLICE(GUESSED "\nBody\nend\n"), 1000, other);
	assert_memory_not_equal(whole, other, DIGEST_SIZE);
	fingerprint_of(SLICE(GUESSED "\nbody\nEnd\n"), 7, other);
	assert_memory_not_equal(whole, other, DIGEST_SIZE);
	fingerprint_of(
	    SLICE("Delivered-To: anna@example.org\n" GUESSED "\n"), 9, other);
	assert_memory_equal(other, none, DIGEST_SIZE);
	account.dedupe.on = false;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    ticket_and_trace_stand_on_top_of_the_changed_mail),
		cmocka_unit_test(
		    a_header_beyond_what_is_held_is_streamed_and_changed_too),
		cmocka_unit_test(loops_are_parked_and_not_spooled),
		cmocka_unit_test(
		    what_came_back_is_parked_unless_it_is_released),
		cmocka_unit_test(a_guess_is_not_to_be_answered),
		cmocka_unit_test(
		    what_outgrows_the_limit_is_dropped_whatever_follows),
		cmocka_unit_test(the_sender_follows_the_accounts_policy),
		cmocka_unit_test(nothing_is_left_of_a_message_that_breaks_off),
		cmocka_unit_test(an_empty_message_is_a_message),
		cmocka_unit_test(
		    the_fingerprint_covers_the_body_whatever_the_pieces),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
