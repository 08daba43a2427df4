/* SPDX-License-Identifier: Apache-2.0 */
/*
 * postfix - a table of Postfix as directory source, asked by its own
 * postmap(1): every kind of table that it knows, read as it reads it.
 */
#include "directory/source.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/proc.h"
#include "directory/postmap_answer.h"

#include <stdlib.h>
#include <sys/wait.h>

enum {
	BATCH_MAX = 50,
	PRINTED_MAX = 1024 * 1024, /* a value is a list of addresses at worst */
	SAID_MAX = 16 * 1024,
};

struct table {
	const struct postfix_source *settings;
};

static void *
open_postfix(const struct config *config, const struct directory_source *source)
{
	struct table *table = mem_new(sizeof(*table));

	(void)config;
	table->settings = &source->postfix;
	return table;
}

/* Some of the addresses of a question, asked by one child. */
struct batch {
	const struct postfix_source *settings;
	const struct address *addresses;
	struct directory_answer *answers;
	size_t n;
};

static struct slice
key_of(const struct batch *b, size_t i, char text[static ADDRESS_TEXT_SIZE])
{
	return slice_of(b->settings->key == TABLE_KEY_LOCAL
			    ? b->addresses[i].local
			    : address_write(&b->addresses[i], text));
}

static bool
is_listed(const struct batch *b, size_t i, const struct buf *printed)
{
	char text[ADDRESS_TEXT_SIZE];

	return postmap_has(buf_slice(printed), key_of(b, i, text));
}

static void
answer_found(const struct batch *b, const struct buf *printed)
{
	for (size_t i = 0; i < b->n; i++)
		if (is_listed(b, i, printed))
			source_answer(&b->answers[i], EXISTS, "%s: listed",
			    b->settings->table);
}

/* Those who were not found. */
static void
answer_others(const struct batch *b, const struct buf *printed,
    enum existence existence, struct slice why)
{
	for (size_t i = 0; i < b->n; i++)
		if (!is_listed(b, i, printed))
			source_answer(&b->answers[i], existence, "%s: %.*s",
			    b->settings->table, SLICE_ARG(why));
}

static void
judge(const struct batch *b, const struct proc_talk *talk)
{
	struct slice trouble = postmap_trouble(buf_slice(talk->said));
	int code = WIFEXITED(talk->status) ? WEXITSTATUS(talk->status) : -1;
	bool any = false;
	char words[32];

	for (size_t i = 0; i < b->n; i++)
		any = any || is_listed(b, i, talk->out);
	if (buf_overflowed(talk->said))
		trouble = SLICE("postmap says too much to tell what is wrong");
	answer_found(b, talk->out);
	if (trouble.len > 0)
		answer_others(b, talk->out, UNKNOWN, trouble);
	else if (code == (any ? 0 : 1))
		answer_others(b, talk->out, ABSENT, SLICE("no such address"));
	else
		answer_others(b, talk->out, UNKNOWN,
		    slice_of(proc_status_text(talk->status, words)));
}

static void
ask(const struct batch *b, int64_t timeout_ms)
{
	const char *const argv[] = { b->settings->postmap, "-q", "-",
		b->settings->table, NULL };
	char text[ADDRESS_TEXT_SIZE];
	struct buf keys, printed, said;
	struct proc_talk talk = { .argv = argv,
		.timeout_ms = timeout_ms,
		.out = &printed,
		.said = &said };
	struct error err;

	buf_init(&keys, (ADDRESS_TEXT_SIZE + 1) * BATCH_MAX);
	buf_init(&printed, PRINTED_MAX);
	buf_init(&said, SAID_MAX);
	for (size_t i = 0; i < b->n; i++) {
		buf_add(&keys, key_of(b, i, text));
		buf_add_byte(&keys, '\n');
	}
	talk.in = buf_slice(&keys);
	if (proc_talk(&talk, &err)) {
		judge(b, &talk);
	} else {
		answer_found(b, &printed);
		answer_others(b, &printed, UNKNOWN, slice_of(err.text));
	}
	buf_clear(&keys);
	buf_clear(&printed);
	buf_clear(&said);
}

static void
lookup(void *state, const struct directory_question *q,
    struct directory_answer *answers)
{
	const struct table *table = state;

	for (size_t i = 0; i < q->n; i += BATCH_MAX) {
		const struct batch b = { table->settings, q->addresses + i,
			answers + i,
			q->n - i < BATCH_MAX ? q->n - i : BATCH_MAX };
		int64_t left_ms = q->deadline_ms - clock_monotonic_ms();

		if (left_ms > table->settings->timeout_ms)
			left_ms = table->settings->timeout_ms;
		ask(&b, left_ms > 0 ? left_ms : 0);
	}
}

const struct source_kind source_postfix = {
	.name = "postfix",
	.remote = true,
	.open = open_postfix,
	.lookup = lookup,
	.close = free,
};
