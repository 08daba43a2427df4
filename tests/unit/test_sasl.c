/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = SASL_RESPONSE_MAX + 64 };

/* RFC 7677 section 3. */
#define NONCE "rOprNGfwEbeRWgbNEkqO"
#define SERVER_NONCE NONCE "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
#define SALT "W22ZaJ0SNY7soEsUEjb6gQ=="
#define SERVER_FIRST "r=" SERVER_NONCE ",s=" SALT ",i=4096"
#define CLIENT_FINAL                                                           \
	"c=biws,r=" SERVER_NONCE                                               \
	",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
#define SERVER_FINAL "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

struct login {
	struct sasl_credentials credentials;
	struct sasl sasl;
	struct buf out;
	struct error err;
};

static void
begin(struct login *l, enum sasl_mechanism mechanism, const char *user,
    const char *secret)
{
	l->credentials = (struct sasl_credentials){ .user = user,
		.secret = slice_of(secret),
		.host = "imap.isp.example",
		.port = 993 };
	buf_init(&l->out, ROOM);
	sasl_start(&l->sasl, mechanism, &l->credentials);
	snprintf(l->sasl.nonce, sizeof(l->sasl.nonce), "%s", NONCE);
}

static void
end(struct login *l)
{
	sasl_clear(&l->sasl);
	buf_wipe(&l->out);
}

/* `text` in base64 is what was added to the buffer after `before`. */
static void
assert_added(struct login *l, const char *before, struct slice text)
{
	char expected[ROOM];
	size_t len = strlen(before);

	memcpy(expected, before, len);
	base64_write(text, expected + len, sizeof(expected) - len);
	assert_string_equal(buf_string(&l->out), expected);
}

static void
assert_command(struct login *l, const char *before, struct slice text)
{
	assert_true(sasl_command(&l->sasl, SIZE_MAX, &l->out, &l->err));
	assert_added(l, before, text);
}

static bool
respond(struct login *l, const char *challenge)
{
	char text[2 * ROOM];

	base64_write(slice_of(challenge), text, sizeof(text));
	buf_reset(&l->out);
	return sasl_respond(&l->sasl, slice_of(text), &l->out, &l->err);
}

static void
assert_answer(struct login *l, const char *challenge, struct slice text)
{
	assert_true(respond(l, challenge));
	assert_added(l, "", text);
}

static void
assert_fault(const struct login *l, enum error_kind kind, const char *words)
{
	assert_int_equal(l->err.kind, kind);
	if (strstr(l->err.text, words) == NULL)
		fail_msg("\"%s\" lacks \"%s\"", l->err.text, words);
}

/* RFC 4616, and RFC 5034's example. */
static void
plain_says_all_at_once(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_PLAIN, "tim", "tanstaaftanstaaf");
	assert_true(sasl_command(&l.sasl, SIZE_MAX, &l.out, &l.err));
	assert_string_equal(
	    buf_string(&l.out), "PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm");
	assert_true(sasl_accept(&l.sasl, &l.err));
	assert_false(respond(&l, "more?"));
	assert_fault(&l, ERROR_PROTOCOL, "asks for more than there is");
	end(&l);
}

static void
plain_waits_where_the_line_is_too_long(void **state)
{
	const char *command = "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm";
	struct login l;

	(void)state;
	begin(&l, SASL_PLAIN, "tim", "tanstaaftanstaaf");
	buf_add_string(&l.out, "AUTH ");
	assert_true(sasl_command(&l.sasl, strlen(command) - 1, &l.out, &l.err));
	assert_string_equal(buf_string(&l.out), "AUTH PLAIN");
	assert_false(sasl_accept(&l.sasl, &l.err));
	assert_fault(&l, ERROR_PROTOCOL, "not complete");
	assert_answer(&l, "go ahead", SLICE("\0tim\0tanstaaftanstaaf"));
	assert_true(sasl_accept(&l.sasl, &l.err));
	end(&l);

	begin(&l, SASL_PLAIN, "tim", "tanstaaftanstaaf");
	buf_add_string(&l.out, "AUTH ");
	assert_true(sasl_command(&l.sasl, strlen(command), &l.out, &l.err));
	assert_string_equal(buf_string(&l.out), command);
	end(&l);

	begin(&l, SASL_PLAIN, "tim", "tanstaaftanstaaf");
	assert_true(sasl_command(&l.sasl, 0, &l.out, &l.err));
	assert_string_equal(buf_string(&l.out), "PLAIN");
	end(&l);
}

