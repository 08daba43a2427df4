/* SPDX-License-Identifier: Apache-2.0 */
#include "fetcher/awaiting.h"

#include <stdlib.h>

#include "base/mem.h"

struct awaited {
	struct control_client *client;
	struct awaiting *list;
	struct timer *timer;
	bool late;
	struct awaited *next;
};

static void
answer(struct awaited *a, const struct buf *text)
{
	control_answer(a->client, buf_slice(text));
	timer_free(a->timer);
	free(a);
}

static void
on_timeout(void *arg)
{
	struct awaited *a = arg, **at = &a->list->first;
	struct buf text;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	buf_init(&text, CONTROL_LINE_MAX);
	buf_add_string(&text, "WAIT the pass is not done yet\n");
	answer(a, &text);
	buf_clear(&text);
}

void
awaiting_add(struct awaiting *list, const struct awaiting_question *question)
{
	struct awaited *a = mem_new(sizeof(*a));

	a->client = question->client;
	a->list = list;
	a->late = question->late;
	a->timer = timer_new(question->loop, on_timeout, a);
	a->next = list->first;
	list->first = a;
	timer_start(a->timer, question->wait_ms);
}

static void
write_result(const struct pass_result *r, struct buf *out)
{
	if (r->end == PASS_FAILED)
		buf_printf(out, "ERROR %s\n", r->error.text);
	else if (r->end == PASS_HELD)
		buf_printf(out, "WAIT %s\n", r->error.text);
	else
		buf_printf(out,
		    "OK listed=%u fetched=%u injected=%u deleted=%u "
		    "waiting=%u\n",
		    r->listed, r->fetched, r->injected, r->deleted, r->waiting);
}

void
awaiting_done(struct awaiting *list, const struct pass_result *result)
{
	struct buf text;

	buf_init(&text, 2 * ERROR_TEXT_MAX);
	write_result(result, &text);
	for (struct awaited **at = &list->first; *at != NULL;) {
		struct awaited *a = *at;

		if (a->late) {
			a->late = false;
			at = &a->next;
			continue;
		}
		*at = a->next;
		answer(a, &text);
	}
	buf_clear(&text);
}

void
awaiting_clear(struct awaiting *list)
{
	struct buf text;

	buf_init(&text, CONTROL_LINE_MAX);
	buf_add_string(&text, "ERROR the account is not collected any more\n");
	while (list->first != NULL) {
		struct awaited *a = list->first;

		list->first = a->next;
		answer(a, &text);
	}
	buf_clear(&text);
}
