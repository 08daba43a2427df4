/* SPDX-License-Identifier: Apache-2.0 */
/* Dialogues with a server in a thread, whose part is written down. */
#include "tests/support/conversation.h"

#include <stdio.h>
#include <stdlib.h>

#include "fetcher/dialogue.h"

/*
 * A part: "> line" is said, "< line" is awaited (what the client says must begin
 * so), "~ words" are said byte by byte for ever, "= n" so many bytes without a
 * line end; NULL: the connection is closed.  "|": the next connection.
 */
struct scene {
	struct talk talk; /* its listener and its loop */
	const char *const *part;
	struct account account;
	struct dialogue_settings settings;
	struct dialogue *dialogue;
	struct timer *tick, *moment;
	int connections;
	char wrong[300]; /* what the client said, but should not have */

	/* Told: a letter for each call of a handler. */
	char told[64];
	int free_in; /* at this letter */
	bool refuse_piece;
	char message[64];
	bool over;
	struct error error; /* kind 0 and no text: none */
};

static const char *const folders[] = { "INBOX", NULL };

static void
say(int fd, const char *text, size_t len)
{
	send(fd, text, len, MSG_NOSIGNAL);
}

static void
drip(int fd, const char *words)
{
	for (size_t i = 0;; i = (i + 1) % strlen(words)) {
		if (send(fd, words + i, 1, MSG_NOSIGNAL) != 1)
			return;
		usleep(5000);
	}
}

static bool
await(struct scene *s, int fd, const char *wanted)
{
	char line[300];
	size_t len = 0;

	while (len < sizeof(line) - 1 && read(fd, line + len, 1) == 1)
		if (line[len++] == '\n')
			break;
	line[len] = '\0';
	if (strncmp(line, wanted, strlen(wanted)) == 0)
		return true;
	snprintf(s->wrong, sizeof(s->wrong), "%s", line);
	return false; /* nothing said: the client has closed */
}

static void
play(struct talk *talk, int fd)
{
	struct scene *s = (struct scene *)talk;
	static const char junk[32 * 1024];
	bool going = true;

	s->connections++;
	while (going && *s->part != NULL && (*s->part)[0] != '|') {
		const char *words = *s->part++ + 2;

		if (words[-2] == '<') {
			going = await(s, fd, words);
		} else if (words[-2] == '~') {
			drip(fd, words);
		} else if (words[-2] == '=') {
			say(fd, junk, (size_t)strtol(words, NULL, 10));
		} else {
			say(fd, words, strlen(words));
			say(fd, "\r\n", 2);
		}
	}
	if (*s->part != NULL)
		s->part++;
}

static void
note(struct scene *s, char letter)
{
	size_t len = strlen(s->told);

	if (len < sizeof(s->told) - 1)
		s->told[len] = letter;
	if (s->free_in != letter)
		return;
	dialogue_free(s->dialogue);
	s->dialogue = NULL;
	loop_stop(s->talk.loop);
}

/* Fetches message 1 of INBOX, disposes of it and idles. */
static void
on_said(
    void *arg, const struct protocol_action *action, const struct error *err)
{
	static const char letters[] = {
		[DO_LOGGED_IN] = 'i',
		[DO_FOLDER] = 'f',
		[DO_FOLDERS] = 'F',
		[DO_LISTED] = 'l',
		[DO_SIZED] = 's',
		[DO_READY] = 'r',
		[DO_BODY] = 'b',
		[DO_REFUSED] = 'n',
		[DO_DISPOSED] = 'd',
		[DO_ARRIVED] = 'a',
	};
	struct scene *s = arg;
	struct dialogue *d = s->dialogue;
	char last = letters[action->todo];

	(void)err;
	note(s, last);
	if (s->dialogue == NULL)
		return;
	if (last == 'i')
		dialogue_folders(d, "*");
	else if (last == 'F')
		dialogue_enter(d, "INBOX");
	else if (last == 'r' && strchr(s->told, 'b') == NULL)
		dialogue_retrieve(d, 1);
	else if (last == 'r' && strchr(s->told, 'd') == NULL)
		dialogue_dispose(d, 1);
	else if (last == 'r')
		dialogue_quit(d);
	else if (last == 'd')
		dialogue_idle(d);
	else if (last == 'a')
		dialogue_rouse(d);
	else if (last == 'n')
		dialogue_quit(d);
}

static bool
on_piece(void *arg, struct slice bytes, struct error *err)
{
	struct scene *s = arg;
	size_t len = strlen(s->message);

	snprintf(s->message + len, sizeof(s->message) - len, "%.*s",
	    SLICE_ARG(bytes));
	if (s->told[strlen(s->told) - 1] != 'p')
		note(s, 'p');
	return !s->refuse_piece || error_set(err, ERROR_LOCAL, "disk full");
}

