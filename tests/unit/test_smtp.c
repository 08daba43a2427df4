/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversations of tests/data/smtp, one test each.  A file holds:
 *
 *	xclient				the setting
 *	sender ADDRESS, recipient ADDRESS, origin IP NAME HELO ("-": none)
 *					of the messages from here on
 *	S: LINE		the server says
 *	C: LINE		the client must say; several: in one write
 *	> mail, > body_done, > takes, > was_refused	the driver calls
 *	= ACTION …	what the machine must ask for; wait is not written
 */
#include "tests/support/each_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fetcher/smtp.h"

struct talk {
	const char *path;
	unsigned line;
	struct smtp_settings settings;
	struct smtp smtp;
	struct address sender, recipient;
	struct origin origin;
	struct smtp_mail mail;
	struct error err;
	struct smtp_action action; /* not yet looked at, unless SMTP_WAIT */
	struct buf sent;           /* of it, not yet looked at */
	bool takes, asked;
};

static const char *const verdicts[] = {
	[SMTP_ACCEPTED] = "accepted",
	[SMTP_DEFERRED] = "deferred",
	[SMTP_REFUSED] = "refused",
	[SMTP_OVERSIZE] = "oversize",
	[SMTP_UNAVAILABLE] = "unavailable",
};

static void
describe_sent(struct talk *t, struct buf *out)
{
	struct slice all = buf_slice(&t->sent), line;

	assert_true(slice_cut_until(&all, '\n', &line));
	assert_true(line.len > 0 && line.data[line.len - 1] == '\r');
	buf_printf(out, "C: %.*s", (int)line.len - 1, (const char *)line.data);
	buf_drop(&t->sent, line.len + 1);
	if (t->sent.len == 0)
		t->action.todo = SMTP_WAIT;
}

/* The action as a line of a conversation. */
static void
describe(struct talk *t, struct buf *out)
{
	enum smtp_do todo = t->action.todo;

	if (todo == SMTP_SEND) {
		describe_sent(t, out);
		return;
	}
	t->action.todo = SMTP_WAIT;
	if (t->asked)
		buf_add_string(out, t->takes ? "= takes" : "= takes not");
	else if (todo == SMTP_DONE && t->action.verdict == SMTP_ACCEPTED)
		buf_printf(out, "= accepted %s", t->smtp.queue_id);
	else if (todo == SMTP_DONE)
		buf_printf(
		    out, "= %s %s", verdicts[t->action.verdict], t->err.text);
	else if (todo == SMTP_FAIL)
		buf_printf(out, "= fail %s", t->err.text);
	else
		buf_add_string(out, todo == SMTP_READY  ? "= ready"
				    : todo == SMTP_BODY ? "= body"
							: "= wait");
	t->asked = false;
}

/* {N*X} is N times the letter X. */
static struct slice
expand(struct slice in, struct buf *out)
{
	struct slice head, inside;
	uint64_t times;

	buf_init(out, 1 << 20);
	while (slice_cut_until(&in, '{', &head)) {
		buf_add(out, head);
		assert_true(slice_cut_until(&in, '}', &inside));
		assert_true(slice_cut_number(&inside, 1 << 16, &times));
		while (times-- > 0)
			buf_add(out, slice_from(inside, 1));
	}
	buf_add(out, in);
	return buf_slice(out);
}

static void
expect(struct talk *t, struct slice wanted)
{
	struct buf got, expanded;

	wanted = expand(wanted, &expanded);
	buf_init(&got, 1 << 16);
	describe(t, &got);
	if (!slice_equal(buf_slice(&got), wanted))
		fail_msg("%s:%u: wanted \"%.*s\", got \"%s\"", t->path, t->line,
		    SLICE_ARG(wanted), buf_string(&got));
	buf_clear(&got);
	buf_clear(&expanded);
}

static void
note(struct talk *t, struct smtp_action action)
{
	t->action = action;
	buf_reset(&t->sent);
	if (action.todo == SMTP_SEND)
		buf_add(&t->sent, action.text);
}