static void
an_overlooked_response_is_repeated_once(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_PLAIN, "anna", "pw");
	assert_command(&l, "PLAIN ", SLICE("\0anna\0pw"));
	assert_answer(&l, "", SLICE("\0anna\0pw"));
	assert_false(respond(&l, ""));
	assert_fault(&l, ERROR_PROTOCOL, "asks for more");
	end(&l);
}

static void
login_says_name_and_password_in_this_order(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_LOGIN, "anna", "pw");
	assert_true(sasl_command(&l.sasl, SIZE_MAX, &l.out, &l.err));
	assert_string_equal(buf_string(&l.out), "LOGIN");
	assert_answer(&l, "Password:", SLICE("anna"));
	assert_false(sasl_accept(&l.sasl, &l.err));
	assert_answer(&l, "", SLICE("pw"));
	assert_true(sasl_accept(&l.sasl, &l.err));
	assert_false(respond(&l, "PIN:"));
	end(&l);
}

static void
begin_scram(struct login *l)
{
	begin(l, SASL_SCRAM_SHA_256, "user", "pencil");
	assert_command(l, "SCRAM-SHA-256 ", SLICE("n,,n=user,r=" NONCE));
}

static void
scram_as_in_rfc_7677(void **state)
{
	struct login l;

	(void)state;
	begin_scram(&l);
	assert_answer(&l, SERVER_FIRST, SLICE(CLIENT_FINAL));
	assert_false(sasl_accept(&l.sasl, &l.err));
	assert_answer(&l, SERVER_FINAL, SLICE(""));
	assert_true(sasl_accept(&l.sasl, &l.err));
	assert_false(respond(&l, SERVER_FINAL));
	assert_fault(&l, ERROR_PROTOCOL, "asks for more");
	end(&l);
}

static void
scram_in_a_line_of_its_own(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_SCRAM_SHA_256, "user", "pencil");
	assert_true(sasl_command(&l.sasl, 0, &l.out, &l.err));
	assert_answer(&l, "", SLICE("n,,n=user,r=" NONCE));
	assert_answer(&l, SERVER_FIRST, SLICE(CLIENT_FINAL));
	end(&l);
}

static void
scram_names_are_quoted(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_SCRAM_SHA_256, "a=b,c\xc3\xa4", "pw");
	assert_command(
	    &l, "SCRAM-SHA-256 ", SLICE("n,,n=a=3Db=2Cc\xc3\xa4,r=" NONCE));
	end(&l);
}

static void
scram_nonces_differ(void **state)
{
	struct sasl a, b;

	(void)state;
	sasl_start(&a, SASL_SCRAM_SHA_256, NULL);
	sasl_start(&b, SASL_SCRAM_SHA_256, NULL);
	assert_string_not_equal(a.nonce, b.nonce);
	assert_int_equal(strlen(a.nonce), SASL_NONCE_SIZE - 1);
}

/* What a server may not say first. */
static void
scram_refuses_bad_offers(void **state)
{
	static const struct {
		const char *offer;
		enum error_kind kind;
	} bad[] = {
		{ "hello", ERROR_PROTOCOL },
		{ "m=x," SERVER_FIRST, ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE ",i=4096", ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE ",s=,i=4096", ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE ",s=*,i=4096", ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE ",s=" SALT, ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE ",s=" SALT ",i=", ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE ",s=" SALT ",i=-1", ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE ",s=" SALT ",i=4096x", ERROR_PROTOCOL },
		{ "r=" SERVER_NONCE " ,s=" SALT ",i=4096", ERROR_PROTOCOL },
		{ "r=" NONCE ",s=" SALT ",i=4096", ERROR_TLS },
		{ "r=x" SERVER_NONCE ",s=" SALT ",i=4096", ERROR_TLS },
		{ "r=,s=" SALT ",i=4096", ERROR_TLS },
		{ "r=" SERVER_NONCE ",s=" SALT ",i=0", ERROR_CONFIG },
		{ "r=" SERVER_NONCE ",s=" SALT ",i=4095", ERROR_CONFIG },
		{ "r=" SERVER_NONCE ",s=" SALT ",i=200001", ERROR_CONFIG },
		{ "r=" SERVER_NONCE ",s=" SALT ",i=4294971392", ERROR_CONFIG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct login l;

		begin_scram(&l);
		assert_false(respond(&l, bad[i].offer));
		assert_fault(&l, bad[i].kind, "SCRAM-SHA-256: ");
		assert_int_equal(l.out.len, 0);
		end(&l);
	}
}

static void
scram_ignores_extensions_and_takes_most_iterations(void **state)
{
	struct login l;

	(void)state;
	begin_scram(&l);
	assert_true(
	    respond(&l, "r=" SERVER_NONCE ",s=" SALT ",i=200000,x=later"));
	end(&l);
}

/* Whoever cannot sign may be anybody. */
static void
scram_wants_proof_of_the_server(void **state)
{
	static const char *const bad[] = { "", "v=", "v=6rri", "ok",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=",
		"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
		"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4A",
		(" " SERVER_FINAL) };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct login l;

		begin_scram(&l);
		assert_true(respond(&l, SERVER_FIRST));
		assert_false(respond(&l, bad[i]));
		assert_fault(&l, ERROR_TLS, "does not prove");
		assert_false(sasl_accept(&l.sasl, &l.err));
		end(&l);
	}
}