static bool
on_complete(void *arg, struct error *err)
{
	(void)err;
	note(arg, 'c');
	return true;
}

static void
on_ended(void *arg, const struct error *err)
{
	struct scene *s = arg;

	assert_false(s->over);
	s->over = true;
	if (err != NULL)
		s->error = *err;
	note(s, 'e');
	loop_stop(s->talk.loop);
}

static const struct dialogue_handlers handlers = { on_said, on_piece,
	on_complete, on_ended };

static void
on_tick(void *arg)
{
	loop_stop(((struct scene *)arg)->talk.loop);
}

/* What the scene does not say is as it usually is. */
static void
open_scene(struct scene *s, const char *const *part, int connections)
{
	s->part = part;
	s->talk.script = play;
	s->talk.connections = connections;
	s->talk.loop = loop_new();
	talk_listen(&s->talk);
	pthread_create(&s->talk.thread, NULL, talk_serve, &s->talk);
	s->tick = timer_new(s->talk.loop, on_tick, s);
	s->account.name = "office";
	s->account.protocol = PROTOCOL_IMAP;
	s->account.tls.mode = TLS_NEVER;
	s->account.host = "127.0.0.1";
	s->account.port = s->talk.settings.port;
	s->account.user = "anna";
	s->account.folders = folders;
	if (s->account.timeout_ms == 0)
		s->account.timeout_ms = 10000;
	s->settings.loop = s->talk.loop;
	s->settings.account = &s->account;
	s->settings.handlers = &handlers;
	s->settings.arg = s;
	s->dialogue = dialogue_open(&s->settings);
	assert_string_equal(s->told, "");
}

static void
run_for(struct scene *s, int64_t ms)
{
	timer_start(s->tick, ms);
	loop_run(s->talk.loop);
	timer_stop(s->tick);
}

static void
close_scene(struct scene *s)
{
	dialogue_free(s->dialogue);
	run_for(s, 0); /* which closes the socket */
	shutdown(s->talk.listener, SHUT_RDWR);
	pthread_join(s->talk.thread, NULL);
	close(s->talk.listener);
	timer_free(s->tick);
	loop_free(s->talk.loop);
	assert_string_equal(s->wrong, "");
}

static void
run_to_end(struct scene *s, enum error_kind kind, const char *words)
{
	run_for(s, 20000);
	assert_true(s->over);
	if (strstr(s->error.text, words) == NULL)
		fail_msg("error is: %s", s->error.text);
	if (words[0] != '\0')
		assert_int_equal(s->error.kind, kind);
}

/* Each prints another line with each run, or always the same. */
static const char *const another_token[] = { "/bin/sh", "-c", "date +token-%N",
	NULL };
static const char *const same_token[] = { "/bin/echo", "token", NULL };

#define GREETING "> * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hello"
#define LOG_IN                                                                 \
	GREETING, "< A1 LOGIN \"anna\" \"\"\r\n",                              \
	    "> A1 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS] welcome"
#define FOLDERS                                                                \
	LOG_IN, "< A2 LIST \"\" \"*\"", "> * LIST () \"/\" INBOX",             \
	    "> A2 OK done"
#define LISTED                                                                 \
	FOLDERS, "< A3 SELECT", "> * 1 EXISTS",                                \
	    "> * OK [UIDVALIDITY 7] valid", "> A3 OK [READ-WRITE] selected",   \
	    "< A4 UID FETCH", "> * 1 FETCH (UID 1 RFC822.SIZE 4)",             \
	    "> A4 OK done"
#define FETCHED                                                                \
	LISTED, "< A5 UID FETCH 1", "> * 1 FETCH (UID 1 BODY[] {4}\r\nab",     \
	    "> )", "> A5 OK done"
#define DISPOSED                                                               \
	FETCHED, "< A6 UID STORE", "< A7 UID EXPUNGE 1", "> A6 OK",            \
	    "> * 1 EXPUNGE", "> A7 OK"
#define IDLES DISPOSED, "< A8 IDLE", "> + idling"
#define ROUSED IDLES, "> * 1 EXISTS", "< DONE"

static const char *const whole[] = { ROUSED, "> A8 OK idled", "< A9 LOGOUT",
	"> * BYE bye", "> A9 OK bye", NULL };

