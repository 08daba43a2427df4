/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/body_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetcher/imap.h"

static const struct account account = {
	.host = "mail.example.com", .user = "joe", .protocol = PROTOCOL_IMAPS
};
static const struct protocol_login login = { .account = &account };

static struct error err;

static struct protocol_action
say(void *m, const char *line)
{
	return imap_protocol.line(m, slice_of(line), &err);
}

/* A machine to which message 4, of `size` bytes, is coming. */
static void *
expecting(size_t size)
{
	void *m = mem_new(imap_protocol.size);
	struct protocol_action action;
	char line[64];

	imap_protocol.init(m, &login);
	say(m, "* PREAUTH [CAPABILITY IMAP4rev1] hi");
	imap_protocol.open(m, "INBOX", &err);
	say(m, "* 1 EXISTS");
	say(m, "* OK [UIDVALIDITY 5] ok");
	say(m, "A1 OK ok");
	say(m, "* 1 FETCH (UID 4 RFC822.SIZE 9)");
	say(m, "A2 OK ok");
	imap_protocol.retrieve(m, 4, &err);
	snprintf(line, sizeof(line), "* 1 FETCH (UID 4 BODY[] {%zu}", size);
	action = say(m, line);
	assert_int_equal(action.todo, DO_BODY);
	assert_int_equal(action.number, 4);
	assert_int_equal(action.size, size);
	return m;
}

/* What the wire brings, what the message is. */
static const struct {
	const char *name, *wire, *wanted;
} cases[] = {
	{ "one line", "a\r\n", "a\n" },
	{ "last line without its end", "a: b\r\n\r\nc", "a: b\n\nc" },
	{ "a lone dot is nothing special", "a\r\n.\r\n..\r\n", "a\n.\n..\n" },
	{ "bare LF stays", "a\nb\n", "a\nb\n" },
	{ "bare CR stays", "a\rb\r\n", "a\rb\n" },
	{ "CR at the end stays", "a\r\nb\r", "a\nb\r" },
	{ "only CR", "\r", "\r" },
	{ "CR CR LF", "a\r\r\n", "a\r\n" },
	{ "CR CR at the end", "a\r\r", "a\r\r" },
	{ "empty lines", "\r\n\r\n", "\n\n" },
	{ "looks like the end", ")\r\nA3 OK done\r\n", ")\nA3 OK done\n" },
};

static void
one_case(size_t i, size_t piece)
{
	static const char tail[] = " FLAGS ())\r\n", next[] = "A3 OK done\r\n";
	void *m = expecting(strlen(cases[i].wire));
	struct buf wire, out;
	size_t used;

	buf_init(&wire, 1000);
	buf_printf(&wire, "%s%s%s", cases[i].wire, tail, next);
	print_message("%s in pieces of %zu\n", cases[i].name, piece);
	assert_true(
	    body_feed(&(struct body_feed){ imap_protocol.body, m, piece },
		buf_slice(&wire), &out, &used));
	assert_string_equal(buf_string(&out), cases[i].wanted);
	assert_string_equal(buf_string(&wire) + used, next);
	assert_int_equal(imap_protocol.body_done(m, &err).todo, DO_WAIT);
	assert_int_equal(say(m, "A3 OK done").todo, DO_READY);
	imap_protocol.clear(m);
	free(m);
	buf_clear(&wire);
	buf_clear(&out);
}

static void
each_case_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (size_t piece = 1; piece <= strlen(cases[i].wire) + 24;
		     piece++)
			one_case(i, piece);
	}
}

static void
nul_bytes_pass(void **state)
{
	void *m = expecting(5);
	struct buf out;
	size_t used;

	(void)state;
	assert_true(body_feed(&(struct body_feed){ imap_protocol.body, m, 2 },
	    SLICE("\0\r\n\0\0)\r\n"), &out, &used));
	assert_int_equal(out.len, 4);
	assert_memory_equal(out.data, "\0\n\0\0", 4);
	assert_int_equal(imap_protocol.body_done(m, &err).todo, DO_WAIT);
	imap_protocol.clear(m);
	free(m);
	buf_clear(&out);
}

/* More than 32 bits of it are counted, and nothing is set aside for it. */
static void
any_size_is_counted(void **state)
{
	void *m = mem_new(imap_protocol.size);
	struct protocol_action action;
	uint8_t out[16];
	size_t used, len;

	(void)state;
	imap_protocol.init(m, &login);
	say(m, "* PREAUTH [CAPABILITY IMAP4rev1] hi");
	imap_protocol.open(m, "INBOX", &err);
	say(m, "* 0 EXISTS");
	say(m, "* OK [UIDVALIDITY 5] ok");
	say(m, "A1 OK ok");
	imap_protocol.retrieve(m, 4, &err);
	action = say(m, "* 1 FETCH (UID 4 BODY[] {9223372036854775807}");
	assert_int_equal(action.todo, DO_BODY);
	assert_int_equal(action.size, INT64_MAX);
	assert_false(
	    imap_protocol.body(m, SLICE("a\r\n)\r\n"), &used, out, &len));
	assert_int_equal(used, 6);
	assert_int_equal(len, 4);
	imap_protocol.clear(m);
	free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case_in_any_pieces),
		cmocka_unit_test(nul_bytes_pass),
		cmocka_unit_test(any_size_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