static void
scram_success_needs_proof(void **state)
{
	struct login l;

	(void)state;
	begin_scram(&l);
	assert_false(sasl_accept(&l.sasl, &l.err));
	assert_fault(&l, ERROR_TLS, "without proof");
	assert_true(respond(&l, SERVER_FIRST));
	assert_false(sasl_accept(&l.sasl, &l.err));
	assert_fault(&l, ERROR_TLS, "without proof");
	end(&l);
}

static void
scram_refusals_say_what_is_wrong(void **state)
{
	static const struct {
		const char *word;
		enum error_kind kind;
	} refusals[] = {
		{ "invalid-proof", ERROR_LOGIN },
		{ "unknown-user", ERROR_LOGIN },
		{ "no-resources", ERROR_RETRY },
		{ "channel-binding-not-supported", ERROR_CONFIG },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		char text[64];
		struct login l;

		begin_scram(&l);
		assert_true(respond(&l, SERVER_FIRST));
		snprintf(text, sizeof(text), "e=%s", refusals[i].word);
		assert_false(respond(&l, text));
		assert_fault(&l, refusals[i].kind, refusals[i].word);
		end(&l);
	}
}

static void
xoauth2_answers_a_refusal_with_nothing(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_XOAUTH2, "someuser@example.com",
	    "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
	assert_true(sasl_command(&l.sasl, SIZE_MAX, &l.out, &l.err));
	/* Google's example. */
	assert_string_equal(buf_string(&l.out),
	    "XOAUTH2 dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5Ln"
	    "ZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==");
	assert_true(sasl_accept(&l.sasl, &l.err));
	assert_string_equal(sasl_reason(&l.sasl), "");
	assert_answer(&l, "{\"status\":\"401\"}", SLICE(""));
	assert_string_equal(sasl_reason(&l.sasl), "{\"status\":\"401\"}");
	assert_false(sasl_accept(&l.sasl, &l.err));
	assert_false(respond(&l, "{\"status\":\"401\"}"));
	assert_fault(&l, ERROR_PROTOCOL, "asks for more");
	end(&l);
}

/* RFC 7628 section 4. */
static void
oauthbearer_answers_a_refusal_with_control_a(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_OAUTHBEARER, "a,user@example.com", "vF9dft4qmTc2Nv");
	assert_command(&l, "OAUTHBEARER ",
	    SLICE("n,a=a=2Cuser@example.com,\001host=imap.isp.example\001"
		  "port=993\001auth=Bearer vF9dft4qmTc2Nv\001\001"));
	assert_true(sasl_accept(&l.sasl, &l.err));
	assert_answer(&l, "{\"status\":\"invalid_token\"}", SLICE("\001"));
	assert_string_equal(
	    sasl_reason(&l.sasl), "{\"status\":\"invalid_token\"}");
	assert_false(sasl_accept(&l.sasl, &l.err));
	end(&l);
}

static void
long_reasons_are_cut(void **state)
{
	char text[1001];
	struct login l;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	begin(&l, SASL_XOAUTH2, "anna", "token");
	assert_true(sasl_command(&l.sasl, SIZE_MAX, &l.out, &l.err));
	assert_answer(&l, text, SLICE(""));
	assert_int_equal(
	    strlen(sasl_reason(&l.sasl)), sizeof(l.sasl.reason) - 1);
	end(&l);
}