static void
from_login_to_logout(void **state)
{
	struct scene s = { .free_in = 0 };

	(void)state;
	open_scene(&s, whole, 1);
	run_to_end(&s, 0, "");
	assert_string_equal(s.told, "ifFlrbpcrdare");
	assert_string_equal(s.message, "ab\n");
	close_scene(&s);
}

static void
freed_in_each_handler(void **state)
{
	(void)state;
	for (const char *at = "ifFlrbpcdae"; *at != '\0'; at++) {
		struct scene s = { .free_in = *at };

		open_scene(&s, whole, 1);
		run_for(&s, 20000);
		assert_null(s.dialogue);
		run_for(&s, 20);
		assert_int_equal(s.told[strlen(s.told) - 1], *at);
		close_scene(&s);
	}
}

static void
freed_at_once(void **state)
{
	struct scene s = { .account.token = {
			       .kind = SECRET_COMMAND, .argv = same_token } };
	static const char *const nothing[] = { NULL };

	(void)state;
	open_scene(&s, nothing, 1);
	dialogue_free(s.dialogue);
	s.dialogue = NULL;
	run_for(&s, 200); /* the command ends */
	assert_string_equal(s.told, "");
	close_scene(&s);
}

#define TOKEN GREETING, "< A1 AUTHENTICATE XOAUTH2 "

static void
a_refused_token_is_asked_for_once_more(void **state)
{
	static const char *const part[] = { TOKEN, "> A1 NO expired", "|",
		TOKEN, "> A1 OK [CAPABILITY IMAP4rev1] welcome", "< A2 LIST",
		NULL };
	struct scene s = { .account.token = { .kind = SECRET_COMMAND,
			       .argv = another_token } };

	(void)state;
	open_scene(&s, part, 2);
	run_to_end(&s, ERROR_RETRY, "closed");
	assert_string_equal(s.told, "ie");
	assert_int_equal(s.connections, 2);
	close_scene(&s);
}

static void
only_once(void **state)
{
	static const char *const part[] = { TOKEN, "> A1 NO expired", "|",
		TOKEN, "> A1 NO expired too", "|", TOKEN, NULL };
	struct scene s = { .account.token = { .kind = SECRET_COMMAND,
			       .argv = another_token } };

	(void)state;
	open_scene(&s, part, 3);
	run_to_end(&s, ERROR_LOGIN, "expired too");
	assert_int_equal(s.connections, 2);
	close_scene(&s);
}

static void
the_same_token_is_not_tried_again(void **state)
{
	static const char *const part[] = { TOKEN, "> A1 NO expired", "|",
		TOKEN, NULL };
	struct scene s = { .account.token = {
			       .kind = SECRET_COMMAND, .argv = same_token } };

	(void)state;
	open_scene(&s, part, 2);
	run_to_end(&s, ERROR_LOGIN,
	    "127.0.0.1: XOAUTH2: server refused at AUTHENTICATE: expired");
	assert_int_equal(s.connections, 1);
	close_scene(&s);
}

static void
a_refused_password_is_not_tried_again(void **state)
{
	static const char *const part[] = { GREETING, "< A1 LOGIN",
		"> A1 NO wrong password", "|", GREETING, NULL };
	struct scene s = { .account.password = { .kind = SECRET_COMMAND,
			       .argv = another_token } };

	(void)state;
	open_scene(&s, part, 2);
	run_to_end(&s, ERROR_LOGIN, "wrong password");
	assert_string_equal(s.told, "e");
	assert_int_equal(s.connections, 1);
	close_scene(&s);
}

static void
no_secret_no_connection(void **state)
{
	static const char *const nothing[] = { "/bin/false", NULL };
	struct scene s = { .account.password = {
			       .kind = SECRET_COMMAND, .argv = nothing } };

	(void)state;
	open_scene(&s, whole, 1);
	run_to_end(&s, ERROR_CONFIG, "password command");
	assert_int_equal(s.connections, 0);
	close_scene(&s);
}

static bool
ends_with(const char *const *part, unsigned hurry, const char *words)
{
	struct scene s = { .settings.hurry = hurry };
	bool so;

	open_scene(&s, part, 1);
	run_for(&s, 20000);
	so = s.over && s.error.kind == ERROR_RETRY &&
	     strstr(s.error.text, words) != NULL;
	close_scene(&s);
	return so;
}

