/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversations of tests/data/pop3, one test each.  A file holds:
 *
 *	user NAME, password WORDS, starttls	the login
 *	S: LINE		the server says
 *	C: LINE		the client must say; "C* " marks a secret
 *	> COMMAND [N]	the driver calls pop3_COMMAND
 *	= ACTION …	what the machine must ask for; wait is not written
 *
 * {N*X} in a line stands for N times the letter X, {NUL} for a NUL byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fetcher/pop3.h"

struct talk {
	const char *path;
	unsigned line;
	struct buf user, password;
	struct pop3_login login;
	struct pop3 pop3;
	struct error err;
	struct pop3_action action; /* not yet looked at, unless POP3_WAIT */
};

static const char *
kind_name(enum error_kind kind)
{
	static const char *const names[] = {
		[ERROR_RETRY] = "RETRY",
		[ERROR_REFUSED] = "REFUSED",
		[ERROR_LOGIN] = "LOGIN",
		[ERROR_TLS] = "TLS",
		[ERROR_PROTOCOL] = "PROTOCOL",
		[ERROR_CONFIG] = "CONFIG",
		[ERROR_LOCAL] = "LOCAL",
	};

	return names[kind];
}

/* The action as a line of a conversation. */
static void
describe(const struct talk *t, struct buf *out)
{
	const struct pop3_action *a = &t->action;

	switch (a->todo) {
	case POP3_WAIT:
		buf_add_string(out, "= wait");
		break;
	case POP3_SEND:
	case POP3_LOGGED_IN:
		buf_printf(out, "C%c %.*s", a->secret ? '*' : ':',
		    (int)a->text.len - 2, (const char *)a->text.data);
		break;
	case POP3_START_TLS:
		buf_add_string(out, "= start_tls");
		break;
	case POP3_LISTED:
		buf_printf(out, "= listed %" PRIu32 " %.*s", a->number,
		    SLICE_ARG(a->text));
		break;
	case POP3_SIZED:
		buf_printf(
		    out, "= sized %" PRIu32 " %" PRIu64, a->number, a->size);
		break;
	case POP3_READY:
		buf_add_string(out, "= ready");
		break;
	case POP3_BODY:
		buf_printf(out, "= body %" PRIu32, a->number);
		break;
	case POP3_REFUSED:
		buf_printf(out, "= refused %" PRIu32 " %s %s", a->number,
		    kind_name(t->err.kind), t->err.text);
		break;
	case POP3_DELETED:
		buf_printf(out, "= deleted %" PRIu32, a->number);
		break;
	case POP3_CLOSE:
		buf_add_string(out, "= close");
		break;
	case POP3_FAIL:
		buf_printf(
		    out, "= fail %s %s", kind_name(t->err.kind), t->err.text);
		break;
	}
}

static void
expand(struct slice in, struct buf *out)
{
	struct slice head, inside, letter;
	uint64_t times;

	buf_init(out, 1 << 20);
	while (slice_cut_until(&in, '{', &head)) {
		buf_add(out, head);
		assert_true(slice_cut_until(&in, '}', &inside));
		if (slice_equal(inside, SLICE("NUL"))) {
			buf_add_byte(out, '\0');
			continue;
		}
		assert_true(slice_cut_number(&inside, 1 << 20, &times));
		assert_true(slice_cut_prefix(&inside, SLICE("*")));
		letter = slice_first(inside, 1);
		while (times-- > 0)
			buf_add(out, letter);
	}
	buf_add(out, in);
}

static void
expect(struct talk *t, struct slice line)
{
	struct buf wanted, got;

	expand(line, &wanted);
	buf_init(&got, 1 << 20);
	describe(t, &got);
	if (strcmp(buf_string(&got), buf_string(&wanted)) != 0)
		fail_msg("%s:%u: wanted \"%s\", got \"%s\"", t->path, t->line,
		    buf_string(&wanted), buf_string(&got));
	if (t->action.todo == POP3_SEND || t->action.todo == POP3_LOGGED_IN)
		assert_memory_equal(
		    t->action.text.data + t->action.text.len - 2, "\r\n", 2);
	t->action.todo = POP3_WAIT;
	buf_clear(&wanted);
	buf_clear(&got);
}

