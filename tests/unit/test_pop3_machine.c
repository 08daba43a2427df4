/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of tests/data/pop3 cannot say: nonces, and long queues. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "fetcher/pop3_machine.h"

/* RFC 7677 3 */
#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SERVER_FIRST "r=" SERVER_NONCE ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
#define CLIENT_FINAL                                                           \
	"c=biws,r=" SERVER_NONCE                                               \
	",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

static const struct protocol *const p = &pop3_protocol;
static const struct account account = {
	.user = "user", .host = "mail.example.com", .protocol = PROTOCOL_POP3S
};
static const struct protocol_login login = { .account = &account,
	.secret = SLICE("pencil") };

static struct protocol_action
say(struct pop3 *s, const char *line, struct error *err)
{
	return p->line(s, slice_of(line), err);
}

static struct protocol_action
say_base64(struct pop3 *s, const char *text, struct error *err)
{
	char line[512] = "+ ";

	base64_write(slice_of(text), line + 2, sizeof(line) - 2);
	return say(s, line, err);
}

static void
assert_says_base64(struct protocol_action action, const char *text)
{
	char line[512];

	base64_write(slice_of(text), line, sizeof(line));
	assert_int_equal(action.todo, DO_SEND);
	assert_true(action.secret);
	assert_int_equal(action.text.len, strlen(line) + 2);
	assert_memory_equal(action.text.data, line, strlen(line));
}

/* Up to the client's first message, with the nonce of the RFC: a server that
 * overlooks the one in AUTH gets it again. */
static void
begin_scram(struct pop3 *s)
{
	struct error err;
	struct protocol_action action;

	p->init(s, &login);
	say(s, "+OK", &err);
	say(s, "+OK", &err);
	say(s, "SASL PLAIN SCRAM-SHA-256", &err);
	action = say(s, ".", &err);
	assert_true(
	    slice_starts(action.text, SLICE("AUTH SCRAM-SHA-256 biwsbj11c2")));
	memcpy(s->exchange->sasl.nonce, NONCE, sizeof(NONCE));
	assert_says_base64(say(s, "+", &err), "n,,n=user,r=" NONCE);
}

static void
scram_logs_in(void **state)
{
	struct pop3 s = { .login = NULL };
	struct error err;

	(void)state;
	begin_scram(&s);
	assert_says_base64(say_base64(&s, SERVER_FIRST, &err), CLIENT_FINAL);
	assert_says_base64(say_base64(&s, SERVER_FINAL, &err), "");
	assert_int_equal(say(&s, "+OK", &err).todo, DO_LOGGED_IN);
	assert_null(s.exchange);
	p->clear(&s);
}

/* Each is a server that does not know the password. */
static void
scram_needs_the_servers_proof(void **state)
{
	static const char wrong[] =
	    "v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
	struct pop3 s = { .login = NULL };
	struct error err;

	(void)state;
	begin_scram(&s);
	assert_int_equal(say(&s, "+OK", &err).todo, DO_FAIL);
	assert_int_equal(err.kind, ERROR_TLS);
	begin_scram(&s);
	say_base64(&s, SERVER_FIRST, &err);
	assert_int_equal(say(&s, "+OK", &err).todo, DO_FAIL);
	assert_int_equal(err.kind, ERROR_TLS);
	begin_scram(&s);
	say_base64(&s, SERVER_FIRST, &err);
	assert_int_equal(say_base64(&s, wrong, &err).todo, DO_FAIL);
	assert_int_equal(err.kind, ERROR_TLS);
	p->clear(&s);
}

/* A mailbox of ten messages, ready for commands. */
static void
open_pipelined(struct pop3 *s)
{
	static const char *const lines[] = { "+OK", "+OK", "PIPELINING", ".",
		"+OK", "+OK" };
	struct error err;
	char line[32];

	p->init(s, &login);
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		say(s, lines[i], &err);
	p->open(s, "INBOX", &err);
	say(s, "+OK 10 100", &err);
	for (int list = 0; list < 2; list++) {
		say(s, "+OK", &err);
		for (int i = 1; i <= 10; i++) {
			snprintf(line, sizeof(line), "%d 1", i);
			say(s, line, &err);
		}
		assert_int_equal(
		    say(s, ".", &err).todo, list == 0 ? DO_WAIT : DO_READY);
	}
}

/* However many were given before, and with any number under way. */
static void
replies_belong_to_the_oldest_command(void **state)
{
	struct pop3 s = { .login = NULL };
	struct error err;
	uint32_t next = 0, due = 0;

	(void)state;
	open_pipelined(&s);
	for (unsigned depth = 1; depth <= POP3_WINDOW; depth++) {
		while (next < due + depth)
			p->dispose(&s, 1 + next++ % 10, &err);
		assert_int_equal(p->room(&s), POP3_WINDOW - depth);
		for (unsigned i = 0; i < depth; i++) {
			struct protocol_action action =
			    say(&s, i % 3 ? "+OK" : "-ERR", &err);

			assert_int_equal(
			    action.todo, i % 3 ? DO_DISPOSED : DO_REFUSED);
			assert_int_equal(action.number, 1 + due++ % 10);
		}
		assert_false(p->busy(&s));
	}
	p->clear(&s);
}

static void
another_connection_begins_anew(void **state)
{
	struct pop3 s = { .login = NULL };
	struct error err;

	(void)state;
	open_pipelined(&s);
	p->retrieve(&s, 1, &err);
	p->init(&s, &login);
	assert_string_equal(p->state_name(&s), "greeting");
	assert_int_equal(p->room(&s), 0);
	assert_false(p->facts(&s)->pipelining);
	begin_scram(&s);
	/* Frees what the login had: the sanitizers would tell. */
	p->init(&s, &login);
	assert_null(s.exchange);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scram_logs_in),
		cmocka_unit_test(scram_needs_the_servers_proof),
		cmocka_unit_test(replies_belong_to_the_oldest_command),
		cmocka_unit_test(another_connection_begins_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