/* However busy the line is: the clock of each part goes on. */
static void
bytes_do_not_stop_the_clocks(void **state)
{
	static const char *const login[] = { "~ * OK [ALERT] wait\r\n", NULL };
	static const char *const list[] = { LOG_IN,
		"~ * 9 FETCH (FLAGS ())\r\n", NULL };
	static const char *const dispose[] = { FETCHED, "~ * OK wait\r\n",
		NULL };
	static const char *const quit[] = { ROUSED, "> A8 OK idled",
		"~ * OK wait\r\n", NULL };
	static const struct {
		const char *const *part;
		unsigned hurry;
		const char *words;
	} cases[] = {
		{ login, 300, "connecting and logging in took longer" },
		{ list, 900, "listing the mailbox took longer" },
		{ dispose, 600, "a command took longer" },
		{ quit, 60, "QUIT took longer" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned hurry = cases[i].hurry;

		/* Where the machine stalls an earlier clock ends it. */
		while (!ends_with(cases[i].part, hurry, cases[i].words)) {
			hurry /= 4;
			assert_true(hurry > 0);
		}
	}
}

static void
silence_ends_it_while_a_reply_is_due(void **state)
{
	static const char *const login[] = { GREETING, "< A1", "< never",
		NULL };
	static const char *const rouse[] = { ROUSED, "< never", NULL };
	static const char *const *const parts[] = { login, rouse };

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct scene s = { .account.timeout_ms = 200 };

		open_scene(&s, parts[i], 1);
		run_to_end(&s, ERROR_RETRY, "silence");
		close_scene(&s);
	}
}

static bool
idles_on(int64_t timeout_ms)
{
	static const char *const part[] = { IDLES, "< ", NULL };
	struct scene s = { .account.timeout_ms = timeout_ms };
	bool so;

	open_scene(&s, part, 1);
	while (!s.over && strchr(s.told, 'd') == NULL)
		run_for(&s, 10);
	run_for(&s, 2 * timeout_ms);
	so = strcmp(s.told, "ifFlrbpcrd") == 0;
	close_scene(&s);
	return so;
}

/* But on a machine that stalls it may be, before that. */
static void
silence_is_no_fault_while_it_idles(void **state)
{
	(void)state;
	if (!idles_on(700))
		assert_true(idles_on(10000));
}

static void
a_line_has_an_end(void **state)
{
	static const char *const part[] = { "= 20000", "< never", NULL };
	struct scene s = { .free_in = 0 };

	(void)state;
	open_scene(&s, part, 1);
	run_to_end(&s, ERROR_PROTOCOL, "without a line end (greeting)");
	close_scene(&s);
}

static void
a_piece_that_nobody_takes_ends_it(void **state)
{
	static const char *const part[] = { FETCHED, NULL };
	struct scene s = { .refuse_piece = true };

	(void)state;
	open_scene(&s, part, 1);
	run_to_end(&s, ERROR_LOCAL, "disk full");
	assert_string_equal(s.told, "ifFlrbpe");
	close_scene(&s);
}

/* Between the loss of a connection and ended() its owner does not know yet. */
static void
on_moment(void *arg)
{
	struct scene *s = arg;

	if (strchr(s->told, 'd') != NULL && !dialogue_busy(s->dialogue)) {
		dialogue_rouse(s->dialogue);
		dialogue_retrieve(s->dialogue, 1);
		dialogue_idle(s->dialogue);
		dialogue_quit(s->dialogue);
		assert_string_equal(dialogue_cipher(s->dialogue), "");
		note(s, 'X');
		return;
	}
	timer_start(s->moment, 0);
}

static void
commands_after_the_end_do_nothing(void **state)
{
	static const char *const part[] = { IDLES, "> * BYE shutting down",
		NULL };
	struct scene s = { .free_in = 0 };

	(void)state;
	open_scene(&s, part, 1);
	s.moment = timer_new(s.talk.loop, on_moment, &s);
	timer_start(s.moment, 0);
	run_to_end(&s, ERROR_RETRY, "shutting down");
	assert_string_equal(s.told, "ifFlrbpcrdXe");
	timer_free(s.moment);
	close_scene(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_login_to_logout),
		cmocka_unit_test(freed_in_each_handler),
		cmocka_unit_test(freed_at_once),
		cmocka_unit_test(a_refused_token_is_asked_for_once_more),
		cmocka_unit_test(only_once),
		cmocka_unit_test(the_same_token_is_not_tried_again),
		cmocka_unit_test(a_refused_password_is_not_tried_again),
		cmocka_unit_test(no_secret_no_connection),
		cmocka_unit_test(bytes_do_not_stop_the_clocks),
		cmocka_unit_test(silence_ends_it_while_a_reply_is_due),
		cmocka_unit_test(silence_is_no_fault_while_it_idles),
		cmocka_unit_test(a_line_has_an_end),
		cmocka_unit_test(a_piece_that_nobody_takes_ends_it),
		cmocka_unit_test(commands_after_the_end_do_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