static void
server_says(struct talk *t, struct slice text)
{
	struct buf line;
	uint8_t *exact;

	if (t->action.todo != POP3_WAIT)
		expect(t, SLICE("= wait"));
	expand(text, &line);
	/* Of just this size, so that ASan sees one byte too many. */
	exact = mem_new(line.len + 1);
	exact = mem_resize(exact, line.len == 0 ? 1 : line.len, 1);
	if (line.len > 0)
		memcpy(exact, line.data, line.len);
	t->action =
	    pop3_line(&t->pop3, (struct slice){ exact, line.len }, &t->err);
	/* A UID is valid until the next call: keep its bytes. */
	if (t->action.todo == POP3_LISTED) {
		memcpy(
		    t->pop3.command, t->action.text.data, t->action.text.len);
		t->action.text.data = (uint8_t *)t->pop3.command;
	}
	free(exact);
	buf_clear(&line);
}

static void
driver_calls(struct talk *t, struct slice words)
{
	struct slice name;
	uint64_t number = 0;

	assert_true(slice_cut_word(&words, &name));
	words = slice_trim(words);
	slice_cut_number(&words, UINT32_MAX, &number);
	if (slice_equal(name, SLICE("secured")))
		t->action = pop3_secured(&t->pop3, &t->err);
	else if (slice_equal(name, SLICE("retrieve")))
		t->action = pop3_retrieve(&t->pop3, (uint32_t)number, &t->err);
	else if (slice_equal(name, SLICE("body_done")))
		t->action = pop3_body_done(&t->pop3, &t->err);
	else if (slice_equal(name, SLICE("delete")))
		t->action = pop3_delete(&t->pop3, (uint32_t)number, &t->err);
	else if (slice_equal(name, SLICE("noop")))
		t->action = pop3_noop(&t->pop3, &t->err);
	else if (slice_equal(name, SLICE("quit")))
		t->action = pop3_quit(&t->pop3, &t->err);
	else
		fail_msg("%s:%u: no such call", t->path, t->line);
}

static void
play_line(struct talk *t, struct slice line)
{
	if (line.len == 0 || line.data[0] == '#')
		return;
	if (slice_equal(line, SLICE("starttls"))) {
		t->login.starttls = true;
	} else if (slice_cut_prefix(&line, SLICE("user "))) {
		buf_clear(&t->user);
		expand(line, &t->user);
		t->login.user = buf_string(&t->user);
	} else if (slice_cut_prefix(&line, SLICE("password "))) {
		buf_clear(&t->password);
		expand(line, &t->password);
		t->login.password = buf_slice(&t->password);
	} else if (slice_cut_prefix(&line, SLICE("S: "))) {
		server_says(t, line);
	} else if (slice_cut_prefix(&line, SLICE("> "))) {
		driver_calls(t, line);
	} else {
		expect(t, line);
	}
}

static void
plays_as_written(void **state)
{
	struct talk t = { .path = *state, .action = { .todo = POP3_WAIT } };
	FILE *f = fopen(t.path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	assert_non_null(f);
	t.login.user = "joe";
	t.login.password = SLICE("hunter2");
	pop3_init(&t.pop3, &t.login);
	while ((len = getline(&line, &room, f)) > 0) {
		t.line++;
		len -= line[len - 1] == '\n';
		play_line(&t, (struct slice){ (uint8_t *)line, (size_t)len });
	}
	if (t.action.todo != POP3_WAIT)
		expect(&t, SLICE("= wait"));
	pop3_clear(&t.pop3);
	for (size_t i = 0; i < sizeof(t.pop3.command); i++)
		assert_int_equal(t.pop3.command[i], 0);
	buf_clear(&t.user);
	buf_clear(&t.password);
	free(line);
	fclose(f);
}

int
main(void)
{
	struct CMUnitTest *tests;
	glob_t found;
	int result;

	if (glob("tests/data/pop3/*.txt", 0, NULL, &found) != 0)
		return 1;
	tests = mem_new_array(found.gl_pathc, sizeof(*tests));
	for (size_t i = 0; i < found.gl_pathc; i++)
		tests[i] = (struct CMUnitTest){ .name = found.gl_pathv[i],
			.test_func = plays_as_written,
			.initial_state = found.gl_pathv[i] };
	result = _cmocka_run_group_tests(
	    "conversations", tests, found.gl_pathc, NULL, NULL);
	free(tests);
	globfree(&found);
	return result;
}