static void
external_says_who_we_are(void **state)
{
	struct login l;

	(void)state;
	begin(&l, SASL_EXTERNAL, "anna", "");
	assert_command(&l, "EXTERNAL ", SLICE("anna"));
	assert_true(sasl_accept(&l.sasl, &l.err));
	end(&l);
}

static void
a_token_of_8_kib_fits(void **state)
{
	char token[10 * 1024];
	struct login l;

	(void)state;
	memset(token, 'x', sizeof(token));
	token[8 * 1024] = '\0';
	begin(&l, SASL_OAUTHBEARER, "anna@example.org", token);
	assert_true(sasl_command(&l.sasl, SIZE_MAX, &l.out, &l.err));
	assert_true(l.out.len > 8 * 1024 / 3 * 4);
	end(&l);

	token[8 * 1024] = 'x';
	token[sizeof(token) - 1] = '\0';
	begin(&l, SASL_OAUTHBEARER, "anna@example.org", token);
	assert_false(sasl_command(&l.sasl, SIZE_MAX, &l.out, &l.err));
	assert_fault(&l, ERROR_CONFIG, "too long");
	end(&l);
}

static void
assert_unusable(enum sasl_mechanism mechanism, const char *user,
    struct slice secret, const char *words)
{
	struct login l;

	begin(&l, mechanism, user, "");
	l.credentials.secret = secret;
	assert_false(sasl_command(&l.sasl, SIZE_MAX, &l.out, &l.err));
	assert_fault(&l, ERROR_CONFIG, words);
	end(&l);
}

static void
what_would_say_something_else_is_not_sent(void **state)
{
	(void)state;
	assert_unusable(SASL_PLAIN, "anna", SLICE("a\0b"), "NUL");
	assert_unusable(SASL_PLAIN, "an\001na", SLICE("pw"), "user");
	assert_unusable(SASL_XOAUTH2, "anna\177", SLICE("token"), "user");
	assert_unusable(SASL_XOAUTH2, "anna", SLICE("to\001ken"), "token");
	assert_unusable(SASL_OAUTHBEARER, "anna", SLICE("to ken"), "token");
	assert_unusable(SASL_OAUTHBEARER, "anna", SLICE(""), "token");
}

static void
challenges_are_short_base64(void **state)
{
	char text[SASL_CHALLENGE_MAX + 801];
	struct login l;

	(void)state;
	begin_scram(&l);
	assert_false(sasl_respond(&l.sasl, SLICE("*garbage*"), &l.out, &l.err));
	assert_fault(&l, ERROR_PROTOCOL, "not base64: \"*garbage*\"");
	end(&l);
	memset(text, 'A', sizeof(text) - 1);
	begin_scram(&l);
	assert_false(sasl_respond(&l.sasl,
	    (struct slice){ (uint8_t *)text, sizeof(text) - 1 }, &l.out,
	    &l.err));
	assert_fault(&l, ERROR_PROTOCOL, "too long");
	end(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_says_all_at_once),
		cmocka_unit_test(plain_waits_where_the_line_is_too_long),
		cmocka_unit_test(an_overlooked_response_is_repeated_once),
		cmocka_unit_test(login_says_name_and_password_in_this_order),
		cmocka_unit_test(scram_as_in_rfc_7677),
		cmocka_unit_test(scram_in_a_line_of_its_own),
		cmocka_unit_test(scram_names_are_quoted),
		cmocka_unit_test(scram_nonces_differ),
		cmocka_unit_test(scram_refuses_bad_offers),
		cmocka_unit_test(
		    scram_ignores_extensions_and_takes_most_iterations),
		cmocka_unit_test(scram_wants_proof_of_the_server),
		cmocka_unit_test(scram_success_needs_proof),
		cmocka_unit_test(scram_refusals_say_what_is_wrong),
		cmocka_unit_test(xoauth2_answers_a_refusal_with_nothing),
		cmocka_unit_test(oauthbearer_answers_a_refusal_with_control_a),
		cmocka_unit_test(long_reasons_are_cut),
		cmocka_unit_test(external_says_who_we_are),
		cmocka_unit_test(a_token_of_8_kib_fits),
		cmocka_unit_test(what_would_say_something_else_is_not_sent),
		cmocka_unit_test(challenges_are_short_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