static void
server_says(struct talk *t, struct slice text)
{
	struct buf line;
	uint8_t *exact;

	if (t->action.todo != SMTP_WAIT)
		expect(t, SLICE("= wait"));
	text = expand(text, &line);
	/* Of just this size, so that ASan sees one byte too many. */
	exact = mem_resize(NULL, text.len == 0 ? 1 : text.len, 1);
	if (text.len > 0)
		memcpy(exact, text.data, text.len);
	note(
	    t, smtp_line(&t->smtp, (struct slice){ exact, text.len }, &t->err));
	free(exact);
	buf_clear(&line);
}

static void
driver_calls(struct talk *t, struct slice name)
{
	t->mail =
	    (struct smtp_mail){ &t->sender, &t->recipient, &t->origin, 4711 };
	if (slice_equal(name, SLICE("mail"))) {
		note(t, smtp_mail(&t->smtp, &t->mail));
	} else if (slice_equal(name, SLICE("body_done"))) {
		assert_true(smtp_body_begun(&t->smtp));
		smtp_body_done(&t->smtp);
	} else if (slice_equal(name, SLICE("was_refused"))) {
		struct smtp_action action = { .todo = SMTP_DONE };

		assert_true(
		    smtp_was_refused(&t->smtp, &action.verdict, &t->err));
		note(t, action);
	} else if (slice_equal(name, SLICE("takes"))) {
		t->asked = true;
		t->takes = smtp_takes(&t->smtp, &t->origin);
	} else {
		fail_msg("%s:%u: no such call", t->path, t->line);
	}
}

static void
set_word(struct slice *words, char *out, size_t size)
{
	struct slice word;

	assert_true(slice_cut_word(words, &word));
	if (slice_equal(word, SLICE("-")))
		word.len = 0;
	snprintf(out, size, "%.*s", SLICE_ARG(word));
}

static void
set_origin(struct talk *t, struct slice words)
{
	set_word(&words, t->origin.ip, sizeof(t->origin.ip));
	set_word(&words, t->origin.name, sizeof(t->origin.name));
	set_word(&words, t->origin.helo, sizeof(t->origin.helo));
}

static void
play_line(struct talk *t, struct slice line)
{
	if (line.len == 0 || line.data[0] == '#')
		return;
	if (slice_equal(line, SLICE("xclient")))
		t->settings.xclient = true;
	else if (slice_cut_prefix(&line, SLICE("sender ")))
		assert_int_equal(
		    address_parse_sender(line, &t->sender), ADDRESS_OK);
	else if (slice_cut_prefix(&line, SLICE("recipient ")))
		assert_int_equal(
		    address_parse(line, &t->recipient), ADDRESS_OK);
	else if (slice_cut_prefix(&line, SLICE("origin ")))
		set_origin(t, line);
	else if (slice_cut_prefix(&line, SLICE("S: ")))
		server_says(t, line);
	else if (slice_cut_prefix(&line, SLICE("> ")))
		driver_calls(t, line);
	else
		expect(t, line);
}

static void
plays_as_written(void **state)
{
	struct talk t = { .path = *state,
		.settings.helo = "mx.example.org",
		.sender = { "anna", "outside.example" },
		.recipient = { "office", "example.org" } };
	FILE *f = fopen(t.path, "r");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	assert_non_null(f);
	buf_init(&t.sent, SMTP_COMMANDS_MAX);
	smtp_init(&t.smtp, &t.settings);
	while ((len = getline(&line, &room, f)) > 0) {
		t.line++;
		len -= line[len - 1] == '\n';
		play_line(&t, (struct slice){ (uint8_t *)line, (size_t)len });
	}
	if (t.action.todo != SMTP_WAIT)
		expect(&t, SLICE("= wait"));
	buf_clear(&t.sent);
	free(line);
	fclose(f);
}

int
main(void)
{
	return each_file("tests/data/smtp/*.txt", plays_as_written);
}
